"""Indicators as their definitions read, for comparison."""

from __future__ import annotations

from itertools import pairwise


def exponential_mean(values: list[float], period: int) -> float | None:
    if len(values) < period:
        return None
    mean = sum(values[:period]) / period
    for value in values[period:]:
        mean += 2 / (period + 1) * (value - mean)
    return mean


def smoothed(values: list[float], period: int) -> float | None:
    """Wilder's mean: simple over the first `period`, then 1 / period of each further value."""
    if len(values) < period:
        return None
    mean = sum(values[:period]) / period
    for value in values[period:]:
        mean += (value - mean) / period
    return mean


def relative_strength(closes: list[float], period: int) -> float | None:
    changes = [after - before for before, after in pairwise(closes)]
    gain, loss = smoothed([max(change, 0) for change in changes], period), smoothed([max(-change, 0) for change in changes], period)
    if gain is None or loss is None:
        return None
    return 50.0 if gain + loss == 0 else 100 * gain / (gain + loss)
