"""Simple and exponential moving averages.

Simple means are summed anew from a ring, oldest first, so they do not drift. The exponential mean is seeded by the simple mean of its first
`period` values (as Stock.Indicators and TA-Lib do), so its first value comes with value number `period`.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from udfs.kernels.compiled import kernel, over_series

Floats = npt.NDArray[np.float64]

EMA_MEMORY: Final = 2
"""Count, value (the sum of the values so far while warming up)."""


@kernel
def push(ring: Floats, value: float) -> None:
    """Add to a ring of len(ring) - 1 values; ring[0] counts all values ever pushed."""
    ring[1 + int(ring[0]) % (ring.shape[0] - 1)] = value
    ring[0] += 1.0


@kernel
def value_before(ring: Floats, steps: int) -> float:
    """Value pushed `steps` pushes before the newest; NaN where there is none."""
    count = int(ring[0])
    if steps >= count or steps >= ring.shape[0] - 1:
        return np.nan
    return ring[1 + (count - 1 - steps) % (ring.shape[0] - 1)]


@kernel
def mean_of_newest(ring: Floats, period: int) -> float:
    """Mean of the newest `period` values; NaN while there are fewer."""
    if int(ring[0]) < period:
        return np.nan
    total = 0.0
    for steps in range(period - 1, -1, -1):
        total += value_before(ring, steps)
    return total / period


@kernel
def exponential_mean(memory: Floats, value: float, period: int) -> float:
    """Take one more value."""
    memory[0] += 1.0
    if memory[0] < period:
        memory[1] += value
        return np.nan
    if memory[0] == period:
        memory[1] = (memory[1] + value) / period
    else:
        memory[1] += 2.0 / (period + 1) * (value - memory[1])
    return memory[1]


@over_series
def sma(values: Floats, period: int) -> Floats:
    """Simple moving average of a series (n,); NaN for the first period - 1."""
    ring, result = np.zeros(1 + period), np.empty_like(values)
    for index in range(values.shape[0]):
        push(ring, values[index])
        result[index] = mean_of_newest(ring, period)
    return result


@over_series
def ema(values: Floats, period: int) -> Floats:
    """Exponential moving average of a series (n,); NaN for the first period - 1."""
    memory, result = np.zeros(EMA_MEMORY), np.empty_like(values)
    for index in range(values.shape[0]):
        result[index] = exponential_mean(memory, values[index], period)
    return result
