"""Market events as columns: what a frame holds once it is decoded.

All times are integer nanoseconds since the Unix epoch (UTC). Prices and sizes are float64 in the units of the venue. A missing price or
size is NaN.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

NANOSECONDS_PER_MILLISECOND = 1_000_000
NANOSECONDS_PER_SECOND = 1_000_000_000
BOOK_DEPTH = 10
"""Levels of each side that a BOOK event carries; levels that do not exist are NaN."""


class EventKind(IntEnum):
    """What an event is. The numbers are part of the wire format: never reuse one."""

    TRADE = 1
    QUOTE = 2
    BOOK = 3
    BAR = 4
    STATUS = 5
    CLOCK = 6
    CONTEXT = 7
    NEWS = 8
    REFERENCE = 9
    SESSION = 10
    ADJUSTMENT = 11


FACT_KINDS: Final = (EventKind.CONTEXT, EventKind.NEWS, EventKind.REFERENCE, EventKind.SESSION, EventKind.ADJUSTMENT)
"""Facts from beyond the symbol's own ticks, put into its log by the gateway, so that nothing has to be looked up later. A fact has no
sequence (NEWS: a number by which the same item is known again), is not late (NEWS: up to a day), moves no clock, closes no bar and makes no
row: the symbol's next event does. The event time of NEWS is when it was published; its numbers are `news.layout.NewsFact`."""
FACT_NUMBERS: Final = 8


class EventFlag(IntFlag):
    """Facts about an event that its numbers do not tell."""

    VOLUME_ONLY = 1
    """TRADE: counts in volume, not in open, high, low, close (late report, odd lot, average price)."""
    SNAPSHOT = 2
    """BOOK: the book was rebuilt from a full snapshot at this event."""
    UNSYNCHRONISED = 4
    """BOOK: the book could not be rebuilt yet (no snapshot so far); levels are NaN and must not be used."""
    SEQUENCE_GAP = 8
    """The venue's numbering shows that messages before this one are missing."""


class TradingStatus(IntEnum):
    """State of trading in one symbol, carried by a STATUS event."""

    OPEN = 1
    HALTED = 2
    CLOSED = 3
    DELISTED = 4


class Side(IntEnum):
    """Aggressor of a trade."""

    SELL = -1
    UNKNOWN = 0
    BUY = 1


class FrameColumns(NamedTuple):
    """The events of one symbol in log order, one row an event, with one table a kind of payload.

    The k-th TRADE event of the frame has its payload in row k of `trades` and `trade_sides`, the k-th QUOTE in row k of `quotes`, and so
    on. CLOCK events have no payload: they say that no event of the symbol earlier than `event_time` is still to come, and close its bars.
    """

    kind: npt.NDArray[np.uint8]
    """(n,) EventKind."""
    flags: npt.NDArray[np.uint8]
    """(n,) EventFlag bits."""
    event_time: npt.NDArray[np.int64]
    """(n,) when it happened at the venue."""
    available_time: npt.NDArray[np.int64]
    """(n,) when the gateway had it: what a decision may use from then on."""
    sequence: npt.NDArray[np.int64]
    """(n,) the venue's increasing number within the kind (trade id, update id), 0 where the venue has none."""
    trades: npt.NDArray[np.float64]
    """(trades, 2) price, size."""
    trade_sides: npt.NDArray[np.int8]
    """(trades,) Side."""
    quotes: npt.NDArray[np.float64]
    """(quotes, 4) bid price, bid size, ask price, ask size; NaN where a side is empty."""
    books: npt.NDArray[np.float64]
    """(books, 4, BOOK_DEPTH) bid prices, bid sizes, ask prices, ask sizes, best first, after the update."""
    bars: npt.NDArray[np.float64]
    """(bars, 6) open, high, low, close, volume, length in seconds; `event_time` is the END of the bar."""
    statuses: npt.NDArray[np.uint8]
    """(statuses,) TradingStatus."""
    facts: npt.NDArray[np.float64]
    """(facts, FACT_NUMBERS) one row an event of `FACT_KINDS`, all of them together in the order of the events; unused numbers NaN."""
