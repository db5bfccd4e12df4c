"""How much of each outcome is its own: outcomes whose spans overlap tell the same story, and count less.

López de Prado (2018), chapter 4: at each moment the outcomes under way share it; an outcome's uniqueness is the mean of its shares over its
span. In continuous time, so it does not depend on how often rows come.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from jobs.training.labelling.path import Column, Times


def average_uniqueness(start: Times, end: Times) -> Column:
    """(outcomes,) in (0, 1], for spans [start, end] of one symbol; 1 where a span overlaps no other. A span without length counts 1."""
    if start.shape[0] == 0:
        return np.zeros(0)
    moments = np.unique(np.concatenate([start, end]))
    under_way = np.searchsorted(np.sort(start), moments, "right") - np.searchsorted(np.sort(end), moments, "right")
    share = np.divide(1.0, under_way, out=np.zeros(moments.shape[0]), where=under_way > 0)
    passed = np.concatenate([[0.0], np.cumsum(share[:-1] * np.diff(moments))])
    length = (end - start).astype(np.float64)
    own = passed[np.searchsorted(moments, end)] - passed[np.searchsorted(moments, start)]
    return np.divide(own, length, out=np.ones(start.shape[0]), where=length > 0)


def sample_weights(symbol: npt.NDArray[np.int32], start: Times, end: Times) -> Column:
    """(outcomes,) uniqueness among the outcomes of the same symbol, scaled to a mean of 1."""
    weight = np.ones(start.shape[0])
    for code in np.unique(symbol):
        rows = symbol == code
        weight[rows] = average_uniqueness(start[rows], end[rows])
    return weight / weight.mean() if weight.size else weight
