"""Relative strength index (Wilder 1978): the first means of gain and loss are simple, later ones smoothed.

Without any loss it is 100; where nothing moved at all it is 50, neither strong nor weak.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel, over_series
from udfs.kernels.indicators.moving_average import Floats

RSI_MEMORY: Final = 4
"""Count of closes, previous close, mean gain, mean loss (sums while warming up)."""


@kernel
def relative_strength(memory: Floats, close: float, period: int) -> float:
    """Take one more close."""
    change = close - memory[1]
    memory[0] += 1.0
    memory[1] = close
    if memory[0] == 1.0:
        return np.nan
    _smooth(memory, max(change, 0.0), max(-change, 0.0), period)
    if memory[0] <= period:
        return np.nan
    gain, loss = memory[2], memory[3]
    return 50.0 if gain + loss == 0.0 else 100.0 * gain / (gain + loss)


@kernel
def _smooth(memory: Floats, gain: float, loss: float, period: int) -> None:
    changes = memory[0] - 1.0
    if changes <= period:
        memory[2] += gain
        memory[3] += loss
        if changes == period:
            memory[2] /= period
            memory[3] /= period
    else:
        memory[2] = (memory[2] * (period - 1) + gain) / period
        memory[3] = (memory[3] * (period - 1) + loss) / period


@over_series
def rsi(closes: Floats, period: int) -> Floats:
    """Relative strength index of a series of closes (n,), 0 to 100; NaN for the first `period`."""
    memory, result = np.zeros(RSI_MEMORY), np.empty_like(closes)
    for index in range(closes.shape[0]):
        result[index] = relative_strength(memory, closes[index], period)
    return result
