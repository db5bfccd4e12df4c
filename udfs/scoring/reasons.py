"""Why a score is what it is, in words: the inputs that spoke most for the direction, and how unusual their values are."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from udfs.records import Attribution
from udfs.scoring.model_metadata import QUANTILE_LEVELS
from udfs.scoring.phrases import describe


def explain(
    contributions: npt.NDArray[np.float64],
    inputs: npt.NDArray[np.float32],
    feature_names: tuple[str, ...],
    quantiles: Sequence[Sequence[float]],
    count: int,
) -> tuple[Attribution, ...]:
    """At most `count` inputs with the largest positive contribution, largest first, equal ones by position.

    Args: contributions and inputs (model inputs,), NaN where missing; quantiles (model inputs, levels) of the training rows.
    """
    strongest = np.argsort(-contributions, kind="stable")[:count]
    return tuple(
        _attribution(feature_names[k], float(contributions[k]), float(inputs[k]), quantiles[k]) for k in strongest if contributions[k] > 0
    )


def _attribution(name: str, contribution: float, value: float, quantiles: Sequence[float]) -> Attribution:
    return Attribution(feature=name, contribution=contribution, words=describe(name, value, quantile_of(value, quantiles)))


def quantile_of(value: float, quantiles: Sequence[float]) -> float:
    """Where a value lies among the training rows: 0 (below nearly all) to 1 (above nearly all), between the stored levels linearly."""
    if math.isnan(value) or math.isnan(quantiles[0]):
        return math.nan
    below = bisect_left(quantiles, value)
    up_to = bisect_right(quantiles, value)
    if below < up_to:  # the value is itself one or several of the quantiles: take their middle
        return (QUANTILE_LEVELS[below] + QUANTILE_LEVELS[up_to - 1]) / 2
    if below in (0, len(QUANTILE_LEVELS)):
        return float(below > 0)
    share = (value - quantiles[below - 1]) / (quantiles[below] - quantiles[below - 1])
    return QUANTILE_LEVELS[below - 1] + share * (QUANTILE_LEVELS[below] - QUANTILE_LEVELS[below - 1])
