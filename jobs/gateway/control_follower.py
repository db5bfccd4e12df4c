"""Follows the control log, so that frames can be stamped with the last version in force when they were sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from types import TracebackType

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from jobs.log_end import log_end
from udfs.errors import TickflowError

SECONDS_BETWEEN_LOOKS = 0.1


class ControlLogUnreadable(TickflowError):
    """The control log cannot be followed, so frames cannot be stamped truthfully."""


class ControlFollower:
    """Reads the one-partition topic from its beginning in a thread of its own. `version` only grows."""

    def __init__(self, bootstrap_servers: str, topic: str = "control", client: Mapping[str, str] | None = None) -> None:
        self.topic = topic
        self._version = 0
        self._failure = ""
        self._changed = threading.Condition()
        self._stopped = threading.Event()
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap_servers,
                "group.id": "tickflow-gateway-control",
                "enable.auto.commit": False,
                "allow.auto.create.topics": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 100,
                **(client or {}),
            }
        )
        self._thread = threading.Thread(target=self._follow, name="control-follower", daemon=True)

    def start(self, timeout_seconds: float = 30.0) -> ControlFollower:
        """Begin, and return once everything that the log held at this moment is read. Raises ControlLogUnreadable."""
        try:
            end = log_end(self._consumer, self.topic, 0, timeout_seconds)
        except KafkaException as error:
            raise ControlLogUnreadable(f"topic {self.topic}: {error}; is the broker up and the topic made?") from error
        self._consumer.assign([TopicPartition(self.topic, 0, OFFSET_BEGINNING)])
        self._thread.start()
        if not self.wait_for(end, timeout_seconds):
            raise ControlLogUnreadable(f"topic {self.topic}: read {self._version} of {end} entries in {timeout_seconds} s")
        return self

    def version(self) -> int:
        """The last entry seen: its offset + 1, 0 when there is none. Raises ControlLogUnreadable when following it has failed."""
        if self._failure:
            raise ControlLogUnreadable(self._failure)
        return self._version

    def wait_for(self, version: int, timeout_seconds: float) -> bool:
        """Wait until that entry is seen; False when it was not in time. Raises ControlLogUnreadable."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while self.version() < version:
                if not self._changed.wait(deadline - time.monotonic()) and time.monotonic() >= deadline:
                    return self.version() >= version
        return True

    def close(self) -> None:
        """Stop following; the version stays."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._consumer.close()

    def __enter__(self) -> ControlFollower:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def _follow(self) -> None:
        while not self._stopped.is_set():
            message = self._consumer.poll(SECONDS_BETWEEN_LOOKS)
            if message is not None:
                self._take(message)

    def _take(self, message: Message) -> None:
        error = message.error()
        with self._changed:
            if error is None:
                self._version = max(self._version, int(message.offset() or 0) + 1)
            elif not _passing(error):
                self._failure = f"topic {self.topic}: {error}"
            self._changed.notify_all()


def _passing(error: KafkaError) -> bool:
    """Whether the client tries again by itself."""
    return not error.fatal() and error.code() not in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED)
