"""Whether a feature is distributed as it was: PSI and Kolmogorov-Smirnov, with thresholds that know how much the rows tell. No labels.

Rows that follow each other, and rows of all symbols at one moment, repeat each other, so a thousand of them may tell as much as ten. How
much is measured: the distribution varies between stretches of time by more than that of independent rows would, and the number of rows is
divided by that factor (Kish's design effect). With n and m rows of that kind, without drift:

- PSI is about (1/n + 1/m) times chi-squared with bins - 1 degrees of freedom (Yurdakul 2018, "Statistical properties of the population
  stability index");
- the Kolmogorov-Smirnov distance exceeds sqrt(-ln(a/2)/2 * (1/n + 1/m)) in a share a of cases (Smirnov 1939).

The allowed share of false alarms is of all features and both tests together (Bonferroni), so more features do not mean more false alarms.
A drift must be large as well as sure: with very many rows, differences that do not matter are sure too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

BINS: Final = 10
MISSING: Final = "missing"
_TESTS: Final = 2
_FEWEST_BLOCKS: Final = 8
_JOINED: Final = (2, 4)
_FEWEST_JOINED: Final = 16
_LEAST: Final = 1e-4
Column = npt.NDArray[np.float64]
Blocks = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DriftSettings:
    """When to raise an alarm."""

    false_alarms: float = 0.01
    """Share of comparisons without any drift in which any feature raises one."""
    least_psi: float = 0.02
    """Smaller ones do not matter, however sure they are."""
    least_distance: float = 0.03
    """The same of Kolmogorov-Smirnov."""
    block: int = 600 * 1_000_000_000
    """Nanoseconds: rows of different blocks are taken to tell different things; longer than the features' windows is safe."""


class Sample(NamedTuple):
    """One feature's rows in one stretch of time."""

    values: Column
    """(rows,) NaN where missing."""
    block: Blocks
    """(rows,) number of the stretch that each row lies in."""


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """How far one feature is from what it was."""

    feature: str
    psi: float
    psi_threshold: float
    distance: float
    """Kolmogorov-Smirnov."""
    distance_threshold: float
    effective_rows: tuple[float, float]
    """How many independent rows the reference and the recent ones are worth."""
    missing_share: tuple[float, float]
    alarm: bool

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


class NotEnoughRows(ValueError):
    """Too few stretches of time to tell how much the rows repeat each other."""


def feature_drift(feature: str, reference: Sample, recent: Sample, features: int, settings: DriftSettings) -> FeatureDrift:
    """Compare two samples of one of `features` features. Raises NotEnoughRows below 8 blocks of either."""
    edges = _edges(reference.values)
    shares = [_shares_by_block(sample, edges) for sample in (reference, recent)]
    effect = [design_effect(by_block) for by_block in shares]
    worth = reference.values.shape[0] / effect[0], recent.values.shape[0] / max(effect)  # few recent blocks tell little of their own effect
    noise = sum(1 / rows for rows in worth)
    alpha = settings.false_alarms / features / _TESTS
    whole = [_weighted(by_block) for by_block in shares]
    psi = population_stability(*whole)
    distance = kolmogorov_smirnov(reference.values, recent.values)
    psi_threshold = max(settings.least_psi, noise * float(chi2.isf(alpha, max(1, whole[0].shape[0] - 1))))
    distance_threshold = max(settings.least_distance, float(np.sqrt(-np.log(alpha / 2) / 2 * noise)))
    missing = float(np.isnan(reference.values).mean()), float(np.isnan(recent.values).mean())
    alarm = psi > psi_threshold or distance > distance_threshold
    return FeatureDrift(feature, psi, psi_threshold, distance, distance_threshold, worth, missing, bool(alarm))


class _ByBlock(NamedTuple):
    shares: Column
    """(blocks, bins)."""
    rows: Column
    """(blocks,)."""


def _edges(values: Column) -> Column:
    """Inner edges of bins that hold about as many reference values each; fewer where values repeat."""
    known = values[~np.isnan(values)]
    return np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if known.size else np.zeros(0)


def _shares_by_block(sample: Sample, edges: Column) -> _ByBlock:
    """The last bin is of missing values."""
    place = np.where(np.isnan(sample.values), edges.shape[0] + 1, np.searchsorted(edges, sample.values, "left"))
    _, block = np.unique(sample.block, return_inverse=True)
    bins = edges.shape[0] + 2
    counts = np.bincount(block * bins + place, minlength=(int(block.max()) + 1) * bins).reshape(-1, bins).astype(np.float64)
    rows = counts.sum(axis=1)
    return _ByBlock(counts / rows[:, None], rows)


def _weighted(by_block: _ByBlock) -> Column:
    return np.asarray(by_block.rows @ by_block.shares / by_block.rows.sum(), np.float64)


def design_effect(by_block: _ByBlock) -> float:
    """How many rows tell as much as one independent row would; at least 1. Raises NotEnoughRows.

    Blocks that are too short for what the rows remember make it too small, so it is looked at with twice and four times as long ones too,
    where enough of them are left, and the largest counts.
    """
    if by_block.rows.shape[0] < _FEWEST_BLOCKS:
        raise NotEnoughRows(f"rows of {by_block.rows.shape[0]} stretches of time, expected {_FEWEST_BLOCKS} or more; take a longer range")
    longer = [_joined(by_block, count) for count in _JOINED if by_block.rows.shape[0] // count >= _FEWEST_JOINED]
    return max(1.0, *(_effect(blocks) for blocks in (by_block, *longer)))


def _joined(by_block: _ByBlock, count: int) -> _ByBlock:
    """Blocks that are so many times as long."""
    first = np.arange(0, by_block.rows.shape[0], count)
    rows = np.add.reduceat(by_block.rows, first)
    return _ByBlock(np.add.reduceat(by_block.shares * by_block.rows[:, None], first) / rows[:, None], rows)


def _effect(by_block: _ByBlock) -> float:
    """By how much the distribution function varies more between blocks than independent rows' would.

    The distribution function, not the single bins: what is slow moves many bins one way. The effect is raised by one deviation of what so
    few blocks tell of it.
    """
    blocks, rows = by_block.rows.shape[0], float(by_block.rows.sum())
    below = np.cumsum(by_block.shares, axis=1)[:, :-1]
    weight = by_block.rows / rows
    whole = weight @ below
    between = float((np.square(below - whole) * np.square(weight)[:, None]).sum()) * blocks / (blocks - 1)
    independent = float((whole * (1 - whole)).sum()) / rows
    effect = between / independent if independent > 0 else 1.0
    return float(effect * (1 + np.sqrt(2 / blocks)))


def population_stability(expected: Column, found: Column) -> float:
    """Sum of (found - expected) ln(found / expected) over bins; 0 for equal shares."""
    one, other = np.maximum(expected, _LEAST), np.maximum(found, _LEAST)
    return float(((other - one) * np.log(other / one)).sum())


def kolmogorov_smirnov(one: Column, other: Column) -> float:
    """Largest distance of the two distributions of known values; 0 where either has none."""
    first, second = np.sort(one[~np.isnan(one)]), np.sort(other[~np.isnan(other)])
    if not first.size or not second.size:
        return 0.0
    at = np.concatenate([first, second])
    return float(np.abs(np.searchsorted(first, at, "right") / first.size - np.searchsorted(second, at, "right") / second.size).max())
