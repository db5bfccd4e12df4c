"""Reads the topic of signals from its end on, in a thread, as any consumer would; without a place in a consumer group."""

from __future__ import annotations

import threading
import time
from typing import Final

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from jobs.monitoring.signal_mix import SignalMix
from jobs.settings import Settings
from udfs.codecs.wire import SchemaIds
from udfs.errors import MalformedMessage, TickflowError

_BATCH: Final = 500
_POLL_SECONDS: Final = 0.2
_ANSWER_SECONDS: Final = 15.0
_METADATA_SECONDS: Final = 30.0
"""How soon partitions that were added are read."""


class SignalsUnreadable(TickflowError):
    """The topic of signals cannot be read."""


class SignalTail:
    """Signals from now on, into a `SignalMix`."""

    def __init__(self, settings: Settings, ids: SchemaIds) -> None:
        self.mix = SignalMix(ids.framing("Signal"))
        self.read_at = time.monotonic()
        """When a signal was read last, or the tail was made."""
        self.malformed = 0
        self.failure = ""
        self._topic = settings.topics.signals
        self._consumer = Consumer(settings.kafka.consumer_properties("tickflow-signal-tail"))
        self._partitions = 0
        self._looked_at = 0.0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="signal-tail", daemon=True)

    def __enter__(self) -> SignalTail:
        self._assign()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._consumer.close()

    def _assign(self) -> None:
        """Raises SignalsUnreadable. Further partitions are read from their beginning: they did not exist when this one looked last."""
        count = partition_count(self._consumer, self._topic)
        known = self._consumer.position(self._consumer.assignment()) if self._partitions else []
        places = {part.partition: part.offset for part in known}
        fresh = OFFSET_END if not self._partitions else 0
        parts = [TopicPartition(self._topic, number, places.get(number, fresh)) for number in range(count)]
        if count > self._partitions:
            self._consumer.assign([_placed(part) for part in parts])
        self._partitions, self._looked_at = count, time.monotonic()

    def _follow(self) -> None:
        while not self._stopped.is_set():
            try:
                if time.monotonic() - self._looked_at > _METADATA_SECONDS:
                    self._assign()
                self._take(_BATCH)
                self.failure = ""
            except (KafkaException, SignalsUnreadable) as error:
                self.failure = str(error)
                self._looked_at = time.monotonic()
                self._stopped.wait(_POLL_SECONDS)

    def _take(self, most: int) -> None:
        for message in self._consumer.consume(most, _POLL_SECONDS):
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            try:
                self.mix.take(bytes(message.value() or b""), time.time_ns())
            except MalformedMessage:
                self.malformed += 1
            self.read_at = time.monotonic()


def _placed(part: TopicPartition) -> TopicPartition:
    """A partition of which nothing was read yet has no position: it stays where it was to begin."""
    return TopicPartition(part.topic, part.partition, part.offset if part.offset >= 0 else OFFSET_END)


def partition_count(consumer: Consumer, topic: str) -> int:
    """Raises SignalsUnreadable where the broker does not answer or has no such topic."""
    try:
        found = consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic]
    except KafkaException as error:
        raise SignalsUnreadable(f"topic {topic}: {error.args[0].str()}") from error
    if found.error is not None or not found.partitions:
        raise SignalsUnreadable(f"topic {topic}: {found.error or 'has no partition'}; is the job submitted?")
    return len(found.partitions)


def newest_signal(settings: Settings, ids: SchemaIds, timeout_seconds: float = 3.0) -> SignalMix:
    """What the last record of each partition says; an empty mix where there is none. Raises SignalsUnreadable."""
    consumer, mix = Consumer(settings.kafka.consumer_properties("tickflow-signal-status")), SignalMix(ids.framing("Signal"))
    topic = settings.topics.signals
    try:
        ends = {number: _last(consumer, topic, number) for number in range(partition_count(consumer, topic))}
        waiting = {number: offset for number, offset in ends.items() if offset >= 0}
        consumer.assign([TopicPartition(topic, *place) for place in waiting.items()])
        deadline = time.monotonic() + timeout_seconds
        while waiting and time.monotonic() < deadline:
            for message in consumer.consume(_BATCH, _POLL_SECONDS):
                if message.error() is None:
                    waiting.pop(int(message.partition() or 0), None)
                    mix.take(bytes(message.value() or b""), time.time_ns())
    except (KafkaException, MalformedMessage) as error:
        raise SignalsUnreadable(f"topic {topic}: {error}") from error
    finally:
        consumer.close()
    return mix


def _last(consumer: Consumer, topic: str, partition: int) -> int:
    low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=_ANSWER_SECONDS)
    return high - 1 if high > low else -1
