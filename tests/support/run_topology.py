"""Runs the job's topology inside this process on records that are given, into files: for tests, without Kafka and without a cluster."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from jobs.lake.definitions import FEATURES, MARKET_FRAMES, REJECTS
from jobs.sinks import Outputs
from jobs.topology import Inputs, build
from tests.support.control_memory import fetch_from
from udfs.operators.control_log import ControlLogSettings
from udfs.operators.market_function import MarketFunction
from udfs.operators.worker_settings import WorkerSettings

ROLLS_SOON = "'sink.rolling-policy.rollover-interval' = '1 s', 'sink.rolling-policy.check-interval' = '1 s'"
"""A job that goes on shows its rows too."""
RECORDED = (
    "SELECT symbol, frame, TO_TIMESTAMP_LTZ(kafka_offset, 3) AS event_time, "
    "'market.frames' AS topic, 0 AS kafka_partition, kafka_offset FROM recorded"
)
TABLES = {"frame": MARKET_FRAMES, "feature": FEATURES, "reject": REJECTS}


def main(records: str, folder: str) -> None:
    """`records` is a JSON file of [key, value in hexadecimal], null where there is none; each kind's rows go to a folder of JSON lines."""
    environment = stream_environment({})
    attach(environment, RECORDED, Path(folder), [recorded(json.loads(Path(records).read_text()), Path(folder))])
    environment.execute("topology under test")


def stream_environment(options: Mapping[str, str]) -> StreamExecutionEnvironment:
    """One slot inside this process, thread mode, and these options of Flink."""
    configuration = Configuration()
    defaults = {"python.execution-mode": "thread", "execution.checkpointing.interval": "1 s"}
    for name, value in {**defaults, **options}.items():
        configuration.set_string(name, value)
    environment = StreamExecutionEnvironment.get_execution_environment(configuration)
    environment.set_parallelism(1)
    return environment


def attach(environment: StreamExecutionEnvironment, query: str, folder: Path, tables: Sequence[str] = ()) -> None:
    """The job's topology between this query and folders of JSON lines; `tables` are statements that make tables for the query."""
    table_environment = StreamTableEnvironment.create(environment)
    for statement in tables:
        table_environment.execute_sql(statement)
    for kind, table in TABLES.items():
        options = f"'connector' = 'filesystem', 'format' = 'json', 'path' = '{folder.resolve() / kind}', {ROLLS_SOON}"
        table_environment.execute_sql(f"CREATE TEMPORARY TABLE {kind}_rows ({table.flink_columns()}) WITH ({options})")
    inputs = Inputs(table_environment.sql_query(query), at_once=True)
    outputs = Outputs({"manifest_id": "manifest", "feature_set": "set"}, lake={kind: f"{kind}_rows" for kind in TABLES})
    function = MarketFunction(WorkerSettings("manifest", ControlLogSettings("127.0.0.1:1")), fetch_from({}))
    build(environment, table_environment, inputs, outputs, function)


def recorded(records: Sequence[tuple[str | None, str | None]], folder: Path, first_offset: int = 0, goes_on: bool = False) -> str:
    """The statement that makes a table of the records, read in their order, as one file has one reader; `goes_on`: it waits for more."""
    path = folder.resolve() / "recorded.json"
    path.write_text("".join(f"{_line(offset, key, value)}\n" for offset, (key, value) in enumerate(records, first_offset)))
    columns = "symbol STRING, frame BYTES, kafka_offset BIGINT"
    options = f"'connector' = 'filesystem', 'format' = 'json', 'path' = '{path}'" + (
        ", 'source.monitor-interval' = '1 s'" if goes_on else ""
    )
    return f"CREATE TEMPORARY TABLE recorded ({columns}) WITH ({options})"


def _line(offset: int, key: str | None, value: str | None) -> str:
    frame = None if value is None else base64.b64encode(bytes.fromhex(value)).decode()
    return json.dumps({"symbol": key, "frame": frame, "kafka_offset": offset})


if __name__ == "__main__":
    main(*sys.argv[1:])
