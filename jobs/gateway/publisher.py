"""Publishing: records to Kafka through a bounded buffer that blocks when it is full and never drops."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from udfs.errors import TickflowError

if TYPE_CHECKING:
    from jobs.kafka_settings import KafkaSettings

SECONDS_BETWEEN_LOOKS = 0.05
Headers: TypeAlias = list[tuple[str, str | bytes | None]]
"""Kafka headers; the client takes a list and nothing else."""


class PublishError(TickflowError):
    """A record that could not be delivered. Nothing after it counts as published."""


class Sink(Protocol):
    """Where the gateway's records go. One thread uses it."""

    blocked_seconds: float
    """Time that `send` waited because the buffer was full."""
    delivered_records: int
    last_offsets: dict[tuple[str, int], int]
    """(topic, partition) -> largest offset acknowledged."""

    def send(self, topic: str, key: bytes, value: bytes, timestamp_milliseconds: int, headers: Headers | None = None) -> None:
        """Take one record; waits while the buffer is full. Raises PublishError when this or an earlier one failed."""

    def poll(self) -> None:
        """Handle what was acknowledged; never waits. Raises PublishError."""

    def flush(self) -> None:
        """Return when everything is acknowledged. Raises PublishError."""


@dataclass(frozen=True, slots=True)
class PublisherSettings:
    """How to reach the broker and how much may wait for it."""

    bootstrap_servers: str
    maximum_waiting_records: int = 20_000
    maximum_waiting_kilobytes: int = 65_536
    linger_milliseconds: float = 0.1
    delivery_timeout_milliseconds: int = 120_000
    """After this long without acknowledgement a record has failed."""
    client: Mapping[str, str] = field(default_factory=dict)
    """Further librdkafka properties, such as `security.protocol` and `sasl.*`."""

    @classmethod
    def of(cls, kafka: KafkaSettings) -> PublisherSettings:
        """Those of the broker that the settings name, with the login to it."""
        return cls(kafka.bootstrap_servers, client=kafka.librdkafka_properties())

    def properties(self) -> dict[str, Any]:
        """For librdkafka: all replicas acknowledge, retries neither repeat nor reorder, partitions are those that Java clients choose.

        One request at a time: a broker that does not know the producer accepts any first number. Where it refuses the first batch for want
        of a leader and a second one is on its way, it takes that, and the first, sent again, for a duplicate: acknowledged and lost.
        """
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "log_level": 2,  # what goes wrong is raised; the client's own remarks on standard error say nothing more
            "acks": "all",
            "enable.idempotence": True,
            "max.in.flight.requests.per.connection": 1,
            "partitioner": "murmur2",
            "linger.ms": self.linger_milliseconds,
            "queue.buffering.max.messages": self.maximum_waiting_records,
            "queue.buffering.max.kbytes": self.maximum_waiting_kilobytes,
            "delivery.timeout.ms": self.delivery_timeout_milliseconds,
            "socket.nagle.disable": True,
            **self.client,
        }


class KafkaPublisher:
    """A `Sink` over an idempotent Kafka producer."""

    def __init__(self, settings: PublisherSettings) -> None:
        self.blocked_seconds = 0.0
        self.delivered_records = 0
        self.last_offsets: dict[tuple[str, int], int] = {}
        self._failure = ""
        self._producer = Producer(settings.properties() | {"error_cb": self._on_error})
        self._produce = self._producer.produce
        self._poll = self._producer.poll
        self._until_poll = 0

    def send(self, topic: str, key: bytes, value: bytes, timestamp_milliseconds: int, headers: Headers | None = None) -> None:
        """See `Sink`."""
        try:
            self._produce(topic, value, key, timestamp=timestamp_milliseconds, on_delivery=self._on_delivery, headers=headers)
        except BufferError:
            self._wait_for_room(topic, key, value, timestamp_milliseconds, headers)
        except KafkaException as error:
            raise PublishError(f"{topic}, key {key!r}, {len(value)} bytes: {error}") from error
        self._until_poll -= 1
        if self._until_poll < 0:
            self._until_poll = 16
            self.poll()

    def poll(self) -> None:
        """See `Sink`."""
        self._poll(0)
        self._check()

    def flush(self) -> None:
        """See `Sink`."""
        while self._producer.flush(SECONDS_BETWEEN_LOOKS):
            self._check()
        self._check()

    def _wait_for_room(self, topic: str, key: bytes, value: bytes, timestamp_milliseconds: int, headers: Headers | None) -> None:
        started = time.monotonic()
        while True:
            self._poll(SECONDS_BETWEEN_LOOKS)
            self._check()
            try:
                self._produce(topic, value, key, timestamp=timestamp_milliseconds, on_delivery=self._on_delivery, headers=headers)
            except BufferError:
                continue
            self.blocked_seconds += time.monotonic() - started
            return

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._fail(f"{message.topic()}, key {message.key()!r}: {error}")
            return
        self.delivered_records += 1
        place = (str(message.topic()), int(message.partition() or 0))
        self.last_offsets[place] = max(self.last_offsets.get(place, -1), int(message.offset() or 0))

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._fail(str(error))

    def _fail(self, problem: str) -> None:
        self._failure = self._failure or problem

    def _check(self) -> None:
        if self._failure:
            raise PublishError(f"not delivered: {self._failure}")


class MemorySink:
    """A `Sink` that keeps its records: for tests and for looking at what would be sent."""

    def __init__(self) -> None:
        self.blocked_seconds = 0.0
        self.delivered_records = 0
        self.last_offsets: dict[tuple[str, int], int] = {}
        self.records: list[tuple[str, bytes, bytes, int]] = []
        """(topic, key, value, timestamp in milliseconds) in the order they were sent; all in partition 0."""
        self.headers: list[Headers] = []
        """Of each record."""

    def send(self, topic: str, key: bytes, value: bytes, timestamp_milliseconds: int, headers: Headers | None = None) -> None:
        """See `Sink`."""
        self.records.append((topic, key, value, timestamp_milliseconds))
        self.headers.append(headers or [])
        self.delivered_records += 1
        self.last_offsets[topic, 0] = self.last_offsets.get((topic, 0), -1) + 1

    def poll(self) -> None:
        """See `Sink`."""

    def flush(self) -> None:
        """See `Sink`."""
