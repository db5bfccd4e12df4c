"""What the signals say, counted as they are read; nothing here knows of Kafka or of the wall clock."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from udfs.codecs.generated.signal_pb2 import Signal as SignalMessage
from udfs.codecs.messages import parse
from udfs.codecs.signals import SIGNAL_FRAMING
from udfs.codecs.wire import MessageFraming
from udfs.records import Direction, SignalCode, SignalStatus

SIGNAL_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 60.0)
"""Upper bounds of the histogram of the time that a signal takes to its reader."""
_USABLE: Final = (SignalStatus.OK, SignalStatus.REDUCING)
WINDOW_NANOSECONDS: Final = 60_000_000_000
"""Symbols whose newest signal is older, by the newest signal of all, are not counted."""


class Newest(NamedTuple):
    """The newest signal of a symbol."""

    event_time: int
    code: int
    direction: int = 0
    """1 up, -1 down, 0 where it may not be acted on or is neutral."""


@dataclass
class SignalMix:
    """The signals so far. One thread writes; what others read may be one signal apart."""

    framing: MessageFraming = SIGNAL_FRAMING
    statuses: Counter[tuple[int, int]] = field(default_factory=Counter)
    """(status, direction) -> signals."""
    codes: Counter[int] = field(default_factory=Counter)
    unexplained: int = 0
    """Usable signals with a direction and without reasons."""
    delays: list[int] = field(default_factory=lambda: [0] * (len(SIGNAL_SECONDS) + 1))
    """Signals below each of SIGNAL_SECONDS and above the one before, then above the last."""
    delay_seconds: float = 0.0
    """Sum of the delays."""
    newest: dict[str, Newest] = field(default_factory=dict)
    """Symbol -> its newest signal."""
    event_time: int = 0
    """Of the newest signal of all, nanoseconds."""
    available_time: int = 0
    model: tuple[str, str] = ("", "")
    """Version and hash of the model of the newest signal that was scored."""

    def take(self, data: bytes, now: int) -> None:
        """One record of the topic, read at `now` in nanoseconds since 1970. Raises MalformedMessage."""
        signal: Any = parse(SignalMessage.FromString, data, self.framing)
        self.statuses[signal.status, signal.direction] += 1
        self.codes[signal.code] += 1
        self.unexplained += signal.status in _USABLE and bool(signal.direction) and not signal.reasons
        delay = max(0.0, (now - signal.available_time) / 1e9)
        self.delays[bisect_left(SIGNAL_SECONDS, delay)] += 1
        self.delay_seconds += delay
        self.event_time = max(self.event_time, signal.event_time)
        self.available_time = max(self.available_time, signal.available_time)
        if signal.model_version:
            self.model = (signal.model_version, signal.model_hash)
        before = self.newest.get(signal.symbol)
        if before is None or signal.event_time >= before.event_time:
            direction = signal.direction if signal.status in _USABLE else 0
            self.newest[signal.symbol] = Newest(signal.event_time, signal.code, direction)

    def within_window(self) -> dict[str, Newest]:
        """Symbol -> its newest signal, of the symbols for which it lies in the window before the newest of all."""
        since = self.event_time - WINDOW_NANOSECONDS
        return {symbol: found for symbol, found in list(self.newest.items()) if found.event_time >= since}


def status_name(number: int) -> str:
    """As labels have it; a number that this version does not know stays one."""
    return _name(SignalStatus, number)


def direction_name(number: int) -> str:
    """See `status_name`."""
    return _name(Direction, number)


def code_name(number: int) -> str:
    """See `status_name`."""
    return _name(SignalCode, number)


def _name(members: Any, number: int) -> str:
    try:
        return str(members(number).name.lower())
    except ValueError:
        return str(number)
