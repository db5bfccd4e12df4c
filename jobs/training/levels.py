"""How much of an expected return to believe, and how wide sigma must be, from rows that the models had not seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.resampling import Blocks

INTERVAL = 0.9
INTERVAL_DEVIATIONS = 1.6448536269514722
"""Half the width, in deviations, of the middle 90 % of a normal distribution."""
_Column = npt.NDArray[np.float64]


class Levels(NamedTuple):
    """What raw scores are corrected by."""

    return_scale: float
    """Of the return in sigmas: 0 for one that tells nothing."""
    log_sigma_offset: float


def levels_of(return_in_sigmas: _Column, log_sigma: _Column, log_return: _Column, blocks: Blocks) -> Levels:
    """The levels that unseen rows ask for: (rows,) raw scores and what happened."""
    first = _offset(log_return, log_sigma)
    sigma = np.exp(log_sigma + first)
    worth = believed_slope(return_in_sigmas, log_return / sigma, blocks)
    expected = worth * return_in_sigmas * sigma
    offset = _offset(log_return - expected, log_sigma)
    return Levels(worth * float(np.exp(first - offset)), offset)


def _offset(residual: _Column, log_sigma: _Column) -> float:
    """Added to log sigma, so that INTERVAL of the residuals lie where they would for a normal distribution."""
    off = np.abs(residual) / np.exp(log_sigma)
    return float(np.log(max(float(np.quantile(off, INTERVAL)), 1e-12) / INTERVAL_DEVIATIONS))


def believed_slope(said: _Column, happened: _Column, blocks: Blocks) -> float:
    """Slope through 0 of what happened on what was said, between 0 and 1, the smaller the less sure it is.

    The positive-part estimator of James and Stein (1961) in one dimension: a slope no larger than its error is none. The error is that of
    sums over whole blocks, in which rows may depend on each other.
    """
    power = float(said @ said)
    if power == 0 or blocks.total < 2:
        return 0.0
    slope = float(said @ happened) / power
    by_block = np.bincount(blocks.number, said * (happened - slope * said), blocks.total)
    squared_error = float(by_block @ by_block) / power**2
    sure = max(0.0, 1 - squared_error / slope**2) if slope > 0 else 0.0
    return min(slope * sure, 1.0)
