"""Under load the online store leaves out the feature rows, before they cost anything, counts them, and lets no signal wait for them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.serving.online_records import OnlineDecoder
from jobs.serving.online_store import OnlineStore
from jobs.serving.redis_writer import Written
from jobs.serving.shedding import ShedFollower
from jobs.settings import Settings
from tests.offline.test_paper_trader import UP, row
from tests.support.control_memory import breaker_entry, halt_entry, resume_entry, shed_entry
from udfs.codecs.signals import encode_signal
from udfs.codecs.wire import PINNED
from udfs.records import ShedLevel, TradingState

FEATURES, SIGNALS = "features", "signals"
VALUE = {FEATURES: row(1.0).value, SIGNALS: encode_signal(UP)}


class Message:
    """A record of a topic, as the client gives it."""

    def __init__(self, topic: str, value: bytes) -> None:
        self._topic, self._value = topic, value

    def topic(self) -> str:
        return self._topic

    def value(self) -> bytes:
        return self._value

    def error(self) -> None:
        return None


class Reader:
    """Gives one batch, and remembers what was done."""

    must_start = False

    def __init__(self) -> None:
        self.finished: list[Message] = []

    def done(self, messages: list[Message]) -> None:
        self.finished += messages

    def commit(self, wait: bool) -> None:
        pass


class Writer:
    """A Redis that takes everything."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def write(self, generation: str, records: Any) -> Written:
        found = [record.key for record in records]
        self.keys += found
        return Written(len(found), 0)


@settings(deadline=None)
@given(st.lists(st.sampled_from((FEATURES, SIGNALS)), max_size=20), st.sampled_from(ShedLevel))
def test_only_feature_rows_are_left_out_and_everything_is_done(topics: list[str], level: ShedLevel) -> None:
    reader, writer = Reader(), Writer()
    store = OnlineStore(reader, writer, OnlineDecoder(FEATURES, SIGNALS, PINNED), FEATURES, lambda: level)  # type: ignore[arg-type]
    store._generation = "x"
    messages: Any = [Message(topic, VALUE[topic]) for topic in topics]
    store._copy(messages)
    shed = topics.count(FEATURES) if level else 0
    assert (store.counts.shed, store.counts.records) == (shed, len(topics))
    assert {key.split(":")[1] for key in writer.keys} == {topic.removesuffix("s") for topic in topics if topic == SIGNALS or not level}
    assert reader.finished == messages


class Log:
    """A consumer of a control log in memory."""

    def __init__(self, *entries: bytes) -> None:
        self.waiting = [Message("control", entry) for entry in entries]

    def consume(self, most: int, seconds: float) -> list[Message]:
        found, self.waiting = self.waiting, []
        return found


@pytest.mark.parametrize(
    ("entries", "level"),
    [
        ((), 0),
        ((shed_entry(ShedLevel.REASONS),), 2),
        ((shed_entry(ShedLevel.REASONS), b"nonsense", halt_entry("A"), breaker_entry("lag", TradingState.HALTED)), 2),
        ((shed_entry(ShedLevel.REASONS), resume_entry()), 2),
        ((shed_entry(ShedLevel.REASONS), shed_entry(ShedLevel.NOTHING)), 0),
    ],
)
def test_the_last_entry_of_the_log_counts(entries: tuple[bytes, ...], level: int) -> None:
    follower = ShedFollower(Settings())
    follower.close()
    follower._consumer = Log(*entries)  # type: ignore[assignment]
    assert follower.level() == level
