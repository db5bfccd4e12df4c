"""Measures with weights are what others compute without, and their intervals cover what they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import average_precision_score

from jobs.training.measures import Happened, Prediction, average_precision, correlation, difference, direction_log_loss, measures_of, ranked
from jobs.training.resampling import blocks_in_time, drawn, estimate, estimates

seeds = st.integers(0, 2**32 - 1)


def some(seed: int, rows: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores with ties, which are positive, and whole weights."""
    generator = np.random.default_rng(seed)
    score = generator.integers(0, 8, rows) / 8
    return score, generator.random(rows) < 0.3 + 0.4 * score, generator.integers(0, 3, rows).astype(float)


@given(seeds)
def test_average_precision_is_scikit_learns(seed: int) -> None:
    """Law: with weights as well, equal scores taken together."""
    score, positive, weights = some(seed)
    if (weights[positive] > 0).any():
        expected = average_precision_score(positive, score, sample_weight=weights)
        assert average_precision(score, positive)(weights) == pytest.approx(expected)


@given(seeds)
def test_a_weight_is_a_row_taken_so_often(seed: int) -> None:
    """Law: every measure of weighted rows is that of the rows repeated."""
    generator = np.random.default_rng(seed)
    weights = generator.integers(0, 3, 40)
    weights[0] = 1
    probabilities, returns, classes = generator.dirichlet(np.ones(3), 40), generator.normal(size=(40, 2)), generator.integers(0, 3, 40)
    again = np.repeat(np.arange(40), weights)
    whole = measures_of(Prediction(probabilities, returns[:, 0]), Happened(classes, returns[:, 1]))
    repeated = measures_of(Prediction(probabilities[again], returns[again, 0]), Happened(classes[again], returns[again, 1]))
    for name in ("log_loss", "direction_log_loss", "pr_auc", "information_coefficient"):
        assert whole[name](weights.astype(float)) == pytest.approx(repeated[name](np.ones(again.size)), abs=1e-9)


@given(seeds)
def test_correlations_are_the_usual_ones(seed: int) -> None:
    generator = np.random.default_rng(seed)
    one, other = generator.normal(size=30), generator.integers(0, 5, 30).astype(float)
    ones = np.ones(30)
    if other.std() > 0:
        assert correlation(one * 1e-9, other * 1e-6)(ones) == pytest.approx(np.corrcoef(one, other)[0, 1], abs=1e-9)
        assert correlation(ranked(one), ranked(other))(ones) == pytest.approx(spearmanr(one, other).statistic, abs=1e-9)


def test_direction_is_asked_of_rows_that_moved_only() -> None:
    """Knowing that it will be lively is no direction: only the split between up and down counts."""
    classes = np.array([0, 2, 1, 2])
    lively = np.array([[0.45, 0.1, 0.45]] * 4)
    quiet = np.array([[0.05, 0.9, 0.05]] * 4)
    ones = np.ones(4)
    assert direction_log_loss(lively, classes)(ones) == pytest.approx(np.log(2))
    assert direction_log_loss(quiet, classes)(ones) == pytest.approx(np.log(2))
    assert direction_log_loss(quiet, np.array([1, 1, 1, 1]))(ones) == 0


def test_nothing_varies_nothing_is_correlated() -> None:
    assert correlation(np.full(5, 0.1), np.arange(5.0))(np.ones(5)) == 0


def test_intervals_cover_as_often_as_they_say_for_rows_that_repeat_each_other() -> None:
    """Of rows that come in runs of ten equal ones: intervals that take them for independent would miss two times in three."""
    covered = 0
    for seed in range(100):
        values = np.repeat(np.random.default_rng(seed).normal(size=30), 10)
        found = estimate(blocks_in_time(np.arange(300), 10), lambda weights, values=values: float(values @ weights / weights.sum()))
        covered += found.low <= 0 <= found.high
    assert 88 <= covered <= 99


def test_one_block_has_no_interval() -> None:
    found = estimate(blocks_in_time(np.arange(5), 10), lambda weights: float(weights.sum()))
    assert found.value == 5
    assert np.isnan(found.low)
    assert np.isnan(found.high)


def test_a_difference_is_paired() -> None:
    """Two measures that scatter alike differ surely, though each alone is unsure."""
    values = np.random.default_rng(0).normal(size=200)
    blocks = blocks_in_time(np.arange(200), 5)
    better, worse = (lambda weights, by=by: float((values + by) @ weights / weights.sum()) for by in (0.01, 0.0))
    found = estimates(blocks, {"better": better, "gain": difference(better, worse)})
    assert found["better"].low < 0
    assert found["gain"].low == pytest.approx(0.01)


def test_draws_are_the_same_each_time() -> None:
    blocks = blocks_in_time(np.arange(20), 4)
    assert all(np.array_equal(one, other) for one, other in zip(drawn(blocks, 3), drawn(blocks, 3), strict=True))
    assert {weights.sum() for weights in drawn(blocks, 5)} == {20.0}
