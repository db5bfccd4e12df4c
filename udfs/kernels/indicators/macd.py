"""Moving average convergence divergence (Appel 1979).

Convention: each mean is seeded by the simple mean of its own first values, as Stock.Indicators does. TA-Lib starts the fast mean later, on
the bar of the slow one, and differs for the first bars.
"""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel, over_series
from udfs.kernels.indicators.moving_average import EMA_MEMORY, Floats, exponential_mean


@kernel
def signal_of(memory: Floats, line: float, period: int) -> float:
    """Take one more value of the line; a line that is still warming up does not count."""
    if np.isnan(line):
        return np.nan
    return exponential_mean(memory, line, period)


@over_series
def macd(values: Floats, fast: int, slow: int, signal: int) -> tuple[Floats, Floats, Floats]:
    """Line, signal and histogram of a series (n,)."""
    fast_memory, slow_memory, signal_memory = np.zeros(EMA_MEMORY), np.zeros(EMA_MEMORY), np.zeros(EMA_MEMORY)
    lines, signals = np.empty_like(values), np.empty_like(values)
    for index in range(values.shape[0]):
        fast_mean = exponential_mean(fast_memory, values[index], fast)
        lines[index] = fast_mean - exponential_mean(slow_memory, values[index], slow)
        signals[index] = signal_of(signal_memory, lines[index], signal)
    return lines, signals, lines - signals
