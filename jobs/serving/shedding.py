"""How much work the control log says to leave out, for a program that must go on whether the log can be read or not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from jobs.settings import Settings
from udfs.codecs.control import decode_control
from udfs.errors import MalformedMessage
from udfs.records import ControlKind

GROUP: Final = "tickflow-online-store-control"
_LOOK_SECONDS: Final = 0.25
_MOST_ENTRIES: Final = 500

ShedLevelNow = Callable[[], int]
"""One of ShedLevel; asked for each batch, answered at once."""


class ShedFollower:
    """Follows the control log without waiting for it. One thread uses it."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = Consumer(settings.kafka.consumer_properties(GROUP))
        self._consumer.assign([TopicPartition(settings.topics.control, 0, OFFSET_BEGINNING)])
        self._level = 0
        self._looked_at = 0.0

    def level(self) -> int:
        """What the log says as far as it was read; what cannot be read changes nothing."""
        now = time.monotonic()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            for message in self._consumer.consume(_MOST_ENTRIES, 0.0):
                if message.error() is None:
                    self._read(bytes(message.value() or b""))
        return self._level

    def _read(self, raw: bytes) -> None:
        try:
            event = decode_control(raw)
        except MalformedMessage:
            return
        if event.kind is ControlKind.SHED:
            self._level = event.shed_level

    def close(self) -> None:
        """Stop following."""
        self._consumer.close()
