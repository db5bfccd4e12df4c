"""Realised volatility after each row: the root of the summed squared returns of the minutes that follow."""

from __future__ import annotations

import numpy as np

from jobs.training.labelling.path import Outcomes, PricePath, at_horizon, outcomes

MINUTE = 60_000_000_000


def realised_volatility(path: PricePath, horizon: int = 60 * MINUTE, tolerance: int = 5 * MINUTE, step: int = MINUTE) -> Outcomes:
    """Over `horizon` in steps of `step` nanoseconds, from the price in force at each; the span ends at the first row at or after it."""
    row, later = at_horizon(path, horizon, tolerance)
    logs = np.log(path.price)
    squared = np.zeros(row.shape[0])
    before = logs[row]
    for passed in range(step, horizon + 1, step):
        now = logs[np.searchsorted(path.time, path.time[row] + passed, "right") - 1]
        squared += np.square(now - before)
        before = now
    return outcomes(path, row, later, np.sqrt(squared))
