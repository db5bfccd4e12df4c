"""Best levels that stand still when they cannot: frozen while trades go through elsewhere, or locked for longer than a market stays so.

FROZEN_QUOTE: the best level (both prices and both sizes) has not changed for 5 s, and 3 trades in a row, the last of them after those 5 s,
lay outside of it by more than its spread. From then on it is used for nothing, and a QUOTE or BOOK that tells it again is rejected.
Release: the first one that tells another best level.

LOCKED_BOOK: equal best bid and ask are believed and used, with a spread of 0. One that has lasted for LOCKED_SECONDS, told and told again,
is rejected like a crossed one, and released like one.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.symbol_state import Record

FROZEN_NANOSECONDS: Final = 5 * NANOSECONDS_PER_SECOND
FROZEN_TRADES: Final = 3
LOCKED_NANOSECONDS: Final = 60 * NANOSECONDS_PER_SECOND


@kernel
def is_frozen(state: Record, bid: float, bid_size: float, ask: float, ask_size: float) -> bool:
    """Whether this is the best level that is known to be frozen."""
    return state.plausibility.frozen != 0 and not _differs(state.top, bid, bid_size, ask, ask_size)


@kernel
def is_locked_too_long(state: Record, event_time: int, bid: float, ask: float) -> bool:
    """Whether the best level is locked and has been for too long."""
    since = state.plausibility.locked_time
    return bid == ask and since > 0 and event_time - since >= LOCKED_NANOSECONDS


@kernel
def note_locked(state: Record, event_time: int, bid: float, ask: float) -> None:
    """A best level was believed."""
    memory = state.plausibility
    if bid != ask:
        memory.locked_time = 0
    elif memory.locked_time == 0:
        memory.locked_time = event_time


@kernel
def note_best_level(state: Record, event_time: int, bid: float, bid_size: float, ask: float, ask_size: float) -> None:
    """This becomes the best level; the state's must still be the one before it."""
    memory = state.plausibility
    if _differs(state.top, bid, bid_size, ask, ask_size):
        memory.best_changed_time, memory.trades_beyond, memory.frozen = max(memory.best_changed_time, event_time), 0, 0


@kernel
def note_trade_beside_best(state: Record, event_time: int, price: float) -> None:
    """A trade was believed: it may show that the best level is frozen."""
    memory, top = state.plausibility, state.top
    if top.source == 0 or np.isnan(top.bid + top.ask):
        return
    spread = top.ask - top.bid
    if top.bid - spread <= price <= top.ask + spread:
        memory.trades_beyond = 0
        return
    memory.trades_beyond = min(memory.trades_beyond + 1, FROZEN_TRADES)
    if memory.trades_beyond == FROZEN_TRADES and event_time - memory.best_changed_time >= FROZEN_NANOSECONDS:
        memory.frozen, top.source = 1, 0


@kernel
def _differs(top: Record, bid: float, bid_size: float, ask: float, ask_size: float) -> bool:
    prices_differ = _differ(top.bid, bid) or _differ(top.ask, ask)
    return prices_differ or _differ(top.bid_size, bid_size) or _differ(top.ask_size, ask_size)


@kernel
def _differ(left: float, right: float) -> bool:
    return left != right and not (np.isnan(left) and np.isnan(right))
