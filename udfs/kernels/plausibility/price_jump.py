"""Prices that lie too far from the last one to be believed at once.

Judged are trades that count for the price, against the last trade price, and quotes and books, best bid to best ask, against the best
level before: each kind against itself. The distance of two spans of prices is the ratio of their nearest ends less 1, 0 where they meet;
an empty side reaches to 0 or to infinity.

PRICE_JUMP: a distance above max(1 %, 10 sigma) * root of the seconds since the last one (1 at least). Sigma is robust: the running 90 %
quantile of the distances believed, over 1.645. The quantile is the greatest of the first 20, which are not judged; after that a greater
distance raises it by 4.5 %, another lowers it by 0.5 %.

Released are: the third in a row of a kind that agrees with the others within max(1 %, 10 sigma), so that a true change costs two events;
a trade inside a fresh best level that is itself no wider than that, or
between the last levels of a fresh book, as a sweep prints them (the book confirms); the first of each kind after a change of the
trading status (halts, re-openings), after 10 minutes without its kind, and a BOOK that is a snapshot or comes while the book is crossed or
has a gap: it moves nothing then.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import BOOK_DEPTH, NANOSECONDS_PER_SECOND
from udfs.kernels.robust_scale import next_quantile, ten_sigmas
from udfs.kernels.symbol_state import Record

JUMP_FLOOR: Final = 0.01
JUMP_CONFIRMATIONS: Final = 3
WARM_MOVES: Final = 20
REOPENING_SECONDS: Final = 600


@kernel
def _distance(low: float, high: float, low_before: float, high_before: float) -> float:
    if low > high_before:
        return low / high_before - 1.0
    return low_before / high - 1.0 if high < low_before else 0.0


@kernel
def _allowed(memory: Record) -> float:
    return max(JUMP_FLOOR, ten_sigmas(memory.scale))


@kernel
def _is_jump(memory: Record, low: float, high: float, low_before: float, high_before: float, elapsed: int) -> bool:
    if memory.observations < WARM_MOVES or memory.unjudged != 0 or elapsed > REOPENING_SECONDS * NANOSECONDS_PER_SECOND:
        return False
    distance, allowed = _distance(low, high, low_before, high_before), _allowed(memory)
    if distance <= allowed or distance <= allowed * np.sqrt(max(elapsed / NANOSECONDS_PER_SECOND, 1.0)):
        return False
    return not (memory.confirmations >= JUMP_CONFIRMATIONS - 1 and _agrees(memory, low, high))


@kernel
def _agrees(memory: Record, low: float, high: float) -> bool:
    return memory.confirmations > 0 and _distance(low, high, memory.candidate, memory.candidate) <= _allowed(memory)


@kernel
def _note_doubt(memory: Record, low: float, high: float, low_before: float, high_before: float) -> None:
    memory.confirmations = min(memory.confirmations + 1, JUMP_CONFIRMATIONS) if _agrees(memory, low, high) else 1
    memory.candidate = low if low > high_before else high


@kernel
def _note_belief(memory: Record, distance: float) -> None:
    memory.confirmations, memory.unjudged = 0, 0
    if memory.observations < WARM_MOVES:
        memory.observations += 1
        memory.scale = max(memory.scale, distance)
    else:
        memory.scale = next_quantile(memory.scale, distance)


@kernel
def trade_jumps(state: Record, event_time: int, price: float, stale_after: int) -> bool:
    """Whether the price of a trade is too far off."""
    memory, before = state.plausibility.trades, state.last_trade_price
    if not _is_jump(memory, price, price, before, before, event_time - state.last_trade_time):
        return False
    return not (_best_confirms(state, event_time, price, stale_after) or _levels_confirm(state, event_time, price, stale_after))


@kernel
def _best_confirms(state: Record, event_time: int, price: float, stale_after: int) -> bool:
    top = state.top
    if top.source == 0 or np.isnan(top.bid + top.ask) or event_time - top.time > stale_after:
        return False
    return top.bid <= price <= top.ask and top.ask / top.bid - 1.0 <= _allowed(state.plausibility.trades)


@kernel
def _levels_confirm(state: Record, event_time: int, price: float, stale_after: int) -> bool:
    if state.book_ready == 0 or state.book_quarantine != 0 or state.plausibility.frozen != 0 or event_time - state.book_time > stale_after:
        return False
    lowest, highest = np.nan, np.nan
    for level in range(BOOK_DEPTH):
        lowest, highest = np.fmin(lowest, state.book[0, level]), np.fmax(highest, state.book[2, level])
    return lowest <= price <= highest


@kernel
def note_trade_jump(state: Record, price: float) -> None:
    """A trade was not believed."""
    _note_doubt(state.plausibility.trades, price, price, state.last_trade_price, state.last_trade_price)


@kernel
def note_trade_price(state: Record, price: float) -> None:
    """A trade was believed; the last trade price must still be the one before it."""
    before = state.last_trade_price
    _note_belief(state.plausibility.trades, _distance(price, price, before, before))


@kernel
def best_jumps(state: Record, event_time: int, bid: float, ask: float) -> bool:
    """Whether a best level is too far off; NaN where a side is empty."""
    top, memory = state.top, state.plausibility.quotes
    return _is_jump(memory, _low(bid), _high(ask), _low(top.bid), _high(top.ask), event_time - top.time)


@kernel
def note_best_jump(state: Record, bid: float, ask: float) -> None:
    """A best level was not believed."""
    _note_doubt(state.plausibility.quotes, _low(bid), _high(ask), _low(state.top.bid), _high(state.top.ask))


@kernel
def note_best_prices(state: Record, bid: float, ask: float) -> None:
    """A best level was believed; the state's must still be the one before it."""
    _note_belief(state.plausibility.quotes, _distance(_low(bid), _high(ask), _low(state.top.bid), _high(state.top.ask)))


@kernel
def take_next_as_it_comes(state: Record) -> None:
    """The trading status changed."""
    state.plausibility.trades.unjudged, state.plausibility.quotes.unjudged = 1, 1


@kernel
def _low(price: float) -> float:
    return 0.0 if np.isnan(price) else price


@kernel
def _high(price: float) -> float:
    return np.inf if np.isnan(price) else price
