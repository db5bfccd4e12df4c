"""The levels of the book, and the quarantine of books and quotes that contradict themselves.

A crossed QUOTE quarantines quotes until the next uncrossed one. A crossed BOOK quarantines the book until a snapshot, or until an uncrossed
BOOK at least `crossed_hold_nanoseconds` after the last crossed one. A gap in the numbering quarantines it until a snapshot. What comes in
between is taken in, but moves no feature. One that is not believed (PRICE_JUMP) quarantines its kind until the next that is. After each
such outage, and after one of the book's feed, the flows of the levels warm up again: what changed in the meantime was not seen.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import BOOK_DEPTH, EventFlag, EventKind
from udfs.kernels.microstructure.level_flow import add_book_change
from udfs.kernels.order_book.top_of_book import drop_top, move_top
from udfs.kernels.symbol_state import Record

TRUSTED: Final = 0
DOUBTED: Final = 1
CROSSED: Final = 2
GAP: Final = 3
_SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
_UNSYNCHRONISED: Final = int(EventFlag.UNSYNCHRONISED)
_QUOTE: Final = int(EventKind.QUOTE)
_BOOK: Final = int(EventKind.BOOK)


@kernel
def quarantine_quotes(state: Record) -> None:
    """A QUOTE was seen that is crossed, locked for too long, or not believed."""
    state.quote_quarantine = CROSSED
    drop_top(state, _QUOTE)


@kernel
def quarantine_book(state: Record, event_time: int, cause: int) -> None:
    """A BOOK was seen that is not believed, crossed or locked for too long, or has a gap before it; the latter outweighs the former."""
    if cause == CROSSED:
        state.crossed_time = max(state.crossed_time, event_time)
    state.book_quarantine = max(state.book_quarantine, cause)
    drop_top(state, _BOOK)


@kernel
def take_quote(state: Record, event: Record) -> None:
    """Take an uncrossed QUOTE: bid price, bid size, ask price, ask size."""
    quote = event.numbers
    state.quote_quarantine = TRUSTED
    move_top(state, event, quote[0], quote[1], quote[2], quote[3])


@kernel
def take_book(state: Record, event: Record, hold: int) -> None:
    """Take an uncrossed BOOK: (4, BOOK_DEPTH) bid prices, bid sizes, ask prices, ask sizes."""
    levels, event_time = event.levels, event.event_time
    if event.flags & _UNSYNCHRONISED:
        state.book_ready = 0
        drop_top(state, _BOOK)
        return
    was_trusted = state.book_ready == 1 and state.book_quarantine == TRUSTED
    crossing_is_over = state.book_quarantine == CROSSED and event_time - state.crossed_time >= hold
    if event.flags & _SNAPSHOT or crossing_is_over or state.book_quarantine == DOUBTED:
        state.book_quarantine = TRUSTED
    if was_trusted:
        add_book_change(state, event_time, levels)
    for row in range(4):
        for level in range(BOOK_DEPTH):
            state.book[row, level] = levels[row, level]
    state.book_ready, state.book_time = 1, max(state.book_time, event_time)
    if state.book_quarantine == TRUSTED:
        if not was_trusted:
            state.microstructure.first_book_time = event_time
        move_top(state, event, levels[0, 0], levels[1, 0], levels[2, 0], levels[3, 0])


@kernel
def depth_is_usable(state: Record, stale_after: int) -> bool:
    """Whether features may be taken from the levels beyond the best."""
    is_trusted = state.book_quarantine == TRUSTED and state.plausibility.frozen == 0
    return state.book_ready == 1 and is_trusted and state.clock - state.book_time <= stale_after


@kernel
def depth_imbalance(state: Record, levels: int) -> float:
    """(bid size - ask size) / (bid size + ask size) over the best levels; NaN where a side is empty."""
    bid_size, ask_size = _side_size(state, 1, levels), _side_size(state, 3, levels)
    if np.isnan(state.book[0, 0] + state.book[2, 0]):
        return np.nan
    return (bid_size - ask_size) / (bid_size + ask_size)


@kernel
def _side_size(state: Record, row: int, levels: int) -> float:
    total = 0.0
    for level in range(levels):
        if not np.isnan(state.book[row - 1, level]):
            total += state.book[row, level]
    return total
