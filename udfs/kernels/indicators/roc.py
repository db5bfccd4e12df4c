"""Rate of change in percent."""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel, over_series
from udfs.kernels.indicators.moving_average import Floats, push, value_before


@kernel
def rate_of_change(ring: Floats, period: int) -> float:
    """100 * (newest / value `period` values before - 1); NaN while there are fewer."""
    return 100.0 * (value_before(ring, 0) / value_before(ring, period) - 1.0)


@over_series
def roc(values: Floats, period: int) -> Floats:
    """Rate of change of a series (n,) in percent; NaN for the first `period`."""
    ring, result = np.zeros(2 + period), np.empty_like(values)
    for index in range(values.shape[0]):
        push(ring, values[index])
        result[index] = rate_of_change(ring, period)
    return result
