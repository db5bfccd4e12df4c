"""Recursive volatility of the next bar's return: GARCH(1,1) (Bollerslev 1986) with variance targeting (Engle, Mezrich 1996).

variance' = (1 - alpha - beta) * target + alpha * return^2 + beta * variance, where the target is itself an exponential mean of squared
returns. Both start at the mean of the first `GARCH_SEED` squared returns. No parameter has a unit, so one set serves every instrument.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel, over_series
from udfs.kernels.indicators.moving_average import Floats

GARCH_SEED: Final = 20
"""Returns whose mean square starts the recursion."""
GARCH_MEMORY: Final = 4
"""Count of closes, logarithm of the previous close, variance (the sum of squares while warming up), target."""


@kernel
def conditional_volatility(memory: Floats, close: float, alpha: float, beta: float, target_rate: float) -> float:
    """Take one more close: the deviation expected of the next log return; NaN for the first `GARCH_SEED` closes."""
    price = np.log(close)
    squared = (price - memory[1]) ** 2
    memory[0] += 1.0
    memory[1] = price
    returns = memory[0] - 1.0
    if returns == 0.0:
        return np.nan
    if returns > GARCH_SEED:
        memory[3] += target_rate * (squared - memory[3])
        memory[2] = (1.0 - alpha - beta) * memory[3] + alpha * squared + beta * memory[2]
        return np.sqrt(memory[2])
    memory[2] += squared
    if returns < GARCH_SEED:
        return np.nan
    memory[2] /= GARCH_SEED
    memory[3] = memory[2]
    return np.sqrt(memory[2])


@over_series
def garch(closes: Floats, alpha: float, beta: float, target_rate: float) -> Floats:
    """Volatility of the next log return at each close of a series (n,)."""
    memory, result = np.zeros(GARCH_MEMORY), np.empty_like(closes)
    for index in range(closes.shape[0]):
        result[index] = conditional_volatility(memory, closes[index], alpha, beta, target_rate)
    return result
