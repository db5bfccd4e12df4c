"""What a run left in Kafka, in the lake and in Redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import redis
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from jobs.comparison import ORDER
from jobs.lake.definitions import TABLES_BY_NAME
from jobs.lake.reading import read_rows
from jobs.lake.tables import NAMESPACE
from jobs.serving.redis_writer import GENERATION_KEY
from tests.integration.chaos.stream import Stream
from udfs.codecs.rows import decode_bar, decode_feature_row, encode_bar, encode_feature_row
from udfs.codecs.signals import decode_alert, decode_signal, encode_alert, encode_signal
from udfs.records import Position

Key = tuple[Any, ...]
COMPARED_TABLES = ("features", "signals")
TABLE_KEYS: Mapping[str, tuple[str, ...]] = {
    "features": ("symbol", "event_number"),
    "signals": ("signal_id",),
    "bars": ("symbol", "start_time_ns", "length_seconds"),
    "alerts": ("alert_id",),
    "rejects": ("kafka_partition", "kafka_offset", "event_index"),
    "market_frames": ("kafka_partition", "kafka_offset"),
    "control_events": ("version",),
}
"""What names a row of each table of the lake: none may be there twice."""
NOT_COMPARED = ("manifest_id",)
_NOWHERE = Position("", 0, 0)
_READ_SECONDS = 60.0


@dataclass(frozen=True)
class Codec:
    """How records of a topic are read, and what names them for a consumer: the documented key of de-duplication."""

    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]
    key: Callable[[Any], Key]


TOPICS: Mapping[str, Codec] = {
    "features": Codec(decode_feature_row, encode_feature_row, lambda row: (row.symbol, row.event_number)),
    "signals": Codec(decode_signal, encode_signal, lambda signal: (signal.signal_id,)),
    "bars": Codec(decode_bar, encode_bar, lambda bar: (bar.symbol, bar.start_time, bar.length_seconds)),
    "alerts": Codec(decode_alert, encode_alert, lambda alert: (alert.alert_id,)),
}


@dataclass(frozen=True)
class TopicContent:
    """A topic as a consumer sees it that drops what it has seen."""

    records: Mapping[Key, bytes]
    """Without position and manifest, in the order in which each came first."""
    repeated: int
    """Records that came again under the same key."""
    contradicting: int
    """Those of them that said something else than the first."""
    order: Mapping[str, tuple[Key, ...]]
    """Keys of each symbol in the order in which they came."""


@dataclass(frozen=True)
class Outcome:
    """Everything that a run wrote."""

    topics: Mapping[str, TopicContent]
    compared: Mapping[str, pa.Table]
    """Features and signals of the lake, each field but the manifest, in the order of symbol and event number."""
    keys: Mapping[str, tuple[Key, ...]]
    """Of every row of each table of the lake."""
    redis: Mapping[bytes, Mapping[bytes, bytes]]


def read_outcome(stream: Stream) -> Outcome:
    """Everything, as it is now."""
    isolation = "read_committed" if stream.settings.kafka.delivery_guarantee == "exactly-once" else "read_uncommitted"
    servers, names = stream.settings.kafka.bootstrap_servers, stream.settings.topics.model_dump()
    topics = {name: topic_content(codec, _records(servers, names[name], isolation)) for name, codec in TOPICS.items()}
    compared = {table: _compared(stream, table) for table in COMPARED_TABLES}
    keys = {table: _keys(stream, table, columns) for table, columns in TABLE_KEYS.items()}
    return Outcome(topics, compared, keys, redis_content(stream))


def topic_content(codec: Codec, payloads: Iterator[bytes]) -> TopicContent:
    """What a consumer makes of the records of a topic."""
    records: dict[Key, bytes] = {}
    order: dict[str, list[Key]] = {}
    repeated = contradicting = 0
    for payload in payloads:
        record = codec.decode(payload)
        key, content = codec.key(record), codec.encode(replace(record, position=_NOWHERE, manifest_id=""))
        if key in records:
            repeated += 1
            contradicting += records[key] != content
            continue
        records[key] = content
        order.setdefault(record.symbol, []).append(key)
    return TopicContent(records, repeated, contradicting, {symbol: tuple(keys) for symbol, keys in order.items()})


def _records(servers: str, topic: str, isolation: str) -> Iterator[bytes]:
    """Every record of a topic, partition by partition in order."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "chaos",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": isolation,
        }
    )
    try:
        partitions = consumer.list_topics(topic, timeout=_READ_SECONDS).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        left, deadline = len(partitions), time.monotonic() + _READ_SECONDS
        while left and time.monotonic() < deadline:
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error() is None:
                yield bytes(message.value() or b"")
            elif message.error().code() == KafkaError._PARTITION_EOF:
                left -= 1
            else:
                raise KafkaException(message.error())
        if left:
            raise TimeoutError(f"topic {topic} was not read to its end within {_READ_SECONDS:.0f} s")
    finally:
        consumer.close()


def _compared(stream: Stream, table: str) -> pa.Table:
    columns = [name for name in TABLES_BY_NAME[table].column_names() if name not in NOT_COMPARED]
    batches = list(read_rows(stream.catalog, NAMESPACE, table, columns))
    rows = pa.Table.from_batches(batches) if batches else pa.table({name: pa.array([], pa.null()) for name in columns})
    return rows.sort_by(list(ORDER)).combine_chunks() if batches else rows


def _keys(stream: Stream, table: str, columns: tuple[str, ...]) -> tuple[Key, ...]:
    batches = read_rows(stream.catalog, NAMESPACE, table, columns)
    return tuple(key for batch in batches for key in zip(*(batch.column(name).to_pylist() for name in columns), strict=True))


def redis_content(stream: Stream) -> dict[bytes, dict[bytes, bytes]]:
    """Every hash of the online store, without the manifest."""
    client = redis.Redis.from_url(stream.cluster.endpoints.redis_url)
    try:
        keys = [key for key in client.scan_iter("tickflow:*") if key != GENERATION_KEY.encode()]
        return {key: {name: value for name, value in client.hgetall(key).items() if name != b"manifest_id"} for key in keys}
    finally:
        client.close()
