"""The Kafka side of the online store: batches, where to start, and positions, committed with the generation of Redis they belong to.

Nothing is read before Redis has said which generation it is. A partition whose committed position belongs to another generation starts
earlier: at the time to live before its own newest record, by the records' times, which may lie years back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from infra.local.console import say
from udfs.errors import TickflowError

Place = tuple[str, int]
"""(topic, partition)"""
TAIL_RECORDS: Final = 100
"""Offsets at the end of a partition that are read for its newest time; some may be marks of transactions."""
ANSWER_SECONDS: Final = 15.0
SESSION_MILLISECONDS: Final = 6_000
"""How long the group waits for a member that was killed."""
METADATA_MILLISECONDS: Final = 10_000
"""How soon topics and partitions that were made later are seen."""


class LogUnreadable(TickflowError):
    """The topics cannot be read, and trying again will not help: another program has this one's instance name, for instance."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is read, and as whom."""

    bootstrap_servers: str
    topics: tuple[str, ...]
    group: str
    time_to_live_milliseconds: int
    instance: str = ""
    """A name that stays the same over restarts: the successor of a killed program goes on at once instead of after the session's time."""
    client: Mapping[str, str] | None = None

    def properties(self) -> dict[str, Any]:
        """For librdkafka."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "group.id": self.group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "allow.auto.create.topics": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "session.timeout.ms": SESSION_MILLISECONDS,
            "heartbeat.interval.ms": SESSION_MILLISECONDS // 4,
            "topic.metadata.refresh.interval.ms": METADATA_MILLISECONDS,
            "fetch.min.bytes": 65_536,
            "fetch.wait.max.ms": 20,
            "log_level": 0,
            "queued.max.messages.kbytes": 32_768,
            **(self.client or {}),
        }


class LogReader:
    """A member of the consumer group. One thread uses it."""

    def __init__(self, settings: LogSettings) -> None:
        self._settings = settings
        self._assigned: list[Place] = []
        self._reading = False
        self._generation = ""
        member = {"group.instance.id": settings.instance} if settings.instance else {}
        self._consumer = Consumer(settings.properties() | member | {"error_cb": _tell})
        self._consumer.subscribe(list(settings.topics), on_assign=self._on_assign, on_revoke=self._on_revoke)
        self._done: dict[Place, int] = {}

    @property
    def must_start(self) -> bool:
        """Whether partitions wait for `start`."""
        return bool(self._assigned) and not self._reading

    def start(self, generation: str) -> int:
        """Read on for this generation of Redis; the number of partitions that go back. Raises KafkaException when the broker is away."""
        committed = self._consumer.committed([TopicPartition(*place) for place in self._assigned], timeout=ANSWER_SECONDS)
        strange = [part for part in committed if part.metadata != generation]
        starts = {(part.topic, part.partition): part.offset for part in committed}
        earlier = earlier_offsets(self._consumer, self._settings, strange)
        starts |= {place: _first(starts[place], offset) for place, offset in earlier.items()}
        self._consumer.assign([TopicPartition(*place, offset if offset >= 0 else OFFSET_BEGINNING) for place, offset in starts.items()])
        self._generation, self._reading = generation, True
        return len(strange)

    def hold(self) -> None:
        """Stop reading but stay in the group; `start` goes on from what was committed."""
        self.commit(wait=True)
        self._consumer.assign([])
        self._done.clear()
        self._reading = False

    def wait(self, seconds: float) -> None:
        """Let time pass while nothing is read."""
        message = self._consumer.poll(seconds)
        if message is not None:
            _check(message)

    def batch(self, most_records: int, gather_seconds: float, idle_seconds: float) -> list[Message]:
        """What arrives within `gather_seconds` of the first record, which is awaited for `idle_seconds`."""
        first = self._consumer.poll(idle_seconds)
        if first is None:
            return []
        rest = self._consumer.consume(most_records - 1, gather_seconds)
        return [message for message in (first, *rest) if _check(message)]

    def done(self, messages: Iterable[Message]) -> None:
        """These are in Redis."""
        for message in messages:
            self._done[str(message.topic()), int(message.partition() or 0)] = int(message.offset() or 0) + 1

    def commit(self, wait: bool) -> None:
        """Commit what is done. A commit that fails is made good by a later one, or by reading again."""
        owned = [place for place in self._done if place in self._assigned]
        offsets = [TopicPartition(*place, self._done[place], self._generation) for place in owned]
        self._done.clear()
        if not offsets:
            return
        try:
            if wait:
                self._consumer.commit(offsets=offsets, asynchronous=False)
            else:
                self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            _raise_if_fatal(error.args[0])

    def close(self) -> None:
        """Commit and leave the group."""
        try:
            self.commit(wait=True)
        finally:
            self._consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._assigned = [(part.topic, part.partition) for part in partitions]
        self._reading = False
        consumer.assign([])

    def _on_revoke(self, consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        self.commit(wait=True)
        self._assigned, self._reading = [], False
        consumer.unassign()


def earlier_offsets(consumer: Consumer, settings: LogSettings, partitions: list[TopicPartition]) -> dict[Place, int]:
    """For each partition the first offset that lies within the time to live before its newest record; negative: from the beginning."""
    newest = newest_times(settings, partitions)
    found = {(part.topic, part.partition): OFFSET_BEGINNING for part in partitions}
    asked = [TopicPartition(*place, max(0, time - settings.time_to_live_milliseconds)) for place, time in newest.items()]
    if asked:
        answers = consumer.offsets_for_times(asked, timeout=ANSWER_SECONDS)
        found |= {(part.topic, part.partition): part.offset for part in answers if part.error is None and part.offset >= 0}
    return found


def newest_times(settings: LogSettings, partitions: list[TopicPartition]) -> dict[Place, int]:
    """The greatest record time, milliseconds, near the end of each partition; nothing for a partition without records there."""
    reader = Consumer(settings.properties() | {"enable.partition.eof": True})
    found: dict[Place, int] = {}
    try:
        waiting = {(part.topic, part.partition): _tail(reader, part) for part in partitions}
        reader.assign([TopicPartition(*place, offset) for place, offset in waiting.items()])
        while waiting:
            message = reader.poll(ANSWER_SECONDS)
            if message is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"the ends of {sorted(waiting)} were not read"))
            place = (str(message.topic()), int(message.partition() or 0))
            if _is_end(message):
                waiting.pop(place, None)
            else:
                found[place] = max(found.get(place, 0), message.timestamp()[1])
    finally:
        reader.close()
    return found


def _tail(reader: Consumer, part: TopicPartition) -> int:
    low, high = reader.get_watermark_offsets(part, timeout=ANSWER_SECONDS)
    return max(low, high - TAIL_RECORDS)


def _is_end(message: Message) -> bool:
    error = message.error()
    if error is not None and error.code() != KafkaError._PARTITION_EOF:
        raise KafkaException(error)
    return error is not None


def _first(committed: int, earlier: int) -> int:
    """Going back never goes ahead; without a committed position there is nothing to compare with."""
    return earlier if committed < 0 else min(committed, earlier)


def _check(message: Message) -> bool:
    """Whether it is a record; what the client repairs by itself passes."""
    error = message.error()
    if error is not None:
        _raise_if_fatal(error)
        if error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED):
            raise KafkaException(error)
    return error is None


def _tell(error: KafkaError) -> None:
    if error.code() == KafkaError._ALL_BROKERS_DOWN:
        say("online store: no Kafka broker answers; the client keeps trying")


def _raise_if_fatal(error: KafkaError) -> None:
    if error.fatal():
        raise LogUnreadable(f"the consumer cannot go on: {error.str()}")
