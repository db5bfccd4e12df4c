"""The stream job, as the diagram shows it: frames in, one keyed operator, everything else routed by the JVM.

frames ──► lake.market_frames
  └─► keyed by symbol ──► MarketFunction ──► Kafka: features, bars, signals, alerts, late, rejects
                                         └─► lake:  features, bars, signals, alerts, rejects
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyflink.common import Types
from pyflink.datastream import DataStream, StreamExecutionEnvironment
from pyflink.datastream.data_stream import KeyedStream
from pyflink.java_gateway import get_gateway

from jobs import operator_ids
from jobs.sinks import Outputs, insert_statements
from udfs.operators.market_function import MarketFunction
from udfs.operators.output_rows import BYTES, output_type

if TYPE_CHECKING:
    from pyflink.table import StreamTableEnvironment, Table

FRAME = Types.ROW([Types.STRING(), BYTES, Types.STRING(), Types.INT(), Types.LONG()])
"""symbol, frame, topic, partition, offset: what the market function takes."""
KEYED_FRAME = Types.ROW([Types.STRING(), FRAME, Types.INSTANT()])
"""key, frame, event time; the Python operator sees the second field alone."""


_FRAME_QUERY = (
    "SELECT symbol, ROW(symbol, frame, topic, kafka_partition, kafka_offset), event_time FROM ("
    "SELECT COALESCE(symbol, '') AS symbol, COALESCE(frame, CAST(x'' AS BYTES)) AS frame, topic, kafka_partition, kafka_offset, event_time "
    "FROM frames_in)"
)
"""A record without key or value is bad input like any other: it is rejected, and does not stop the job."""


@dataclass(frozen=True)
class Inputs:
    """What the job reads."""

    frames: Table
    """symbol, frame, event_time, topic, kafka_partition, kafka_offset: in log order for each symbol."""
    at_once: bool
    """Whether a frame is handed to its symbol's operator at once, rather than with others: latency against throughput."""


def build(
    environment: StreamExecutionEnvironment, tables: StreamTableEnvironment, inputs: Inputs, outputs: Outputs, function: MarketFunction
) -> None:
    """Attach the whole job to the environment; live and replay differ in `inputs` and `outputs` alone."""
    frames = _frame_stream(tables, inputs)
    records = _by_symbol(frames).process(function, output_type=output_type()).uid(operator_ids.MARKET).name(operator_ids.MARKET)
    tables.create_temporary_view("records", tables.from_data_stream(records))
    # The lake has tasks of its own: what it costs to convert rows and to close files at a checkpoint is not in the way of a signal.
    tables.create_temporary_view("lake_frames", tables.from_data_stream(frames.rescale()).alias("symbol", "record", "event_time"))
    tables.create_temporary_view("lake_records", tables.from_data_stream(records.rescale()))
    statements = tables.create_statement_set()
    for statement in insert_statements(outputs):
        statements.add_insert_sql(statement)
    statements.attach_as_datastream()
    operator_ids.assign(environment)
    operator_ids.share_key_groups(environment)


def _frame_stream(tables: StreamTableEnvironment, inputs: Inputs) -> DataStream:
    tables.create_temporary_view("frames_in", inputs.frames)
    frames = tables.to_append_stream(tables.sql_query(_FRAME_QUERY), KEYED_FRAME)
    if inputs.at_once:
        frames._j_data_stream.getTransformation().setBufferTimeout(0)
    return frames


def _by_symbol(frames: DataStream) -> KeyedStream:
    """Key in the JVM: a Python `key_by` would be a second Python operator and halve the throughput (infra/decisions)."""
    key_type = Types.ROW([Types.STRING()]).get_java_type_info()
    keyed = frames._j_data_stream.keyBy(get_gateway().jvm.KeyByKeySelector(), key_type)
    return KeyedStream(keyed, FRAME, frames)
