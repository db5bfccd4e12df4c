"""Stand-ins for the clock and for librdkafka's producer, under the test's control."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError

from jobs.gateway.publisher import Headers, MemorySink


class FakeClock:
    """Time that passes only by sleeping, or when a test says so."""

    def __init__(self, start: int = 0) -> None:
        self.time = start
        self.slept: list[float] = []

    def monotonic(self) -> int:
        return self.time

    def wall(self) -> int:
        return self.time + 1_000_000_000_000

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += max(round(seconds * 1e9), 1)


class TimedSink(MemorySink):
    """Notes when each record came, and takes its time over it."""

    def __init__(self, clock: FakeClock, nanoseconds_a_record: int = 0) -> None:
        super().__init__()
        self.times: list[int] = []
        self._clock = clock
        self._cost = nanoseconds_a_record

    def send(self, topic: str, key: bytes, value: bytes, timestamp_milliseconds: int, headers: Headers | None = None) -> None:
        self.times.append(self._clock.time)
        super().send(topic, key, value, timestamp_milliseconds, headers)
        self._clock.time += self._cost


class FakeMessage:
    """What a delivery callback is given."""

    def __init__(self, topic: str, key: bytes, value: bytes, offset: int) -> None:
        self._fields = (topic, key, value, offset)

    def topic(self) -> str:
        return self._fields[0]

    def key(self) -> bytes:
        return self._fields[1]

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._fields[3]


class FakeProducer:
    """Takes `room` records at most; each poll that may wait delivers one. Fails the record numbered `fails_at`."""

    room = 3
    fails_at = -1

    def __init__(self, properties: dict[str, Any]) -> None:
        self.properties = properties
        self.delivered: list[tuple[str, bytes, bytes]] = []
        self._waiting: deque[tuple[str, bytes, bytes, Callable[..., None]]] = deque()

    def produce(
        self,
        topic: str,
        value: bytes,
        key: bytes,
        timestamp: int,
        on_delivery: Callable[..., None],
        headers: list[tuple[str, bytes]] | None = None,
    ) -> None:
        if headers is not None and not isinstance(headers, list):
            raise TypeError("as the real one: headers must be a list")
        if len(self._waiting) >= self.room:
            raise BufferError("full")
        self._waiting.append((topic, key, value, on_delivery))

    def poll(self, timeout: float) -> int:
        if timeout and self._waiting:
            self._deliver()
        return 0

    def flush(self, timeout: float) -> int:
        self.poll(timeout)
        return len(self._waiting)

    def _deliver(self) -> None:
        topic, key, value, on_delivery = self._waiting.popleft()
        offset = len(self.delivered)
        error = KafkaError(KafkaError._MSG_TIMED_OUT) if offset == self.fails_at else None
        if error is None:
            self.delivered.append((topic, key, value))
        on_delivery(error, FakeMessage(topic, key, value, offset))
