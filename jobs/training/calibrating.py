"""From raw scores of unseen rows to probabilities that mean what they say: Platt's way or isotonic, whichever does better when left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from udfs.scoring.calibration import SMALLEST_PROBABILITY, Calibration, Curve, calibrate, fit_calibration, log_loss

METHODS = ("platt", "isotonic")
_POINTS = 20
_NEAREST = 0.005
"""Distance of two points of a curve: keeps slopes small enough that float32 gives the same probabilities."""
_Scores = npt.NDArray[np.float64]
_Classes = npt.NDArray[np.int64]
_Places = npt.NDArray[np.intp]
_Measure = Callable[[_Places], float]


class Calibrated(NamedTuple):
    """The calibration that was chosen, and why."""

    calibration: Calibration
    method: str
    losses: dict[str, float]
    """Log-loss by method over all folds, each calibrated by the others."""
    probabilities: _Scores
    """(rows, 3) of every row, by the chosen method fitted on the other folds."""


def calibrate_by_fold(raw_scores: _Scores, classes: _Classes, fold: npt.NDArray[np.int64]) -> Calibrated:
    """Choose a method on folds and fit it on all rows; raw_scores (rows, 3)."""
    found = {method: _left_out(method, raw_scores, classes, fold) for method in METHODS}
    losses = {method: log_loss(probabilities, classes) for method, probabilities in found.items()}
    method = min(METHODS, key=lambda name: losses[name])
    return Calibrated(_fit(method, raw_scores, classes), method, losses, found[method])


def _left_out(method: str, raw_scores: _Scores, classes: _Classes, fold: npt.NDArray[np.int64]) -> _Scores:
    probabilities = np.empty_like(raw_scores)
    for number in np.unique(fold):
        inside = fold == number
        probabilities[inside] = calibrate(raw_scores[inside], _fit(method, raw_scores[~inside], classes[~inside]))
    return probabilities


def _fit(method: str, raw_scores: _Scores, classes: _Classes) -> Calibration:
    straight = fit_calibration(raw_scores, classes)
    if method == "platt":
        return straight
    probabilities = calibrate(raw_scores, straight)
    curves = tuple(_curve(probabilities[:, k], classes == k) for k in range(probabilities.shape[1]))
    points = min(len(before) for before, _ in curves)
    return Calibration(straight.scale, straight.biases, tuple(_thinned(curve, points) for curve in curves)) if points > 1 else straight


def _curve(probability: _Scores, happened: npt.NDArray[np.bool_]) -> Curve:
    """Isotonic regression of what happened over groups of equal size, so that no point hangs on a few rows."""
    groups = _groups(probability)
    before, share, rows = (np.array([measure(group) for group in groups]) for measure in _measures(probability, happened))
    after = IsotonicRegression(y_min=SMALLEST_PROBABILITY, y_max=1.0).fit_transform(before, share, sample_weight=rows)
    return tuple(before.tolist()), tuple(after.tolist())


def _measures(probability: _Scores, happened: npt.NDArray[np.bool_]) -> tuple[_Measure, _Measure, _Measure]:
    return (lambda group: float(probability[group].mean()), lambda group: float(happened[group].mean()), lambda group: float(group.size))


def _groups(probability: _Scores) -> list[_Places]:
    """Rows by probability, in groups whose means are not too near each other."""
    first, *others = (group for group in np.array_split(np.argsort(probability, kind="stable"), _POINTS) if group.size)
    groups = [first]
    for group in others:
        if probability[group].mean() - probability[groups[-1]].mean() < _NEAREST:
            groups[-1] = np.concatenate([groups[-1], group])
        else:
            groups.append(group)
    return groups


def _thinned(curve: Curve, points: int) -> Curve:
    """The curve at `points` of its points, first and last among them."""
    places = np.linspace(0, len(curve[0]) - 1, points).round().astype(int)
    return tuple(curve[0][k] for k in places), tuple(curve[1][k] for k in places)
