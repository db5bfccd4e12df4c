"""The triple barrier: which comes first, a rise or a fall of so many deviations, or the end of the horizon.

López de Prado (2018), "Advances in financial machine learning", chapter 3. The deviation is that of the returns before the row, so the
barriers were known when the row was.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.labelling.path import Column, Outcomes, PricePath, outcomes, unbroken

SHORTEST_HISTORY = 20
"""Returns from which a deviation is believed."""


class Barriers(NamedTuple):
    """How far the barriers are."""

    horizon: int = 300_000_000_000
    """Nanoseconds to the vertical barrier."""
    tolerance: int = 60_000_000_000
    """Nanoseconds that the first price at or after it may come later."""
    rise: float = 1.0
    """Deviations over the horizon."""
    fall: float = 1.0
    memory: int = 3_600_000_000_000
    """Nanoseconds back from the row over which the deviation is measured."""


def triple_barrier(path: PricePath, barriers: Barriers) -> Outcomes:
    """Which barrier each row's price met first. Rows without a deviation, and those whose span holds a break, have no outcome.

    `end` is when a barrier was met, `value` the log return until then, `side` 1 for the upper, -1 for the lower, 0 for the vertical one.
    """
    deviation = trailing_deviation(path, barriers.memory) * np.sqrt(barriers.horizon)
    logs = np.log(path.price)
    vertical = np.searchsorted(path.time, path.time + barriers.horizon, "left")
    found = [
        met
        for row in np.flatnonzero((deviation > 0) & ~path.halted)
        if (met := _first_met(path, logs, row, vertical[row], deviation[row], barriers))
    ]
    row, later = (np.array([met[k] for met in found], np.intp) for k in (0, 1))
    side = np.array([met[2] for met in found], np.float64)
    kept = unbroken(path, path.time[row], path.time[later])
    row, later = row[kept], later[kept]
    return outcomes(path, row, later, logs[later] - logs[row], side[kept])


def _first_met(
    path: PricePath, logs: Column, row: int, vertical: int, deviation: float, barriers: Barriers
) -> tuple[int, int, float] | None:
    """(row, row that met a barrier, side), or nothing where the prices end before one was met."""
    moved = logs[row + 1 : vertical + 1] - logs[row]
    met = (moved >= barriers.rise * deviation) | (moved <= -barriers.fall * deviation)
    first = int(met.argmax()) if met.size else 0
    if met.size and met[first] and path.time[row + 1 + first] <= path.time[row] + barriers.horizon:
        return row, row + 1 + first, float(np.sign(moved[first]))
    ends = vertical < path.time.shape[0] and path.time[vertical] <= path.time[row] + barriers.horizon + barriers.tolerance
    return (row, vertical, 0.0) if ends else None


def trailing_deviation(path: PricePath, memory: int) -> Column:
    """(rows,) deviation of log returns per root of a nanosecond over the `memory` before each row; NaN with too few returns in it.

    Squared returns are divided by the time they took, so rows at uneven distances are comparable. Returns across a break do not count.
    """
    squared = np.square(np.diff(np.log(path.price)))
    passed = np.diff(path.time).astype(np.float64)
    counted = unbroken(path, path.time[:-1], path.time[1:]) & (passed > 0)
    first = np.searchsorted(path.time, path.time - memory, "left")
    power, duration, number = (_summed(np.where(counted, column, 0.0), first) for column in (squared, passed, counted))
    enough = number >= SHORTEST_HISTORY
    variance = np.divide(np.maximum(power, 0.0), duration, out=np.full(path.time.shape[0], np.nan), where=enough)
    return np.asarray(np.sqrt(variance), np.float64)


def _summed(steps: Column, first: npt.NDArray[np.intp]) -> Column:
    """(rows,) sum of the steps from row `first` to each row."""
    total = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(total - total[first], np.float64)
