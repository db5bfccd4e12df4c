"""The checks of one event against what is remembered, and what is noted of it afterwards."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

from udfs.errors import Reason
from udfs.kernels.compiled import kernel
from udfs.kernels.events import EventFlag
from udfs.kernels.plausibility.clock_skew import note_skew, note_skewed
from udfs.kernels.plausibility.price_jump import (
    best_jumps,
    note_best_jump,
    note_best_prices,
    note_trade_jump,
    note_trade_price,
    take_next_as_it_comes,
    trade_jumps,
)
from udfs.kernels.plausibility.stuck_best_level import is_frozen, is_locked_too_long, note_locked
from udfs.kernels.symbol_state import Record
from udfs.kernels.work_area import BOOK, CLOCK, QUOTE, STATUS, TRADE

CLOCK_SKEW: Final = int(Reason.CLOCK_SKEW)
PRICE_JUMP: Final = int(Reason.PRICE_JUMP)
FROZEN_QUOTE: Final = int(Reason.FROZEN_QUOTE)
LOCKED_BOOK: Final = int(Reason.LOCKED_BOOK)
_ACCEPTED: Final = int(Reason.ACCEPTED)
_VOLUME_ONLY: Final = int(EventFlag.VOLUME_ONLY)
_DOUBTED: Final = 1
"""The same as in `order_book.depth`, which imports this package."""
_SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
_UNSYNCHRONISED: Final = int(EventFlag.UNSYNCHRONISED)


@kernel
def check_plausibility(state: Record, settings: Record, event: Record) -> int:
    """PRICE_JUMP, FROZEN_QUOTE or LOCKED_BOOK, for an event whose own numbers are right."""
    if event.kind == TRADE and not event.flags & _VOLUME_ONLY:
        return PRICE_JUMP if trade_jumps(state, event.event_time, event.numbers[0], settings.stale_book_nanoseconds) else _ACCEPTED
    if event.kind == QUOTE:
        best = event.numbers
        return _check_best(state, event, best[0], best[1], best[2], best[3])
    if event.kind == BOOK and not event.flags & _UNSYNCHRONISED:
        levels = event.levels
        return _check_best(state, event, levels[0, 0], levels[1, 0], levels[2, 0], levels[3, 0])
    return _ACCEPTED


@kernel
def _check_best(state: Record, event: Record, bid: float, bid_size: float, ask: float, ask_size: float) -> int:
    if is_frozen(state, bid, bid_size, ask, ask_size):
        return FROZEN_QUOTE
    if is_locked_too_long(state, event.event_time, bid, ask):
        return LOCKED_BOOK
    is_taken_anyway = event.kind == BOOK and (event.flags & _SNAPSHOT != 0 or state.book_quarantine > _DOUBTED)
    return PRICE_JUMP if not is_taken_anyway and best_jumps(state, event.event_time, bid, ask) else _ACCEPTED


@kernel
def note_rejection(state: Record, event: Record, verdict: int) -> None:
    """Remember what was not believed, so that what agrees with it can be."""
    if verdict == CLOCK_SKEW and event.kind != CLOCK:
        note_skewed(state, event.event_time, event.available_time)
    elif verdict == PRICE_JUMP and event.kind == TRADE:
        note_trade_jump(state, event.numbers[0])
    elif verdict == PRICE_JUMP and event.kind == QUOTE:
        note_best_jump(state, event.numbers[0], event.numbers[2])
    elif verdict == PRICE_JUMP:
        note_best_jump(state, event.levels[0, 0], event.levels[2, 0])


@kernel
def note_acceptance(state: Record, event: Record) -> None:
    """Remember what was believed. The state's prices must still be those before the event."""
    if event.kind != CLOCK:
        note_skew(state, event.event_time, event.available_time)
    if event.kind == TRADE and not event.flags & _VOLUME_ONLY:
        note_trade_price(state, event.numbers[0])
    elif event.kind == QUOTE:
        _note_best(state, event.event_time, event.numbers[0], event.numbers[2])
    elif event.kind == BOOK and not event.flags & _UNSYNCHRONISED:
        _note_best(state, event.event_time, event.levels[0, 0], event.levels[2, 0])
    elif event.kind == STATUS and event.status != state.status:
        take_next_as_it_comes(state)


@kernel
def _note_best(state: Record, event_time: int, bid: float, ask: float) -> None:
    note_best_prices(state, bid, ask)
    note_locked(state, event_time, bid, ask)
