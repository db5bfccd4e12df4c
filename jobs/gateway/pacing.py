"""Pacing: when each event of a recorded or simulated source is to be sent, at a chosen speed.

Intended times follow from the data and the speed alone, never from how long earlier sends took: a sender that falls behind sends at once
until it has caught up, and latency measured from the intended times includes the delay.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

from udfs.errors import InvalidSettings

MAXIMUM_SPEED = math.inf
"""Send as fast as the receiver takes it."""
LONGEST_SLEEP_SECONDS = 0.05


class Clock(Protocol):
    """What the pacer needs of time."""

    def monotonic(self) -> int:
        """Nanoseconds that never go back, from an arbitrary start."""

    def wall(self) -> int:
        """Nanoseconds since the Unix epoch (UTC)."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> int:
        """See `Clock`."""
        return time.monotonic_ns()

    def wall(self) -> int:
        """See `Clock`."""
        return time.time_ns()

    def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        time.sleep(seconds)


def parse_speed(text: str) -> float:
    """`max`, or how many seconds of data a second takes. Raises InvalidSettings."""
    if text.strip().lower() == "max":
        return MAXIMUM_SPEED
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise InvalidSettings(f"speed is {text!r}, expected a number above 0 (seconds of data a second) or 'max'")
    return speed


class Pacer:
    """Maps stream time (the axis of `available_time`) to the machine's clocks.

    `starts_at` is the stream time that belongs to the wall time `starts_at_wall`; by default the first event's and the moment of `start`.
    What lies before, such as a warm-up stretch, is due at once. Where both are equal and the speed is 1, stream time is wall time, and an
    event's available time is when it is to be sent.
    """

    def __init__(
        self,
        speed: float = MAXIMUM_SPEED,
        starts_at: int | None = None,
        starts_at_wall: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        if not speed > 0:
            raise InvalidSettings(f"speed is {speed}, expected above 0")
        self.speed = speed
        self.paced = not math.isinf(speed)
        self._clock = clock or SystemClock()
        self._starts_at = starts_at
        self._starts_at_wall = starts_at_wall
        self._started_monotonic = 0
        self._started_wall = 0
        self._running = False

    def start(self, first_stream_time: int) -> None:
        """Begin; does nothing when already running."""
        if self._running:
            return
        self._running = True
        self._starts_at = first_stream_time if self._starts_at is None else self._starts_at
        self._started_monotonic = self._clock.monotonic()
        self._started_wall = self._clock.wall()
        if self._starts_at_wall is not None:
            self._started_monotonic += self._starts_at_wall - self._started_wall
            self._started_wall = self._starts_at_wall

    def now(self, due: int) -> int:
        """The stream time now; `due`, the next event's, at maximum speed, where every event is due at once."""
        if not self.paced:
            return due
        elapsed = self._clock.monotonic() - self._started_monotonic
        return self._origin + int(elapsed * self.speed)

    def intended_wall_time(self, stream_time: int) -> int:
        """When an event was to be sent, nanoseconds since the epoch, whether or not it was. At maximum speed: the start."""
        if not self.paced:
            return self._started_wall
        return self._started_wall + round((stream_time - self._origin) / self.speed)

    def sleep_until(self, stream_time: int, stopped: Callable[[], bool] = lambda: False) -> None:
        """Wait until the stream time is reached, or soon after `stopped` says so."""
        while self.paced and not stopped():
            remaining = (stream_time - self.now(stream_time)) / self.speed / 1e9
            if remaining <= 0:
                return
            self._clock.sleep(min(remaining, LONGEST_SLEEP_SECONDS))

    @property
    def _origin(self) -> int:
        if self._starts_at is None:
            raise RuntimeError("the pacer was not started")
        return self._starts_at
