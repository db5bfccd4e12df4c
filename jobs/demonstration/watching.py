"""Watches signals and alerts as a consumer would: from Kafka, as they come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import Consumer

from jobs.settings import Settings
from udfs.codecs.signals import decode_alert, decode_signal
from udfs.records import Alert, Signal

_BATCH = 500
_POLL_SECONDS = 0.05


@dataclass
class Seen:
    """What was watched so far."""

    signals: int = 0
    alerts: int = 0
    first_scored_monotonic: float | None = None
    latest: dict[str, Signal] = field(default_factory=dict)
    """Newest signal of each symbol."""
    last_alerts: list[Alert] = field(default_factory=list)
    latencies_milliseconds: list[float] = field(default_factory=list)
    """From the moment at which an event was to be sent until its signal was here; only while `intended` is set."""


class SignalWatcher:
    """Reads both topics in a thread of its own from the moment it is started."""

    def __init__(self, settings: Settings) -> None:
        self.seen = Seen()
        self.intended: Callable[[int], int] | None = None
        """Stream time -> wall time at which an event of that time was to be sent, nanoseconds."""
        self.measure_from = 0
        """Available time from which latencies count."""
        self._topics = settings.topics
        properties = {"bootstrap.servers": settings.kafka.bootstrap_servers, "group.id": "tickflow-watch", "auto.offset.reset": "earliest"}
        tuned = {"enable.auto.commit": False, "fetch.wait.max.ms": 5, "enable.partition.eof": False}
        self._consumer = Consumer(properties | tuned | settings.kafka.librdkafka_properties())
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="signal-watcher", daemon=True)

    def __enter__(self) -> SignalWatcher:
        self._consumer.subscribe([self._topics.signals, self._topics.alerts])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        self._consumer.close()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            for message in self._consumer.consume(_BATCH, _POLL_SECONDS):
                if message.error() is None:
                    self._take(message.topic() == self._topics.alerts, message.value() or b"", time.time_ns())

    def _take(self, is_alert: bool, value: bytes, now: int) -> None:
        if is_alert:
            self.seen.alerts += 1
            self.seen.last_alerts = [decode_alert(value), *self.seen.last_alerts[:4]]
            return
        signal = decode_signal(value)
        self.seen.signals += 1
        self.seen.latest[signal.symbol] = signal
        if signal.model_version and self.seen.first_scored_monotonic is None:
            self.seen.first_scored_monotonic = time.monotonic()
        if self.intended is not None and signal.available_time >= self.measure_from:
            self.seen.latencies_milliseconds.append((now - self.intended(signal.available_time)) / 1e6)
