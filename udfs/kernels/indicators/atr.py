"""Average true range (Wilder 1978). The first bar has no true range, for want of a close before it; the first mean is simple."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel, over_series
from udfs.kernels.indicators.moving_average import Floats

ATR_MEMORY: Final = 3
"""Count of bars, previous close, mean (the sum while warming up)."""


@kernel
def average_true_range(memory: Floats, high: float, low: float, close: float, period: int) -> float:
    """Take one more bar."""
    previous = memory[1]
    memory[0] += 1.0
    memory[1] = close
    ranges = memory[0] - 1.0
    if ranges == 0.0:
        return np.nan
    true_range = max(high - low, abs(high - previous), abs(low - previous))
    if ranges > period:
        memory[2] = (memory[2] * (period - 1) + true_range) / period
        return memory[2]
    memory[2] += true_range
    if ranges < period:
        return np.nan
    memory[2] /= period
    return memory[2]


@over_series
def atr(high: Floats, low: Floats, close: Floats, period: int) -> Floats:
    """Average true range of a series of bars (n,); NaN for the first `period`."""
    memory, result = np.zeros(ATR_MEMORY), np.empty_like(close)
    for index in range(close.shape[0]):
        result[index] = average_true_range(memory, high[index], low[index], close[index], period)
    return result
