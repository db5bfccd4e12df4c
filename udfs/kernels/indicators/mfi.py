"""Money flow index (Quong, Soudack 1989): the relative strength of typical price times volume.

A bar whose typical price does not change flows neither way. Without any flow it is 50, as `rsi` says; TA-Lib says 0.
"""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel, over_series
from udfs.kernels.indicators.moving_average import Floats, push, value_before
from udfs.kernels.indicators.vwap import typical_price


@kernel
def money_flow(memory: Floats, high: float, low: float, close: float, volume: float, period: int) -> float:
    """Take one more bar. Memory: the previous typical price, then a ring of signed flows; 2 + period numbers. 0 to 100."""
    price, previous, flows = typical_price(high, low, close), memory[0], memory[1:]
    memory[0] = price
    if previous > 0.0:
        push(flows, np.sign(price - previous) * price * volume)
    if int(flows[0]) < period:
        return np.nan
    positive, negative = 0.0, 0.0
    for steps in range(period - 1, -1, -1):
        flow = value_before(flows, steps)
        positive += max(flow, 0.0)
        negative += max(-flow, 0.0)
    return 100.0 * positive / (positive + negative) if positive + negative > 0.0 else 50.0


@over_series
def mfi(high: Floats, low: Floats, close: Floats, volume: Floats, period: int) -> Floats:
    """Money flow index of a series of bars (n,); NaN for the first `period`."""
    memory, result = np.zeros(2 + period), np.empty_like(close)
    for index in range(close.shape[0]):
        result[index] = money_flow(memory, high[index], low[index], close[index], volume[index], period)
    return result
