"""What a run left in Kafka, in the lake and in Redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import redis
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from jobs.comparison import ORDER
from jobs.lake.definitions import TABLES_BY_NAME
from jobs.lake.reading import EVERYTHING, Selection, read_rows
from jobs.lake.tables import NAMESPACE
from jobs.serving.redis_writer import GENERATION_KEY
from tests.integration.chaos.stream import Stream
from udfs.codecs.rejects import decode_rejected
from udfs.codecs.rows import decode_bar, decode_feature_row, encode_bar, encode_feature_row
from udfs.codecs.signals import decode_alert, decode_signal, encode_alert, encode_signal
from udfs.errors import Reason
from udfs.records import Position

Key = tuple[Any, ...]
Offsets = Sequence[int]
"""By partition."""
COMPARED_TABLES = ("features", "signals")
PARTITION, OFFSET = "kafka_partition", "kafka_offset"
TABLE_KEYS: Mapping[str, tuple[str, ...]] = {
    "features": ("symbol", "event_number"),
    "signals": ("symbol", "signal_id"),
    "bars": ("symbol", "start_time_ns", "length_seconds"),
    "alerts": ("symbol", "alert_id"),
    "rejects": ("symbol", PARTITION, OFFSET, "event_index"),
    "market_frames": ("symbol", PARTITION, OFFSET),
    "control_events": ("version",),
}
"""What names a row of each table of the lake: none may be there twice."""
NOT_COMPARED = ("manifest_id",)
_WHOLE_FRAMES = range(Reason.MALFORMED_FRAME, Reason.MALFORMED_CONTROL)
"""Reasons for which a whole frame is rejected, byte by byte as it came."""
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

TOPICS_OF_REJECTS = ("late", "rejects")


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
    """Everything that a run wrote, or what it wrote of some symbols."""

    topics: Mapping[str, TopicContent]
    compared: Mapping[str, pa.Table]
    """Features and signals of the lake, each field but the manifest, in the order of symbol and event number."""
    keys: Mapping[str, tuple[Key, ...]]
    """Of every row of each table of the lake."""
    told: tuple[Key, ...]
    """Of every record of the topics of late events and rejects: named as the rows of the table of rejects are."""
    refused: tuple[bytes, ...]
    """Frames that were rejected as a whole, as they stand in the lake."""
    redis: Mapping[bytes, Mapping[bytes, bytes]]


def read_outcome(stream: Stream, origin: Mapping[str, Offsets], symbols: tuple[str, ...]) -> Outcome:
    """What these symbols left in lake and Redis, and all that the topics hold from the origin on."""
    selection = Selection(symbols=symbols)
    names = stream.settings.topics.model_dump()
    with _consumer(stream) as consumer:
        topics = {name: topic_content(codec, _records(consumer, names[name], origin[name])) for name, codec in TOPICS.items()}
        told = tuple(_told(data) for name in TOPICS_OF_REJECTS for data in _records(consumer, names[name], origin[name]))
    compared = {table: _compared(stream, table, selection) for table in COMPARED_TABLES}
    keys = {table: _keys(stream, table, columns, selection) for table, columns in TABLE_KEYS.items()}
    found = Outcome(topics, compared, keys, told, _refused(stream, selection), redis_content(stream, symbols))
    return replace(found, **_from_the_beginning_of(found, origin["frames"]))


def origin_of(stream: Stream) -> dict[str, Offsets]:
    """The end of each topic now: where what is sent next begins. By the topic's role; what was sent before must have settled."""
    names = {role: topic for role, topic in stream.settings.topics.model_dump().items() if role in (*TOPICS, *TOPICS_OF_REJECTS)}
    with _consumer(stream) as consumer:
        return {role: _ends(consumer, topic) for role, topic in {**names, "frames": stream.plan.frames_topic}.items()}


def part_of(outcome: Outcome, symbols: Collection[str], origin: Mapping[str, Offsets]) -> Outcome:
    """What is there of some symbols, whose frames begin at the origin."""
    found = replace(
        outcome,
        topics={name: _topic_part(content, symbols) for name, content in outcome.topics.items()},
        compared={table: _rows_of(rows, symbols) for table, rows in outcome.compared.items()},
        keys={table: tuple(key for key in keys if key[0] in symbols or len(key) == 1) for table, keys in outcome.keys.items()},
        told=tuple(key for key in outcome.told if key[0] in symbols),
        redis={key: fields for key, fields in outcome.redis.items() if key.decode().rpartition(":")[2] in symbols},
    )
    return replace(found, **_from_the_beginning_of(found, origin["frames"]))


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


def _rows_of(rows: pa.Table, symbols: Collection[str]) -> pa.Table:
    return rows.filter(pc.is_in(rows.column("symbol"), pa.array(sorted(symbols), rows.schema.field("symbol").type)))


def _told(data: bytes) -> Key:
    record = decode_rejected(data)
    return (record.symbol, record.position.partition, record.position.offset, record.position.event_index)


def _topic_part(content: TopicContent, symbols: Collection[str]) -> TopicContent:
    order = {symbol: keys for symbol, keys in content.order.items() if symbol in symbols}
    return replace(content, records={key: content.records[key] for keys in order.values() for key in keys}, order=order)


def _from_the_beginning_of(outcome: Outcome, begin: Offsets) -> dict[str, Any]:
    """Positions counted from where the part begins in the log: so they are the same wherever it lies."""
    return {
        "compared": {table: _counted_from(rows, begin) for table, rows in outcome.compared.items()},
        "keys": {table: _keys_counted_from(TABLE_KEYS[table], keys, begin) for table, keys in outcome.keys.items()},
        "told": _keys_counted_from(TABLE_KEYS["rejects"], outcome.told, begin),
    }


def _counted_from(rows: pa.Table, begin: Offsets) -> pa.Table:
    partitions, offsets = (rows.column(name).to_numpy().astype(np.int64) for name in (PARTITION, OFFSET))
    place = rows.schema.get_field_index(OFFSET)
    return rows.set_column(place, OFFSET, pa.array(offsets - np.asarray(begin, np.int64)[partitions]))


def _keys_counted_from(columns: tuple[str, ...], keys: tuple[Key, ...], begin: Offsets) -> tuple[Key, ...]:
    if OFFSET not in columns:
        return keys
    partition, offset = columns.index(PARTITION), columns.index(OFFSET)
    return tuple((*key[:offset], key[offset] - begin[key[partition]], *key[offset + 1 :]) for key in keys)


@contextmanager
def _consumer(stream: Stream) -> Iterator[Consumer]:
    """One that sees what a reader sees: with exactly once, what was committed."""
    isolation = "read_committed" if stream.settings.kafka.delivery_guarantee == "exactly-once" else "read_uncommitted"
    further = {"isolation.level": isolation, "enable.partition.eof": True}
    consumer = Consumer(stream.settings.kafka.consumer_properties("chaos") | further)
    try:
        yield consumer
    finally:
        consumer.close()


def _ends(consumer: Consumer, topic: str) -> Offsets:
    partitions = consumer.list_topics(topic, timeout=_READ_SECONDS).topics[topic].partitions
    return tuple(consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_READ_SECONDS)[1] for number in sorted(partitions))


def _records(consumer: Consumer, topic: str, begin: Offsets) -> Iterator[bytes]:
    """Every record of a topic from there on, partition by partition in order."""
    consumer.assign([TopicPartition(topic, number, offset) for number, offset in enumerate(begin)])
    left, deadline = len(begin), time.monotonic() + _READ_SECONDS
    while left and time.monotonic() < deadline:
        message = consumer.poll(1.0)
        if message is None:
            continue
        error = message.error()
        if error is None:
            yield bytes(message.value() or b"")
        elif error.code() == KafkaError._PARTITION_EOF:
            left -= 1
        else:
            raise KafkaException(error)
    if left:
        raise TimeoutError(f"topic {topic} was not read to its end within {_READ_SECONDS:.0f} s: is a transaction open?")


def _compared(stream: Stream, table: str, selection: Selection) -> pa.Table:
    columns = [name for name in TABLES_BY_NAME[table].column_names() if name not in NOT_COMPARED]
    rows = _rows(stream, table, columns, selection)
    return rows.sort_by(list(ORDER)).combine_chunks()


def _keys(stream: Stream, table: str, columns: tuple[str, ...], selection: Selection) -> tuple[Key, ...]:
    rows = _rows(stream, table, columns, selection if columns[0] == "symbol" else EVERYTHING)
    return tuple(zip(*(rows.column(name).to_pylist() for name in columns), strict=True))


def _refused(stream: Stream, selection: Selection) -> tuple[bytes, ...]:
    rows = _rows(stream, "rejects", ("reason", "raw"), selection)
    return tuple(raw for reason, raw in zip(*(column.to_pylist() for column in rows.columns), strict=True) if reason in _WHOLE_FRAMES)


def _rows(stream: Stream, table: str, columns: Sequence[str], selection: Selection) -> pa.Table:
    """Rows of a table of the lake; with columns of the right types also where there is none."""
    stored = stream.catalog.load_table((NAMESPACE, table))
    batches = list(read_rows(stream.catalog, NAMESPACE, table, columns, selection))
    return pa.Table.from_batches(batches) if batches else stored.schema().select(*columns).as_arrow().empty_table().select(list(columns))


def redis_content(stream: Stream, symbols: Collection[str]) -> dict[bytes, dict[bytes, bytes]]:
    """The hashes of the online store of these symbols, of all where none is named, without the manifest."""
    client = redis.Redis.from_url(stream.cluster.endpoints.redis_url)
    try:
        keys = [key for key in client.scan_iter("tickflow:*") if key != GENERATION_KEY.encode()]
        own = [key for key in keys if not symbols or key.decode().rpartition(":")[2] in symbols]
        return {key: {name: value for name, value in client.hgetall(key).items() if name != b"manifest_id"} for key in own}
    finally:
        client.close()
