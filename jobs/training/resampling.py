"""How sure a measure is: whole stretches of time are drawn again and again, as neighbouring rows, of all symbols, tell the same story.

The block bootstrap of Künsch (1989) with blocks that do not overlap. An interval is the measure plus and minus Student's quantile, for one
block less than there are, times the deviation over the draws: with few blocks, percentiles of the draws would be too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

DRAWS = 200
_SEED = 7
Column = npt.NDArray[np.float64]
Measure = Callable[[Column], float]
"""Weights of the rows -> value."""


class Blocks(NamedTuple):
    """Which stretch of time each row lies in."""

    number: npt.NDArray[np.intp]
    """(rows,) from 0."""
    total: int

    @property
    def ones(self) -> Column:
        """(rows,) every row once."""
        return np.ones(self.number.shape[0])


class Estimate(NamedTuple):
    """A measure and its 95 % interval; NaN bounds below two blocks."""

    value: float
    low: float
    high: float

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper bound."""
        return self.low, self.high


def blocks_in_time(start: npt.NDArray[np.int64], length: int) -> Blocks:
    """The stretches of `length` nanoseconds that hold rows."""
    found, number = np.unique((start - start.min()) // length, return_inverse=True)
    return Blocks(number, found.shape[0])


def drawn(blocks: Blocks, draws: int = DRAWS) -> Iterator[Column]:
    """(rows,) how often each row is taken, for each draw of as many blocks as there are; the same each time."""
    generator = np.random.default_rng(_SEED)
    for _ in range(draws):
        times = np.bincount(generator.integers(blocks.total, size=blocks.total), minlength=blocks.total)
        yield times[blocks.number].astype(np.float64)


def estimates(blocks: Blocks, measures: Mapping[str, Measure]) -> dict[str, Estimate]:
    """Each measure with its interval; all see the same draws, so that a measure of a difference is paired."""
    values = {name: measure(blocks.ones) for name, measure in measures.items()}
    if blocks.total < 2:
        return {name: Estimate(value, np.nan, np.nan) for name, value in values.items()}
    table = np.array([[measure(weights) for measure in measures.values()] for weights in drawn(blocks)])
    reach = float(student.ppf(0.975, blocks.total - 1)) * table.std(axis=0, ddof=1)
    return {name: Estimate(value, value - by, value + by) for (name, value), by in zip(values.items(), reach.tolist(), strict=True)}


def estimate(blocks: Blocks, measure: Measure) -> Estimate:
    """One measure with its interval."""
    return estimates(blocks, {"": measure})[""]
