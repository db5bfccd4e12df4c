"""A symbol's prices in the order of time, and the moments that no outcome may span: halts, ends of sessions, corporate actions, gaps."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
Column = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]
NO_BREAKS: Times = np.zeros(0, np.int64)


class PricePath(NamedTuple):
    """Rows of one symbol that have a price."""

    time: Times
    """(rows,) event time in nanoseconds, not decreasing."""
    price: Column
    """(rows,) mid price, or last price where there is no book; above 0."""
    spread: Column
    """(rows,) ask - bid; NaN where there is no book."""
    halted: npt.NDArray[np.bool_]
    """(rows,) whether trading was halted."""
    breaks: Times
    """Moments that no outcome may span, increasing. An outcome may start at one."""


class Outcomes(NamedTuple):
    """What came of some rows of a path."""

    rows: Places
    """(outcomes,) places in the path, increasing."""
    start: Times
    """(outcomes,) t0: event time of the row."""
    end: Times
    """(outcomes,) t1: event time of the last price that was looked at."""
    value: Column
    """(outcomes,) what was measured."""
    side: Column
    """(outcomes,) 1 up, -1 down, 0 neither, where the outcome itself says which; NaN where the size of its value decides."""


def path_of(
    time: Times, price: Column, spread: Column, halted: npt.NDArray[np.bool_], breaks: Times = NO_BREAKS, longest_gap: int = 0
) -> PricePath:
    """A path of rows with a price, by time. A gap of more than `longest_gap` nanoseconds (0: any may pass) ends at a break."""
    after_gaps = time[1:][np.diff(time) > longest_gap] if longest_gap else NO_BREAKS
    found = np.unique(np.concatenate([breaks, time[halted], after_gaps]))
    return PricePath(time, price, spread, halted, found)


def unbroken(path: PricePath, start: Times, end: Times) -> npt.NDArray[np.bool_]:
    """(spans,) whether no break lies in (start, end]."""
    return np.asarray(np.searchsorted(path.breaks, start, "right") == np.searchsorted(path.breaks, end, "right"), np.bool_)


def at_horizon(path: PricePath, horizon: int, tolerance: int) -> tuple[Places, Places]:
    """Rows that have an outcome, and for each its row at or after `horizon` nanoseconds, at most `tolerance` later, no break between."""
    later = np.searchsorted(path.time, path.time + horizon, "left")
    row = np.flatnonzero((later < path.time.shape[0]) & ~path.halted)
    later = later[row]
    kept = (path.time[later] <= path.time[row] + horizon + tolerance) & unbroken(path, path.time[row], path.time[later])
    return row[kept], later[kept]


def outcomes(path: PricePath, rows: Places, later: Places, value: Column, side: Column | None = None) -> Outcomes:
    """With the spans from the rows to the later rows."""
    return Outcomes(rows, path.time[rows], path.time[later], value, np.full(value.shape[0], np.nan) if side is None else side)
