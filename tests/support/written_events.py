"""Events of one symbol as tests write them down."""

from __future__ import annotations

import math
from typing import NamedTuple

from udfs.kernels.events import FACT_NUMBERS, NANOSECONDS_PER_SECOND, EventKind

SECOND = NANOSECONDS_PER_SECOND
MIDNIGHT = 1_700_006_400 * SECOND
"""A midnight UTC, that of a Wednesday."""


class Event(NamedTuple):
    """One event; `numbers` is its payload row: price, size, side of a TRADE; the status of a STATUS; the table's row of the others."""

    kind: int
    event_time: int
    numbers: tuple[float, ...] = ()
    flags: int = 0
    sequence: int = 0
    delay: int = 1000

    @property
    def available_time(self) -> int:
        """When the gateway had it."""
        return self.event_time + self.delay


def fact(kind: EventKind, event_time: int, *numbers: float) -> Event:
    """A fact; numbers that are not given are NaN."""
    return Event(kind, event_time, (*numbers, *[math.nan] * FACT_NUMBERS)[:FACT_NUMBERS])
