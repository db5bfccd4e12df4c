"""PyFlink as its documentation shows it: JSON strings, Python in worker processes, one pickled value of state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pyflink.common import Configuration, SimpleStringSchema, Types, WatermarkStrategy
from pyflink.datastream import KeyedProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.connectors.kafka import KafkaOffsetsInitializer, KafkaRecordSerializationSchema, KafkaSink, KafkaSource
from pyflink.datastream.state import ValueStateDescriptor

from jobs.benchmark.peers.task import take
from jobs.benchmark.peers.wiring import BROKERS, GROUP, ROWS, SNAPSHOT_SECONDS, TICKS


class Summarise(KeyedProcessFunction):
    """Keeps one dict a symbol."""

    def open(self, runtime_context: RuntimeContext) -> None:
        """Bind the state."""
        self._state = runtime_context.get_state(ValueStateDescriptor("summary", Types.PICKLED_BYTE_ARRAY()))

    def process_element(self, value: dict[str, Any], context: KeyedProcessFunction.Context) -> Iterator[str]:
        """One tick."""
        state, row = take(self._state.value(), value)
        self._state.update(state)
        if row is not None:
            yield json.dumps(row)


def main() -> None:
    """Run until stopped, in a small cluster inside this process."""
    environment = StreamExecutionEnvironment.get_execution_environment(Configuration())
    environment.set_parallelism(1)
    environment.enable_checkpointing(1000 * SNAPSHOT_SECONDS)
    source = (
        KafkaSource.builder()
        .set_bootstrap_servers(BROKERS)
        .set_topics(TICKS)
        .set_group_id(GROUP)
        .set_starting_offsets(KafkaOffsetsInitializer.earliest())
        .set_value_only_deserializer(SimpleStringSchema())
        .build()
    )
    serialization = KafkaRecordSerializationSchema.builder().set_topic(ROWS).set_value_serialization_schema(SimpleStringSchema()).build()
    sink = KafkaSink.builder().set_bootstrap_servers(BROKERS).set_record_serializer(serialization).build()
    ticks = environment.from_source(source, WatermarkStrategy.no_watermarks(), "ticks").map(json.loads)
    ticks.key_by(lambda tick: tick["symbol"]).process(Summarise(), Types.STRING()).sink_to(sink)
    environment.execute("peer")


if __name__ == "__main__":
    main()
