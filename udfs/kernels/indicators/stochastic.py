"""Stochastic oscillator (Lane 1984): where the close lies between the lowest low and the highest high of the newest bars.

Three lines, each a mean of the one before: K, D (also called slow K), slow D. Where the market did not move at all K is 50, neither strong
nor weak; others say 0 or nothing.
"""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel, over_series
from udfs.kernels.indicators.moving_average import Floats, push, value_before


@kernel
def position_in_range(highs: Floats, lows: Floats, close: float, period: int) -> float:
    """K, 0 to 100, from rings of highs and lows that hold the bar of the close; NaN while there are fewer bars than the period."""
    if int(highs[0]) < period:
        return np.nan
    highest, lowest = value_before(highs, 0), value_before(lows, 0)
    for steps in range(1, period):
        highest, lowest = max(highest, value_before(highs, steps)), min(lowest, value_before(lows, steps))
    return 100.0 * (close - lowest) / (highest - lowest) if highest > lowest else 50.0


@kernel
def mean_before(ring: Floats, steps: int, period: int) -> float:
    """Mean of `period` values, the newest of them pushed `steps` pushes before the newest of all; NaN while there are fewer."""
    total = 0.0
    for older in range(steps + period - 1, steps - 1, -1):
        total += value_before(ring, older)
    return total / period


@kernel
def smoothed_twice(ring: Floats, period: int) -> float:
    """Mean of the newest `period` means of `period` values each; NaN while there are fewer than 2 * period - 1 values."""
    total = 0.0
    for steps in range(period - 1, -1, -1):
        total += mean_before(ring, steps, period)
    return total / period


@over_series
def stochastic(high: Floats, low: Floats, close: Floats, period: int, smoothing: int) -> tuple[Floats, Floats, Floats]:
    """K, D and slow D of a series of bars (n,)."""
    highs, lows, positions = np.zeros(1 + period), np.zeros(1 + period), np.zeros(2 * smoothing)
    fast, slow, slowest = np.empty_like(close), np.empty_like(close), np.empty_like(close)
    for index in range(close.shape[0]):
        push(highs, high[index])
        push(lows, low[index])
        fast[index] = position_in_range(highs, lows, close[index], period)
        if not np.isnan(fast[index]):
            push(positions, fast[index])
        slow[index], slowest[index] = mean_before(positions, 0, smoothing), smoothed_twice(positions, smoothing)
    return fast, slow, slowest
