"""Bollinger bands (Bollinger 2001): simple mean plus and minus a multiple of the population deviation."""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel, over_series
from udfs.kernels.indicators.moving_average import Floats, mean_of_newest, push, value_before


@kernel
def deviation_of_newest(ring: Floats, period: int) -> float:
    """Population standard deviation of the newest `period` values, in two passes; NaN while there are fewer."""
    mean = mean_of_newest(ring, period)
    total = 0.0
    for steps in range(period - 1, -1, -1):
        total += (value_before(ring, steps) - mean) ** 2
    return np.sqrt(total / period)


@kernel
def bands(ring: Floats, period: int, width: float) -> tuple[float, float]:
    """Percent b and bandwidth at the newest value; percent b is NaN where the bands have no width."""
    mean, deviation = mean_of_newest(ring, period), deviation_of_newest(ring, period)
    lower, upper = mean - width * deviation, mean + width * deviation
    percent_b = (value_before(ring, 0) - lower) / (upper - lower) if deviation > 0.0 else np.nan
    return percent_b, (upper - lower) / mean


@over_series
def bollinger(values: Floats, period: int, width: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Lower band, upper band, percent b and bandwidth of a series (n,); NaN for the first period - 1."""
    ring = np.zeros(1 + period)
    lower, upper, percent_b, bandwidth = np.empty_like(values), np.empty_like(values), np.empty_like(values), np.empty_like(values)
    for index in range(values.shape[0]):
        push(ring, values[index])
        mean, deviation = mean_of_newest(ring, period), deviation_of_newest(ring, period)
        lower[index], upper[index] = mean - width * deviation, mean + width * deviation
        percent_b[index], bandwidth[index] = bands(ring, period, width)
    return lower, upper, percent_b, bandwidth
