"""The control log of a process: read on demand, once, by many threads, and never guessed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from confluent_kafka import KafkaException

from tests.support.control_memory import MemoryReader, fetch_from, halt_entry
from udfs.operators import control_log
from udfs.operators.control_log import ControlLog, ControlLogSettings, ControlLogUnavailable, KafkaControlReader, shared_control_log

FETCH = fetch_from({})
SETTINGS = ControlLogSettings("nowhere:1")


def test_version_zero_needs_no_log() -> None:
    reader = MemoryReader()
    snapshot = ControlLog(reader, FETCH).at(0)
    assert snapshot is not None
    assert (snapshot.version, reader.asked) == (0, [])


def test_a_version_beyond_the_end_is_nothing_until_the_log_has_it() -> None:
    reader = MemoryReader([halt_entry("A")])
    log = ControlLog(reader, FETCH)
    assert log.at(2) is None
    assert log.at(2**62) is None
    reader.stored.append(halt_entry("B"))
    snapshot = log.at(2)
    assert snapshot is not None
    assert snapshot.halted_symbols == {"A", "B"}
    assert log.at(1) != snapshot


def test_threads_read_each_entry_once() -> None:
    reader = MemoryReader([halt_entry(f"S{number}") for number in range(200)])
    log = ControlLog(reader, FETCH)
    with ThreadPoolExecutor(8) as pool:
        snapshots = list(pool.map(log.at, [number % 200 + 1 for number in range(1000)]))
    assert [snapshot.version for snapshot in snapshots if snapshot] == [number % 200 + 1 for number in range(1000)]
    assert sum(count for _, count in reader.asked) == 200


def test_workers_of_one_job_share_a_log_and_other_jobs_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_log, "_LOGS", {})
    opened: list[MemoryReader] = []

    def open_reader(_: ControlLogSettings) -> MemoryReader:
        opened.append(MemoryReader())
        return opened[-1]

    first, again, other = (shared_control_log(SETTINGS, job, FETCH, open_reader) for job in ("a", "a", "b"))
    assert first is again
    assert first is not other
    assert len(opened) == 2


class Message:
    """A record, or an error in its place."""

    def __init__(self, value: bytes | None, error: str | None = None) -> None:
        self._value, self._error = value, error

    def value(self) -> bytes | None:
        return self._value

    def error(self) -> str | None:
        return self._error


class FakeConsumer:
    """Hands out what it was given, whatever is asked for."""

    waiting: list[Message | None]
    fails = False

    def __init__(self, properties: dict[str, Any]) -> None:
        self.properties = properties

    def get_watermark_offsets(self, *_: Any, **__: Any) -> tuple[int, int]:
        if self.fails:
            raise KafkaException("broker gone")
        return 0, 3

    def assign(self, partitions: list[Any]) -> None:
        self.assigned = [(partition.topic, partition.partition, partition.offset) for partition in partitions]

    def poll(self, _: float) -> Message | None:
        return self.waiting.pop(0) if self.waiting else None


@pytest.fixture
def consumer(monkeypatch: pytest.MonkeyPatch) -> type[FakeConsumer]:
    monkeypatch.setattr(control_log, "Consumer", FakeConsumer)
    monkeypatch.setattr(FakeConsumer, "waiting", [], raising=False)
    return FakeConsumer


def test_the_topic_is_read_from_where_it_is_asked_and_hiccups_are_stepped_over(consumer: type[FakeConsumer]) -> None:
    consumer.waiting = [None, Message(b"a"), Message(None, "transient"), Message(None), Message(b"c"), Message(b"beyond")]
    reader = KafkaControlReader(SETTINGS)
    assert reader.end() == 3
    assert reader.entries(4, 3) == [b"a", b"", b"c"]
    assert reader._consumer.assigned == [("control", 0, 4)]  # type: ignore[union-attr]


def test_a_log_that_does_not_give_what_it_holds_stops_the_job(consumer: type[FakeConsumer], monkeypatch: pytest.MonkeyPatch) -> None:
    consumer.waiting = [Message(b"a")]
    with pytest.raises(ControlLogUnavailable, match="read 1 of 2 entries from 0"):
        KafkaControlReader(SETTINGS).entries(0, 2)
    monkeypatch.setattr(consumer, "fails", True)
    with pytest.raises(ControlLogUnavailable, match="broker gone"):
        KafkaControlReader(SETTINGS).end()
