"""From which confidence on a signal comes true as often as is asked for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.measures import NEUTRAL

NEVER = 1.0
"""A confidence that no signal reaches."""
SHOWN = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.7, 0.8)
_DEVIATIONS = 1.6448536269514722
"""One-sided 95 %."""
_Column = npt.NDArray[np.float64]


class Directed(NamedTuple):
    """Rows whose most likely class is a direction, the most confident first."""

    confidence: _Column
    hits: _Column
    """(rows,) how many of the rows up to each one came true."""
    uniqueness: float
    """How much of a row's outcome is its own, on average."""


def directed(probabilities: _Column, classes: npt.NDArray[np.int64], uniqueness: float) -> Directed:
    """The rows with a direction: probabilities (rows, 3) of unseen rows, and what happened."""
    said = probabilities.argmax(axis=1)
    rows = np.flatnonzero(said != NEUTRAL)
    rows = rows[np.argsort(-probabilities[rows, said[rows]], kind="stable")]
    return Directed(probabilities[rows, said[rows]], np.cumsum(said[rows] == classes[rows]).astype(np.float64), uniqueness)


def confidence_for(precision: float, rows: Directed) -> float:
    """The lowest confidence from which on at least that share comes true, at 95 %; NEVER where there is none.

    The bound is Wilson's (1927), with as many rows as have outcomes of their own.
    """
    count = np.arange(1, rows.hits.shape[0] + 1)
    enough = np.flatnonzero(_lower_bound(rows.hits / count, count * rows.uniqueness) >= precision)
    return float(rows.confidence[enough[-1]]) if enough.size else NEVER


def _lower_bound(share: _Column, count: _Column) -> _Column:
    squared = _DEVIATIONS**2
    middle = share + squared / (2 * count)
    reach = _DEVIATIONS * np.sqrt(share * (1 - share) / count + squared / (4 * count**2))
    return np.asarray((middle - reach) / (1 + squared / count), np.float64)


def precision_table(rows: Directed) -> list[dict[str, Any]]:
    """For some confidences: how many rows reach them, and which share of those came true."""
    found = []
    for confidence in SHOWN:
        reached = int((rows.confidence >= confidence).sum())
        precision = float(rows.hits[reached - 1] / reached) if reached else None
        found.append({"confidence": confidence, "rows": reached, "precision": precision})
    return found
