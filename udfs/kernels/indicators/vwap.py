"""Volume-weighted average price over a session. Bars enter with their typical price, (high + low + close) / 3."""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel, over_series
from udfs.kernels.indicators.moving_average import Floats


@kernel
def typical_price(high: float, low: float, close: float) -> float:
    """The one price that stands for a bar."""
    return (high + low + close) / 3.0


@kernel
def weighted_price(notional: float, volume: float) -> float:
    """Price that the notional was traded at; NaN where nothing was."""
    return notional / volume if volume > 0.0 else np.nan


@over_series
def vwap(high: Floats, low: Floats, close: Floats, volume: Floats) -> Floats:
    """Volume-weighted average price from the first bar of the series (n,) on."""
    result = np.empty_like(close)
    notional, total = 0.0, 0.0
    for index in range(close.shape[0]):
        notional += volume[index] * typical_price(high[index], low[index], close[index])
        total += volume[index]
        result[index] = weighted_price(notional, total)
    return result
