"""What the control log has put into force, followed in a thread of its own: rules, halts, models, and who asked for them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from infra.local.console import say
from jobs.audit.control import event_as_json
from jobs.control_log import InForce, in_force
from jobs.settings import Settings
from udfs.codecs.control import decode_control
from udfs.errors import MalformedMessage
from udfs.records import ControlEvent

_POLL_SECONDS: Final = 0.2
_LOOK_SECONDS: Final = 1.0


class ControlView:
    """The log as far as it has come. `current` is replaced as a whole, so any thread may read it."""

    def __init__(self, settings: Settings) -> None:
        self.current: InForce = in_force([])
        self._read_to_end = self._reachable = False
        self._settings = settings
        self._entries: list[bytes] = []
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="control-view", daemon=True)

    @property
    def caught_up(self) -> bool:
        """Whether everything that the log held was read, and the broker answers."""
        return self._read_to_end and self._reachable

    def start(self) -> ControlView:
        """Begin to follow."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop, and wait for the thread."""
        self._stopped.set()
        self._thread.join()

    def entries(self, most: int | None = None) -> list[ControlEvent]:
        """The last entries that can be applied, newest first."""
        found: list[ControlEvent] = []
        for number in range(len(self._entries) - 1, -1, -1):
            if most is not None and len(found) >= most:
                break
            try:
                found.append(decode_control(self._entries[number], number))
            except MalformedMessage:
                continue
        return found

    def wait_for(self, version: int, seconds: float) -> bool:
        """Whether the log was read up to this version within that time."""
        with self._changed:
            return self._changed.wait_for(lambda: self.current.snapshot.version >= version, seconds)

    def _follow(self) -> None:
        consumer = Consumer(self._properties())
        consumer.assign([TopicPartition(self._settings.topics.control, 0, OFFSET_BEGINNING)])
        try:
            while not self._stopped.is_set():
                self._take(consumer.consume(1000, _POLL_SECONDS))
                if not self._reachable:
                    self._look(consumer)
        finally:
            consumer.close()

    def _take(self, messages: Iterable[Any]) -> None:
        fresh = []
        for message in messages:
            error = message.error()
            if error is None:
                fresh.append(bytes(message.value() or b""))
            elif error.code() == KafkaError._PARTITION_EOF:
                self._read_to_end = True
        if fresh:
            self._entries += fresh
            with self._changed:
                self.current = in_force(self._entries)
                self._changed.notify_all()

    def _look(self, consumer: Consumer) -> None:
        try:
            consumer.list_topics(self._settings.topics.control, timeout=_LOOK_SECONDS)
        except KafkaException:
            self._stopped.wait(_LOOK_SECONDS)
        else:
            self._reachable = True

    def _tell(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and self._reachable:
            self._reachable = False
            say("serve: the control log cannot be followed; what is shown of it may be old")

    def _properties(self) -> dict[str, Any]:
        own = {"enable.partition.eof": True, "topic.metadata.refresh.interval.ms": 2_000, "error_cb": self._tell}
        return self._settings.kafka.consumer_properties("tickflow-serve-control") | own


def entry_as_json(event: ControlEvent) -> dict[str, Any]:
    """What an entry changes."""
    return {name: value for name, value in event_as_json(event).items() if name != "control"}
