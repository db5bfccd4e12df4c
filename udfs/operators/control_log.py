"""Reads the control log inside a worker, on demand: when a frame is stamped with a version that was not read yet.

Why not Flink's broadcast state: a broadcast entry reaches each worker at a moment of its own, so which record it first applies to would
differ between live and replay. Here the frame says which entries it is subject to, and the worker reads up to them before it goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from confluent_kafka import Consumer, KafkaException, TopicPartition

from udfs.errors import TickflowError
from udfs.operators.control_state import ControlSnapshot, ControlState, FetchModel

POLL_SECONDS: Final = 0.2
ATTEMPTS: Final = 100


class ControlLogUnavailable(TickflowError):
    """The control log cannot be read; the job restarts and tries again, because going on would ignore a halt or a model."""


class ControlReader(Protocol):
    """Where entries come from."""

    def end(self) -> int:
        """How many entries the log holds now."""

    def entries(self, first: int, count: int) -> list[bytes]:
        """`count` entries from position `first`, all of which exist."""


@dataclass(frozen=True)
class ControlLogSettings:
    """Where the control log is. An empty address means that there is none."""

    bootstrap_servers: str
    topic: str = "control"
    client: Mapping[str, str] = field(default_factory=dict)


class KafkaControlReader:
    """The one-partition topic."""

    def __init__(self, settings: ControlLogSettings) -> None:
        self._settings = settings
        self._consumer: Consumer | None = None

    def end(self) -> int:
        """See `ControlReader`."""
        try:
            _, end = self._opened().get_watermark_offsets(self._partition(), timeout=POLL_SECONDS * ATTEMPTS)
        except KafkaException as error:
            raise ControlLogUnavailable(f"control log {self._settings.topic}: {error}") from error
        return int(end)

    def entries(self, first: int, count: int) -> list[bytes]:
        """See `ControlReader`."""
        consumer = self._opened()
        consumer.assign([self._partition(first)])
        found: list[bytes] = []
        for _ in range(ATTEMPTS + count):
            message = consumer.poll(POLL_SECONDS)
            if message is not None and message.error() is None:
                found.append(message.value() or b"")
            if len(found) == count:
                return found
        raise ControlLogUnavailable(f"control log {self._settings.topic}: read {len(found)} of {count} entries from {first}")

    def _partition(self, offset: int = 0) -> TopicPartition:
        return TopicPartition(self._settings.topic, 0, offset)

    def _opened(self) -> Consumer:
        if self._consumer is None:
            servers = self._settings.bootstrap_servers
            properties = {"bootstrap.servers": servers, "group.id": "tickflow-control", "enable.auto.commit": False}
            self._consumer = Consumer(properties | dict(self._settings.client))
        return self._consumer


class ControlLog:
    """The control state of this process, read as far as frames ask for."""

    def __init__(self, reader: ControlReader, fetch_model: FetchModel) -> None:
        self._reader = reader
        self.state = ControlState(fetch_model)
        self._lock = threading.Lock()

    def at(self, version: int) -> ControlSnapshot | None:
        """What is in force at a version; None when the log does not hold it, so that a stamp from nowhere cannot block the job."""
        if version > self.state.version and not self._read_up_to(version):
            return None
        return self.state.at(version)

    def _read_up_to(self, version: int) -> bool:
        with self._lock:
            missing = version - self.state.version
            if missing <= 0:
                return True
            if self._reader.end() < version:
                return False
            for raw in self._reader.entries(self.state.version, missing):
                self.state.read(raw)
        return True


_LOGS: dict[tuple[str, str, str], ControlLog] = {}


OpenReader = Callable[[ControlLogSettings], ControlReader]


def shared_control_log(
    settings: ControlLogSettings, job: str, fetch_model: FetchModel, open_reader: OpenReader = KafkaControlReader
) -> ControlLog:
    """The control log of this process for one job: workers that Flink restarts inside the process use the same connection again."""
    key = (settings.bootstrap_servers, settings.topic, job)
    if key not in _LOGS:
        _LOGS[key] = ControlLog(open_reader(settings), fetch_model)
    return _LOGS[key]
