"""Directional movement and the average directional index (Wilder 1978).

Movement and true range are sums that lose 1 / period of themselves at each bar; the first index is the simple mean of the first `period`
values of DX. Where nothing moved, both directional indexes and DX are 0.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel, over_series
from udfs.kernels.indicators.moving_average import Floats

ADX_MEMORY: Final = 8
"""Count of bars, previous high, low and close, sums of true range, upward and downward movement, index (the sum of DX while warming up)."""


@kernel
def directional_movement(memory: Floats, high: float, low: float, close: float, period: int) -> tuple[float, float, float]:
    """Take one more bar: +DI, -DI and the average directional index, each 0 to 100; NaN while warming up."""
    if memory[0] > 0.0:
        _add_movement(memory, high, low, period)
    memory[0] += 1.0
    memory[1], memory[2], memory[3] = high, low, close
    ranges = memory[0] - 1.0
    if ranges < period:
        return np.nan, np.nan, np.nan
    plus, minus, true_range = memory[5], memory[6], memory[4]
    index = _average(memory, 100.0 * abs(plus - minus) / (plus + minus) if plus + minus > 0.0 else 0.0, ranges - period + 1.0, period)
    return (100.0 * plus / true_range, 100.0 * minus / true_range, index) if true_range > 0.0 else (0.0, 0.0, index)


@kernel
def _add_movement(memory: Floats, high: float, low: float, period: int) -> None:
    true_range = max(high - low, abs(high - memory[3]), abs(low - memory[3]))
    upward, downward = high - memory[1], memory[2] - low
    kept = 1.0 - 1.0 / period if memory[0] > period else 1.0
    memory[4] = memory[4] * kept + true_range
    memory[5] = memory[5] * kept + (upward if upward > downward and upward > 0.0 else 0.0)
    memory[6] = memory[6] * kept + (downward if downward > upward and downward > 0.0 else 0.0)


@kernel
def _average(memory: Floats, strength: float, count: float, period: int) -> float:
    """Wilder's mean of DX, of which this is number `count`."""
    if count > period:
        memory[7] = (memory[7] * (period - 1) + strength) / period
        return memory[7]
    memory[7] += strength
    if count < period:
        return np.nan
    memory[7] /= period
    return memory[7]


@over_series
def adx(high: Floats, low: Floats, close: Floats, period: int) -> tuple[Floats, Floats, Floats]:
    """+DI, -DI (NaN for the first `period`) and the average directional index (for 2 * period - 1) of a series of bars (n,)."""
    memory = np.zeros(ADX_MEMORY)
    plus, minus, index = np.empty_like(close), np.empty_like(close), np.empty_like(close)
    for place in range(close.shape[0]):
        plus[place], minus[place], index[place] = directional_movement(memory, high[place], low[place], close[place], period)
    return plus, minus, index
