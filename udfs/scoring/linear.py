"""The linear part of a model: what each input adds by itself, to every output, in float64 and in a fixed order.

An input counts as its distance from the training rows' middle, in units of their spread and no further than FURTHEST; a missing one adds
nothing. Weak relations are mostly straight lines, which trees can only draw as stairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

FURTHEST = 5.0
_Column = npt.NDArray[np.float64]


class LinearPart(NamedTuple):
    """Outputs are those of `udfs.scoring.trees.OUTPUTS`."""

    middle: _Column
    """(model inputs,)."""
    spread: _Column
    """(model inputs,) above 0."""
    weights: _Column
    """(outputs, model inputs)."""
    intercepts: _Column
    """(outputs,)."""


@numba.njit(cache=True, nogil=True)
def add_linear(tree_scores: npt.NDArray[np.float32], inputs: npt.NDArray[np.float32], part: LinearPart) -> _Column:
    """(rows, outputs) raw scores: the trees' sums and the linear part."""
    outputs = part.intercepts.shape[0]
    found = np.empty((inputs.shape[0], outputs), np.float64)
    for row in range(inputs.shape[0]):
        for output in range(outputs):
            found[row, output] = np.float64(tree_scores[row, output]) + part.intercepts[output]
        for place in range(inputs.shape[1]):
            value = np.float64(inputs[row, place])
            if not np.isnan(value):
                distance = min(max((value - part.middle[place]) / part.spread[place], -FURTHEST), FURTHEST)
                for output in range(outputs):
                    found[row, output] += part.weights[output, place] * distance
    return found


def distances(part: LinearPart, inputs: npt.NDArray[np.float32]) -> _Column:
    """(rows, model inputs) as the linear part sees them."""
    away = (inputs.astype(np.float64) - part.middle) / part.spread
    return np.asarray(np.nan_to_num(np.clip(away, -FURTHEST, FURTHEST)), np.float64)


def contributions(part: LinearPart, inputs: npt.NDArray[np.float32], output: int) -> _Column:
    """(model inputs,) what each input of one row adds to an output."""
    return np.asarray(part.weights[output] * distances(part, inputs), np.float64)
