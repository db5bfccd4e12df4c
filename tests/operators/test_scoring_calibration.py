"""Calibration keeps order, never makes held-out rows worse, and finds the distortion that was put in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.scoring.calibration import Calibration, calibrate, fit_calibration, log_loss

some_scores = st.lists(st.tuples(*[st.floats(-5, 5)] * 3), min_size=1, max_size=60)


def draw(raw_scores: npt.NDArray[np.float64], truth: Calibration, seed: int = 3) -> npt.NDArray[np.int64]:
    """Classes that happen with the probabilities that `truth` gives."""
    cumulative = calibrate(raw_scores, truth).cumsum(axis=1)
    above = np.random.default_rng(seed).random((len(raw_scores), 1)) > cumulative
    return np.asarray(np.minimum(above.sum(axis=1), 2), np.int64)


@given(some_scores, st.data())
def test_it_never_fits_worse_than_no_calibration(rows: list[tuple[float, float, float]], data: st.DataObject) -> None:
    scores = np.array(rows)
    classes = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows))))
    fitted = fit_calibration(scores, classes)
    assert np.isfinite(fitted.scale)
    assert fitted.scale > 0
    assert log_loss(calibrate(scores, fitted), classes) <= log_loss(calibrate(scores, Calibration()), classes) + 1e-9


def test_it_finds_overconfidence_and_a_shift() -> None:
    scores = np.random.default_rng(0).normal(size=(40_000, 3)) * 2
    truth = Calibration(0.4, (0.3, -0.5, 0.2))
    fitted = fit_calibration(scores, draw(scores, truth))
    assert fitted.scale == pytest.approx(truth.scale, rel=0.05)
    assert np.allclose(fitted.biases, truth.biases, atol=0.05)


def test_scores_that_know_nothing_become_the_shares() -> None:
    generator = np.random.default_rng(1)
    scores, classes = generator.normal(size=(20_000, 3)), generator.choice(3, 20_000, p=[0.2, 0.5, 0.3])
    calibrated = calibrate(scores, fit_calibration(scores, classes))
    assert np.allclose(calibrated, [0.2, 0.5, 0.3], atol=0.1)


@given(st.floats(0.05, 5), st.tuples(*[st.floats(-2, 2)] * 3), st.integers(0, 2), some_scores)
def test_more_raw_score_is_never_less_probable(
    scale: float, biases: tuple[float, float, float], place: int, rows: list[tuple[float, float, float]]
) -> None:
    scores = np.array(rows)
    raised = scores.copy()
    raised[:, place] += 0.5
    calibration = Calibration(scale, biases)
    assert np.all(calibrate(raised, calibration)[:, place] >= calibrate(scores, calibration)[:, place])


def test_it_needs_rows() -> None:
    with pytest.raises(ValueError, match="held-out"):
        fit_calibration(np.empty((0, 3)), np.empty(0, np.int64))
