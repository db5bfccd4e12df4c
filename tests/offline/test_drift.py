"""Drift is found where it is, and rarely where it is not, however much the rows repeat each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.stats import ks_2samp

from jobs.monitoring.drift import DriftSettings, NotEnoughRows, Sample, feature_drift, kolmogorov_smirnov, population_stability

SETTINGS = DriftSettings()
BLOCK = 100


def slow(seed: int, rows: int, memory: float, shift: float = 0.0) -> Sample:
    """A stationary process that remembers, with variance 1."""
    shocks = np.random.default_rng(seed).normal(size=rows)
    shocks[1:] *= np.sqrt(1 - memory**2)
    return Sample(lfilter([1.0], [1.0, -memory], shocks) + shift, np.arange(rows) // BLOCK)


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_false_alarms_are_as_rare_as_is_asked_for(memory: float) -> None:
    """20 features, 1 % of comparisons: of 60 comparisons at most 3 raise any alarm, for rows that repeat each other as well."""
    alarms = 0
    for comparison in range(60):
        seeds = range(1000 * comparison, 1000 * comparison + 20)
        found = [feature_drift("x", slow(seed, 6000, memory), slow(seed + 500, 3000, memory), 20, SETTINGS) for seed in seeds]
        alarms += any(one.alarm for one in found)
    assert alarms <= 3


def test_thresholds_that_take_rows_for_independent_cry_wolf() -> None:
    """The mistake that the design effect is there for: the same rows, taken for independent, raise alarms half of the time."""
    cried = alarms = 0
    for seed in range(50):
        one, other = slow(seed, 6000, 0.98), slow(seed + 500, 3000, 0.98)
        cried += ks_2samp(one.values, other.values).pvalue < 0.01
        alarms += feature_drift("x", one, other, 1, SETTINGS).alarm
    assert cried > 25
    assert alarms <= 2


def test_a_shift_of_half_a_deviation_is_found_in_fifteen_hundred_rows() -> None:
    found = [feature_drift("x", slow(seed, 6000, 0.5), slow(seed + 500, 1500, 0.5, 0.5), 100, SETTINGS).alarm for seed in range(30)]
    assert sum(found) >= 29


def test_a_feature_that_goes_missing_drifts() -> None:
    one, other = slow(1, 4000, 0.5), slow(2, 2000, 0.5)
    gone = np.where(np.random.default_rng(3).random(2000) < 0.3, np.nan, other.values)
    found = feature_drift("x", one, Sample(gone, other.block), 100, SETTINGS)
    assert found.alarm
    assert found.psi > found.psi_threshold
    assert found.missing_share[1] == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize("values", [np.zeros(2000), np.full(2000, np.nan)])
def test_a_feature_that_never_varies_does_not_drift_from_itself(values: np.ndarray) -> None:
    sample = Sample(values, np.arange(2000) // BLOCK)
    found = feature_drift("x", sample, sample, 10, SETTINGS)
    assert (found.psi, found.distance, found.alarm) == (0.0, 0.0, False)


def test_a_constant_that_becomes_another_drifts() -> None:
    block = np.arange(2000) // BLOCK
    assert feature_drift("x", Sample(np.zeros(2000), block), Sample(np.ones(2000), block), 10, SETTINGS).alarm


def test_a_difference_that_does_not_matter_raises_no_alarm() -> None:
    """With very many rows anything is sure; it must be large as well."""
    assert not feature_drift("x", slow(1, 200_000, 0.0), slow(2, 200_000, 0.0, 0.03), 1, SETTINGS).alarm


def test_a_few_stretches_are_not_enough() -> None:
    with pytest.raises(NotEnoughRows, match="3 stretches"):
        feature_drift("x", slow(1, 4000, 0.0), slow(2, 300, 0.0), 1, SETTINGS)


@given(st.integers(0, 2**32 - 1))
def test_the_distance_is_scipys(seed: int) -> None:
    generator = np.random.default_rng(seed)
    one, other = generator.integers(0, 9, 50).astype(float), generator.integers(0, 12, 30).astype(float)
    assert kolmogorov_smirnov(one, other) == pytest.approx(ks_2samp(one, other).statistic)


def test_psi_of_known_shares() -> None:
    assert population_stability(np.array([0.5, 0.5]), np.array([0.5, 0.5])) == 0
    assert population_stability(np.array([0.5, 0.5]), np.array([0.25, 0.75])) == pytest.approx(0.25 * np.log(2) + 0.25 * np.log(1.5))
