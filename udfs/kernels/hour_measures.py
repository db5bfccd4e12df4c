"""What the newest 60 closed minutes say: jumps, volatility of volatility, range volatility, fractional difference.

A minute has closed when the watermark has passed its end, whether anything was in it or not; its price is the price in force at its end.
Worked out once for each closed minute, when the first row after it is made.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.indicators.moving_average import Floats
from udfs.kernels.symbol_state import MINUTES_RING, Record
from udfs.kernels.trend_state import RANGE_RING, RANGE_TILE_MINUTES
from udfs.kernels.windows import is_before

MINUTES: Final = 60
BLOCK_MINUTES: Final = 5
"""Volatility of volatility is the deviation of the volatilities of blocks this long."""
_BLOCKS: Final = MINUTES // BLOCK_MINUTES
_HALF_PI: Final = 0.5 * np.pi
_JUMP_VARIANCE: Final = 0.25 * np.pi**2 + np.pi - 5.0
"""Of the ratio of bipower to realised variance when there are no jumps, Barndorff-Nielsen, Shephard 2006."""


@kernel
def hold_hour_values(state: Record, weights: Floats) -> None:
    """Work the values out unless they are there already. `weights`: of the fractional difference, newest first."""
    held, minutes_closed = state.hour_values, state.next_second // 60
    if held.minutes_closed == minutes_closed:
        return
    held.minutes_closed = minutes_closed
    newest = minutes_closed - 1
    held.bipower, held.relative_jump, held.jump = _jumps(state, newest)
    held.volatility_of_volatility = _volatility_of_volatility(state, newest)
    held.parkinson, held.garman_klass = _range_volatilities(state, newest)
    held.fractional, held.fractional_relative = _fractional_differences(state, newest, weights)


@kernel
def _log_price(state: Record, minute: int) -> float:
    """At the end of a closed minute, at most 63 back."""
    return state.minute_log_prices[min(minute, state.newest_minute) % MINUTES_RING]


@kernel
def _jumps(state: Record, newest: int) -> tuple[float, float, float]:
    """Bipower variation, relative jump, jump statistic; the last two are NaN when nothing moved."""
    realised, products, quads = 0.0, 0.0, 0.0
    before, first, second, third = _log_price(state, newest - MINUTES), 0.0, 0.0, 0.0
    for minute in range(newest - MINUTES + 1, newest + 1):
        price = _log_price(state, minute)
        move = abs(price - before)
        realised += move * move
        products += move * first
        quads += move * first * second * third
        before, first, second, third = price, move, first, second
    bipower = _HALF_PI * (MINUTES / (MINUTES - 1.0)) * products
    quarticity = _HALF_PI**2 * (MINUTES * MINUTES / (MINUTES - 3.0)) * quads
    relative = 1.0 - bipower / realised
    spread = max(1.0, quarticity / bipower**2) if bipower > 0.0 else 1.0
    return bipower, relative, relative * np.sqrt(MINUTES / (_JUMP_VARIANCE * spread))


@kernel
def _volatility_of_volatility(state: Record, newest: int) -> float:
    """Population deviation of the volatilities of consecutive blocks."""
    total, squares = 0.0, 0.0
    for block in range(_BLOCKS):
        volatility = _block_volatility(state, newest - MINUTES + block * BLOCK_MINUTES)
        total += volatility
    mean = total / _BLOCKS
    for block in range(_BLOCKS):
        squares += (_block_volatility(state, newest - MINUTES + block * BLOCK_MINUTES) - mean) ** 2
    return np.sqrt(squares / _BLOCKS)


@kernel
def _block_volatility(state: Record, start: int) -> float:
    """Root of summed squared returns of the block after minute `start`."""
    squares, before = 0.0, _log_price(state, start)
    for minute in range(start + 1, start + 1 + BLOCK_MINUTES):
        price = _log_price(state, minute)
        squares += (price - before) ** 2
        before = price
    return np.sqrt(squares)


@kernel
def _range_volatilities(state: Record, newest: int) -> tuple[float, float]:
    """Roots of summed variances by range, Parkinson's and Garman and Klass's; NaN when there was no price before the window."""
    first = (newest - MINUTES + 1) // RANGE_TILE_MINUTES
    if not is_before(state.first_price_time, first * RANGE_TILE_MINUTES * 60):
        return np.nan, np.nan
    parkinson, garman_klass = 0.0, 0.0
    for place in range(max(first, state.newest_range - RANGE_RING + 1), state.newest_range + 1):
        tile = state.ranges[place % RANGE_RING]
        parkinson += tile.parkinson
        garman_klass += tile.garman_klass
    return np.sqrt(parkinson), np.sqrt(garman_klass)


@kernel
def _fractional_differences(state: Record, newest: int, weights: Floats) -> tuple[float, float]:
    """Of the log price, and of the log price less the oldest one of the window."""
    oldest, absolute, relative = _log_price(state, newest - weights.shape[0] + 1), 0.0, 0.0
    for steps in range(weights.shape[0] - 1, -1, -1):
        price = _log_price(state, newest - steps)
        absolute += weights[steps] * price
        relative += weights[steps] * (price - oldest)
    return absolute, relative
