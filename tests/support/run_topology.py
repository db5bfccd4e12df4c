"""Runs the job's topology inside this process on records that are given, into files: for tests, without Kafka and without a cluster."""

from __future__ import annotations

import json
import sys
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

TABLES = {"frame": MARKET_FRAMES, "feature": FEATURES, "reject": REJECTS}


def main(records: str, folder: str) -> None:
    """`records` is a JSON file of [key, value in hexadecimal], null where there is none; each kind's rows go to a folder of JSON lines."""
    configuration = Configuration()
    configuration.set_string("python.execution-mode", "thread")
    configuration.set_string("execution.checkpointing.interval", "1 s")
    environment = StreamExecutionEnvironment.get_execution_environment(configuration)
    environment.set_parallelism(1)
    tables = StreamTableEnvironment.create(environment)
    for kind, table in TABLES.items():
        options = f"'connector' = 'filesystem', 'format' = 'json', 'path' = '{Path(folder).resolve() / kind}'"
        tables.execute_sql(f"CREATE TEMPORARY TABLE {kind}_rows ({table.flink_columns()}) WITH ({options})")
    queries = [_query(offset, key, value) for offset, (key, value) in enumerate(json.loads(Path(records).read_text()))]
    inputs = Inputs(tables.sql_query(" UNION ALL ".join(queries)), at_once=True)
    outputs = Outputs({"manifest_id": "manifest", "feature_set": "set"}, lake={kind: f"{kind}_rows" for kind in TABLES})
    function = MarketFunction(WorkerSettings("manifest", ControlLogSettings("127.0.0.1:1")), fetch_from({}))
    build(environment, tables, inputs, outputs, function)
    environment.execute("topology under test")


def _query(offset: int, key: str | None, value: str | None) -> str:
    symbol = "CAST(NULL AS STRING)" if key is None else f"CAST('{key}' AS STRING)"
    frame = "CAST(NULL AS BYTES)" if value is None else f"CAST(x'{value}' AS BYTES)"
    return (
        f"SELECT {symbol} AS symbol, {frame} AS frame, TO_TIMESTAMP_LTZ({offset}, 3) AS event_time, "
        f"'market.frames' AS topic, 0 AS kafka_partition, CAST({offset} AS BIGINT) AS kafka_offset"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
