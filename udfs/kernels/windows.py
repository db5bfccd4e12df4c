"""Sums over windows that end at the symbol's clock, from closed tiles and open seconds. `feature_vector` says what a window is."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.sessions import session_of
from udfs.kernels.symbol_state import FLOW_RING, HOURS_RING, MINUTES_RING, SECONDS_RING, TENS_RING, Record
from udfs.kernels.tiles import SECONDS_PER_TEN, is_priced

SECONDS_PER_HOUR: Final = 3600


@kernel
def boundary(state: Record, window_seconds: int, hop_seconds: int) -> int:
    """Where the window begins, in seconds since the epoch: at least its length before the clock, on a multiple of the hop."""
    second = state.clock // NANOSECONDS_PER_SECOND - window_seconds
    return second - second % hop_seconds


@kernel
def is_before(time: int, second: int) -> bool:
    """Whether something happened at all, and before the boundary."""
    return 0 < time < second * NANOSECONDS_PER_SECOND


@kernel
def seconds_sums(state: Record, first: int) -> tuple[float, float, float, float, int]:
    """Signed volume, priced volume, order flow, depth, book changes from second `first` on, at most 10 s back."""
    signed, priced, flow, depth, changes = 0.0, 0.0, 0.0, 0.0, 0
    for second in range(first, state.clock // NANOSECONDS_PER_SECOND + 1):
        tile = state.seconds[second % SECONDS_RING]
        if tile.second == second:
            signed += tile.signed_volume
            priced += tile.priced_volume
            flow += tile.order_flow
            depth += tile.depth
            changes += tile.book_changes
    return signed, priced, flow, depth, changes


@kernel
def traded_sums(state: Record, first: int) -> tuple[float, float, float]:
    """Signed volume, priced volume, notional from second `first` on, a multiple of 10, at most 5 min back."""
    signed, priced, notional = 0.0, 0.0, 0.0
    for ten in range(max(first // SECONDS_PER_TEN, state.newest_ten - TENS_RING + 1), state.newest_ten + 1):
        tile = state.tens[ten % TENS_RING]
        signed += tile.signed_volume
        priced += tile.priced_volume
        notional += tile.notional
    for second in range(max(first, state.next_second), state.clock // NANOSECONDS_PER_SECOND + 1):
        tile = state.seconds[second % SECONDS_RING]
        if tile.second == second:
            signed += tile.signed_volume
            priced += tile.priced_volume
            notional += tile.notional
    return signed, priced, notional


@kernel
def minute_sums(state: Record, first: int) -> tuple[int, float, float, float, int]:
    """Trades, volume, order flow, depth, book changes from second `first` on, a multiple of 10, at most 1 min back."""
    trades, volume, flow, depth, changes = 0, 0.0, 0.0, 0.0, 0
    for ten in range(max(first // SECONDS_PER_TEN, state.newest_ten - FLOW_RING + 1), state.newest_ten + 1):
        closed = state.flows[ten % FLOW_RING]
        trades += closed.trades
        volume += closed.volume
        flow += closed.order_flow
        depth += closed.depth
        changes += closed.book_changes
    for second in range(max(first, state.next_second), state.clock // NANOSECONDS_PER_SECOND + 1):
        tile = state.seconds[second % SECONDS_RING]
        if tile.second == second:
            trades += tile.trades
            volume += tile.volume
            flow += tile.order_flow
            depth += tile.depth
            changes += tile.book_changes
    return trades, volume, flow, depth, changes


@kernel
def session_sums(state: Record) -> tuple[float, float]:
    """Priced volume and notional of the session that the clock is in."""
    session = session_of(state, state.clock // NANOSECONDS_PER_SECOND)
    volume = state.session_volume if state.session == session else 0.0
    notional = state.session_notional if state.session == session else 0.0
    for second in range(max(session, state.next_second), state.clock // NANOSECONDS_PER_SECOND + 1):
        tile = state.seconds[second % SECONDS_RING]
        if tile.second == second:
            volume += tile.priced_volume
            notional += tile.notional
    return volume, notional


@kernel
def price_at_second(state: Record, second: int) -> float:
    """Price in force at the beginning of a second, at most 10 s back; NaN before the first price."""
    clock_second = state.clock // NANOSECONDS_PER_SECOND
    for earlier in range(second - 1, clock_second - SECONDS_RING, -1):
        tile = state.seconds[earlier % SECONDS_RING]
        if tile.second == earlier and is_priced(tile):
            return tile.price
    for later in range(second, state.next_second):
        tile = state.seconds[later % SECONDS_RING]
        if tile.second == later and is_priced(tile):
            return tile.price_before
    return state.final_price


@kernel
def price_at_ten(state: Record, second: int) -> float:
    """Price in force at the beginning of a second that is a multiple of 10, more than 10 s and at most 5 min back."""
    ten = second // SECONDS_PER_TEN - 1
    return state.final_price if ten >= state.newest_ten else state.tens[ten % TENS_RING].price


@kernel
def log_price_at_minute(state: Record, second: int) -> float:
    """Logarithm of the price in force at the beginning of a minute, more than 1 min and at most 1 h back."""
    return state.minute_log_prices[min(second // 60 - 1, state.newest_minute) % MINUTES_RING]


@kernel
def volatility_of_seconds(state: Record, first: int) -> float:
    """Root of the sum of squared 1-s returns of the closed seconds from `first` on; NaN when there was no price before it."""
    if np.isnan(price_at_ten(state, first)):
        return np.nan
    total = 0.0
    for ten in range(max(first // SECONDS_PER_TEN, state.newest_ten - TENS_RING + 1), state.newest_ten + 1):
        total += state.tens[ten % TENS_RING].squared_returns
    return np.sqrt(total)


@kernel
def volatility_of_minutes(state: Record, first: int) -> float:
    """Root of the sum of squared 1-min returns of the closed minutes from second `first` on; NaN when there was no price before it."""
    before = log_price_at_minute(state, first)
    total = 0.0
    for minute in range(max(first // 60, state.newest_minute - MINUTES_RING + 2), state.newest_minute + 1):
        price = state.minute_log_prices[minute % MINUTES_RING]
        total += (price - before) ** 2
        before = price
    return np.sqrt(total) if not np.isnan(before) else np.nan


@kernel
def volatility_of_hours(state: Record, first: int) -> float:
    """The same as `volatility_of_minutes`, over hours; NaN when there was no price before second `first`."""
    if not is_before(state.first_price_time, first):
        return np.nan
    total = 0.0
    for hour in range(max(first // SECONDS_PER_HOUR, state.newest_hour - HOURS_RING + 1), state.newest_hour + 1):
        total += state.hour_squared_returns[hour % HOURS_RING]
    return np.sqrt(total)
