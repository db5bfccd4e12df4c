"""Kafka topics as tables of the job: what is read and written, with the connection of the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.kafka_settings import KafkaSettings

_READ_COLUMNS = """
  symbol STRING,
  frame BYTES,
  event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp',
  kafka_partition INT METADATA FROM 'partition' VIRTUAL,
  kafka_offset BIGINT METADATA FROM 'offset' VIRTUAL,
  headers MAP<STRING, BYTES> METADATA FROM 'headers' VIRTUAL"""
_WRITE_COLUMNS = """
  symbol STRING,
  payload BYTES,
  event_time TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'"""


@dataclass(frozen=True)
class Reading:
    """How a topic is read: from where, and whether it ends at what is there now."""

    start: str = "earliest-offset"
    bounded: bool = False


def source_table(name: str, topic: str, kafka: KafkaSettings, group: str, reading: Reading) -> str:
    """`CREATE TEMPORARY TABLE` of a topic of frames."""
    options = {
        "topic": topic,
        "properties.group.id": group,
        "scan.startup.mode": reading.start,
        "properties.auto.offset.reset": "earliest",
        "scan.topic-partition-discovery.interval": "0",
    }
    options |= {"scan.bounded.mode": "latest-offset"} if reading.bounded else {}
    return _create(name, _READ_COLUMNS, options, kafka)


def sink_table(name: str, topic: str, kafka: KafkaSettings, linger_milliseconds: int = 1) -> str:
    """`CREATE TEMPORARY TABLE` of a topic that is written, key = symbol, time = event time; a record may wait for others for a while.

    A record that waits for nobody is a batch of its own, and compressing it would cost 128 KiB of buffers and win nothing.
    """
    options = {
        "topic": topic,
        "sink.delivery-guarantee": kafka.delivery_guarantee,
        "properties.linger.ms": str(linger_milliseconds),
        "properties.acks": "all",
        "properties.compression.type": kafka.compression if linger_milliseconds else "none",
    }
    if kafka.delivery_guarantee == "exactly-once":
        options |= {"sink.transactional-id-prefix": f"tickflow-{topic}", "properties.transaction.timeout.ms": "600000"}
    return _create(name, _WRITE_COLUMNS, options, kafka)


def _create(name: str, columns: str, options: Mapping[str, str], kafka: KafkaSettings) -> str:
    common = {
        "connector": "kafka",
        "properties.bootstrap.servers": kafka.bootstrap_servers,
        "key.format": "raw",
        "key.fields": "symbol",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
    }
    secured = {f"properties.{key}": value for key, value in kafka.client_properties().items()}
    listed = ",\n  ".join(f"'{key}' = '{_quoted(value)}'" for key, value in {**common, **options, **secured}.items())
    return f"CREATE TEMPORARY TABLE {name} ({columns}\n) WITH (\n  {listed}\n)"


def _quoted(text: str) -> str:
    return text.replace("'", "''")
