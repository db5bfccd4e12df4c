"""The publisher's buffer is bounded, blocks, loses nothing, and says so when the broker fails; and how speeds are read."""

from __future__ import annotations

import math
from typing import cast

import pytest

from jobs.gateway import publisher
from jobs.gateway.pacing import Pacer, parse_speed
from jobs.gateway.publisher import KafkaPublisher, PublishError, PublisherSettings
from tests.support.fake_broker import FakeProducer
from udfs.errors import InvalidSettings


def made(monkeypatch: pytest.MonkeyPatch, fails_at: int = -1) -> tuple[KafkaPublisher, FakeProducer]:
    monkeypatch.setattr(publisher, "Producer", FakeProducer)
    monkeypatch.setattr(FakeProducer, "fails_at", fails_at)
    sink = KafkaPublisher(PublisherSettings("nowhere:1"))
    return sink, cast(FakeProducer, sink._producer)


def test_a_full_buffer_blocks_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for three, a hundred records arrive in order; the time spent waiting is counted."""
    sink, producer = made(monkeypatch)
    for number in range(100):
        sink.send("market.frames", b"A", b"%d" % number, number)
    assert sink.blocked_seconds > 0
    assert len(producer.delivered) == 97
    sink.flush()
    assert [value for _, _, value in producer.delivered] == [b"%d" % number for number in range(100)]
    assert sink.delivered_records == 100
    assert sink.last_offsets == {("market.frames", 0): 99}


def test_a_record_that_was_not_delivered_surfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure is raised by the next call and by every one after it."""
    sink, _ = made(monkeypatch, fails_at=1)
    for number in range(4):
        sink.send("market.frames", b"A", b"%d" % number, number)
    with pytest.raises(PublishError, match=r"market\.frames.*b'A'"):
        sink.send("market.frames", b"A", b"4", 4)
    with pytest.raises(PublishError):
        sink.flush()
    with pytest.raises(PublishError):
        sink.poll()


def test_a_failure_at_the_end_surfaces_in_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is called published before it is acknowledged."""
    sink, _ = made(monkeypatch, fails_at=0)
    sink.send("market.frames", b"A", b"x", 0)
    with pytest.raises(PublishError):
        sink.flush()


def test_the_producer_is_safe_and_bounded() -> None:
    """All replicas, no duplicates, Java's partitions, a bound on what waits; a client's own properties win."""
    properties = PublisherSettings("b:9", maximum_waiting_records=7, client={"security.protocol": "SSL"}).properties()
    wanted = {"acks": "all", "enable.idempotence": True, "partitioner": "murmur2", "queue.buffering.max.messages": 7, "linger.ms": 0.1}
    assert wanted.items() <= properties.items()
    assert properties["security.protocol"] == "SSL"


@pytest.mark.parametrize(("text", "speed"), [("max", math.inf), ("1", 1.0), ("10", 10.0), (" 0.5 ", 0.5), ("MAX", math.inf)])
def test_speeds(text: str, speed: float) -> None:
    """Seconds of data a second, or as fast as it goes."""
    assert parse_speed(text) == speed


@pytest.mark.parametrize("text", ["0", "-1", "fast", "", "nan"])
def test_speeds_that_cannot_be(text: str) -> None:
    """Refused with what was found and what is expected."""
    with pytest.raises(InvalidSettings, match="expected a number above 0"):
        parse_speed(text)


def test_a_pacer_needs_a_speed() -> None:
    """Zero would never send."""
    with pytest.raises(InvalidSettings):
        Pacer(0.0)
