"""Entry point of the stream job for `flink run -py jobs/live.py`: reads its plan, builds the topology, submits it.

`infra/tickflow live` makes the plan, the topics and the tables, and calls `flink run`; a replay runs the same file with another plan.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

from pyflink.common import Configuration
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from jobs.job_plan import JobPlan
from jobs.kafka_tables import Reading, sink_table, source_table
from jobs.lake.catalog import CATALOG_NAME, create_catalog_statement
from jobs.model_store import fetch_model
from jobs.sinks import LAKE_TABLES, Outputs
from jobs.topology import Inputs, build
from jobs.worker import worker_settings
from udfs.codecs.wire import SchemaIds
from udfs.kernels.feature_vector import FEATURE_SET
from udfs.operators.control_log import ControlLogSettings
from udfs.operators.market_function import MarketFunction

_FRAMES = "kafka_frames"
_OWN_POSITION = "SELECT symbol, frame, event_time, '{topic}' AS topic, kafka_partition, kafka_offset FROM " + _FRAMES
_POSITION_IN_HEADERS = (
    "SELECT symbol, frame, event_time, '{topic}' AS topic, CAST(DECODE(headers['partition'], 'UTF-8') AS INT) AS kafka_partition, "
    "CAST(DECODE(headers['offset'], 'UTF-8') AS BIGINT) AS kafka_offset FROM " + _FRAMES
)

_URGENT = ("signal", "alert")
_URGENT_LINGER_MILLISECONDS = 0
_LINGER_MILLISECONDS = 20
"""Nobody decides from a bar or a feature row within 20 ms, and one request for many records spares the broker and the job."""


def execute(plan: JobPlan) -> None:
    """Build the job of a plan and hand it to the cluster."""
    assemble(plan).execute(plan.job_name)


def assemble(plan: JobPlan) -> StreamExecutionEnvironment:
    """The job of a plan, ready to be executed."""
    environment = _environment(plan)
    tables = StreamTableEnvironment.create(environment)
    tables.get_config().set("table.exec.uid.generation", "DISABLED")
    tables.execute_sql(create_catalog_statement(plan.lake))
    build(environment, tables, _inputs(tables, plan), _outputs(tables, plan), _market_function(plan))
    return environment


def _environment(plan: JobPlan) -> StreamExecutionEnvironment:
    flink = plan.settings.flink
    configuration = Configuration()
    configuration.set_string("python.execution-mode", flink.execution_mode)
    configuration.set_string("execution.checkpointing.interval", f"{flink.checkpoint_interval_milliseconds} ms")
    environment = StreamExecutionEnvironment.get_execution_environment(configuration)
    environment.set_parallelism(flink.parallelism)
    environment.set_max_parallelism(flink.max_parallelism)
    return environment


def _inputs(tables: StreamTableEnvironment, plan: JobPlan) -> Inputs:
    tables.execute_sql(source_table(_FRAMES, plan.frames_topic, plan.settings.kafka, f"tickflow-{plan.run_id}", plan.reading))
    if "control" in plan.lake_written:
        tables.execute_sql(source_table("kafka_control", plan.control_topic, plan.settings.kafka, f"tickflow-{plan.run_id}", Reading()))
    query = _POSITION_IN_HEADERS if plan.positions_in_headers else _OWN_POSITION
    return Inputs(frames=tables.sql_query(query.format(topic=plan.settings.topics.frames)), at_once=not plan.positions_in_headers)


def _outputs(tables: StreamTableEnvironment, plan: JobPlan) -> Outputs:
    names = plan.settings.topics
    topic_of = {
        "feature": names.features, "bar": names.bars, "signal": names.signals,
        "alert": names.alerts, "late": names.late, "reject": names.rejects,
    }  # fmt: skip
    for kind in plan.topics_written:
        linger = _URGENT_LINGER_MILLISECONDS if kind in _URGENT else _LINGER_MILLISECONDS
        tables.execute_sql(sink_table(f"kafka_{kind}", topic_of[kind], plan.settings.kafka, linger))
    lake_names = {"frame": "market_frames", "control": "control_events"} | {kind: table.name for kind, table in LAKE_TABLES.items()}
    return Outputs(
        constants={"manifest_id": plan.manifest_id, "feature_set": FEATURE_SET},
        topics={kind: f"kafka_{kind}" for kind in plan.topics_written},
        lake={kind: f"`{CATALOG_NAME}`.`{plan.namespace}`.`{lake_names[kind]}`" for kind in plan.lake_written},
        from_time=plan.from_time,
        to_time=plan.to_time,
    )


def _market_function(plan: JobPlan) -> MarketFunction:
    kafka = plan.settings.kafka
    control = ControlLogSettings(kafka.bootstrap_servers, plan.control_topic, kafka.librdkafka_properties())
    return MarketFunction(worker_settings(plan.settings, plan.manifest_id, control, SchemaIds(plan.schema_ids)), _model_fetcher(plan))


def _model_fetcher(plan: JobPlan) -> partial[bytes]:
    return partial(fetch_model, s3_endpoint=plan.lake.s3_endpoint, s3_region=plan.lake.s3_region)


def main(arguments: list[str]) -> int:
    """Run the plan given as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", required=True, help="the plan, as `infra/tickflow live` writes it")
    execute(JobPlan.from_json(parser.parse_args(arguments).plan))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
