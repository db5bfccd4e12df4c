"""Made-up feature rows and signals for the online store, and what it should hold after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from confluent_kafka import Producer

from jobs.serving.online_records import OnlineDecoder, OnlineRecord, keep_newest
from udfs.codecs.rows import encode_feature_row
from udfs.codecs.signals import encode_signal
from udfs.codecs.wire import PINNED
from udfs.records import Attribution, Direction, FeatureRow, Position, Signal, SignalCode, SignalStatus

SECOND = 1_000_000_000
START = 1_370_000_000 * SECOND
"""In 2013: what is recorded need not be new."""
HERE = Position("market.frames", 0, 7)


@dataclass(frozen=True)
class Sent:
    """One record for a topic."""

    topic: str
    symbol: str
    event_time: int
    value: bytes


def feature_row(symbol: str, number: int, time: int | None = None) -> FeatureRow:
    """A row that differs from every other one of its symbol."""
    time = START + number * SECOND if time is None else time
    values = np.array([number, np.nan, -1.5], "<f4")
    return FeatureRow(symbol, time, time + 5, number, "set", values, np.isfinite(values), False, 2, HERE, "manifest")


def signal(symbol: str, number: int, time: int | None = None) -> Signal:
    """A signal that differs from every other one of its symbol."""
    time = START + number * SECOND if time is None else time
    reasons = (Attribution("imbalance_5_levels", 0.25, "die Nachfrage überwiegt"),)
    return Signal(
        signal_id=f"id-{symbol}-{number}",
        symbol=symbol,
        event_time=time,
        available_time=time + 5,
        event_number=number,
        horizon=300 * SECOND,
        price=100.0 + number / 7,
        direction=Direction.UP,
        confidence=0.6,
        probabilities=(0.1, 0.3, 0.6),
        expected_return=1e-4,
        sigma=2e-3,
        reasons=reasons,
        status=SignalStatus.OK,
        code=SignalCode.NONE,
        model_version="model-1",
        model_hash="aa",
        feature_hash="bb",
        control_version=2,
        position=HERE,
        manifest_id="manifest",
    )


def abstained(made: Signal) -> Signal:
    """The same signal without a score."""
    nan = float("nan")
    unscored = replace(made, direction=Direction.NEUTRAL, confidence=nan, probabilities=(nan, nan, nan))
    return replace(unscored, status=SignalStatus.ABSTAINED, code=SignalCode.NO_MODEL)


def as_sent(record: FeatureRow | Signal, features_topic: str, signals_topic: str) -> Sent:
    """The record as it is put on its topic."""
    if isinstance(record, Signal):
        return Sent(signals_topic, record.symbol, record.event_time, encode_signal(record))
    return Sent(features_topic, record.symbol, record.event_time, encode_feature_row(record))


def send(bootstrap: str, records: Sequence[Sent]) -> None:
    """Put them on their topics as the job does: by symbol, with the event's time."""
    producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2", "linger.ms": 5})
    for record in records:
        producer.produce(record.topic, record.value, record.symbol.encode(), timestamp=record.event_time // 1_000_000)
        producer.poll(0)
    assert producer.flush(30) == 0


def expected_content(records: Sequence[Sent], features_topic: str, signals_topic: str) -> dict[bytes, dict[bytes, bytes]]:
    """Key -> hash, as Redis gives them, after these records in this order."""
    decoder = OnlineDecoder(features_topic, signals_topic, PINNED)
    newest: dict[str, OnlineRecord] = {}
    for record in records:
        keep_newest(newest, decoder.decode(record.topic, record.value))
    return {key.encode(): {name.encode(): _as_bytes(value) for name, value in found.fields().items()} for key, found in newest.items()}


def _as_bytes(value: str | bytes | int | float) -> bytes:
    return value if isinstance(value, bytes) else (repr(value) if isinstance(value, float) else str(value)).encode()
