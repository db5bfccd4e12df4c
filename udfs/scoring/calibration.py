"""Calibrated class probabilities: softmax of raw scores after one temperature and one bias a class, and a curve a class where it helps.

Temperature scaling with a bias a class (Guo, Pleiss, Sun, Weinberger 2017, "On calibration of modern neural networks"): what Platt's
sigmoid is for two classes. The temperature is positive, so each class's probability grows with its own raw score. Few parameters and no
bins: fits on a few hundred held-out rows. Where the distortion has another shape, isotonic curves take each class's probability to what
happened (Zadrozny and Elkan 2002), and the three are divided by their sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

CLASSES = 3
_STEPS = 60
_PENALTY_ROWS = 1.0
"""Ridge towards the uncalibrated model, worth about one row: keeps the fit finite on separable or tiny data."""


Curve = tuple[tuple[float, ...], tuple[float, ...]]
"""Probabilities before, increasing, and after, not decreasing and above 0: straight between these points, level outside of them."""
SMALLEST_PROBABILITY = 1e-4
"""Of a curve: keeps the sum of three above 0."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """probabilities = curves(softmax(raw_scores * scale + biases)), divided by their sum where there are curves."""

    scale: float = 1.0
    """Inverse temperature, above 0."""
    biases: tuple[float, float, float] = (0.0, 0.0, 0.0)
    curves: tuple[Curve, ...] = ()
    """One for each class, all with as many points, or none."""


def curve_points(calibration: Calibration) -> npt.NDArray[np.float64]:
    """(classes, 2, points) of the curves; no points without curves."""
    return np.array(calibration.curves, np.float64) if calibration.curves else np.empty((CLASSES, 2, 0))


@numba.njit(cache=True, nogil=True)
def _bend(probabilities: npt.NDArray[np.float64], points: npt.NDArray[np.float64]) -> None:
    """Each class's probability along its curve, in place, then divided by their sum."""
    last = points.shape[2] - 1
    for row in range(probabilities.shape[0]):
        total = 0.0
        for k in range(CLASSES):
            x, y, p = points[k, 0], points[k, 1], probabilities[row, k]
            if p <= x[0]:
                bent = y[0]
            elif p >= x[last]:
                bent = y[last]
            else:
                right = np.searchsorted(x, p, "right")
                bent = y[right - 1] + (y[right] - y[right - 1]) * (p - x[right - 1]) / (x[right] - x[right - 1])
            probabilities[row, k] = bent
            total += bent
        for k in range(CLASSES):
            probabilities[row, k] /= total


@numba.njit(cache=True, nogil=True)
def _softmax(raw_scores: npt.NDArray[np.float64], scale: float, biases: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    result = np.empty((raw_scores.shape[0], CLASSES), np.float64)
    for row in range(raw_scores.shape[0]):
        top = -np.inf
        for k in range(CLASSES):
            result[row, k] = raw_scores[row, k] * scale + biases[k]
            top = max(top, result[row, k])
        total = 0.0
        for k in range(CLASSES):
            result[row, k] = np.exp(result[row, k] - top)
            total += result[row, k]
        for k in range(CLASSES):
            result[row, k] /= total
    return result


def calibrate(
    raw_scores: npt.NDArray[np.floating[Any]], calibration: Calibration, points: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]:
    """(rows, 3) raw scores -> (rows, 3) probabilities that sum to 1; a row's bits do not depend on the other rows.

    `points` are `curve_points` of the same calibration, for callers that keep them.
    """
    scores = np.ascontiguousarray(raw_scores, np.float64)
    probabilities = _softmax(scores, calibration.scale, calibration.biases)
    points = curve_points(calibration) if points is None else points
    if points.shape[2]:
        _bend(probabilities, points)
    return probabilities  # type: ignore[no-any-return]


def log_loss(probabilities: npt.NDArray[np.float64], classes: npt.NDArray[np.integer[Any]]) -> float:
    """Mean negative log probability of what happened."""
    happened = probabilities[np.arange(classes.shape[0]), classes]
    return float(-np.log(np.maximum(happened, 1e-15)).mean())


def fit_calibration(raw_scores: npt.NDArray[np.floating[Any]], classes: npt.NDArray[np.integer[Any]]) -> Calibration:
    """Parameters that minimise the log-loss on held-out rows: Newton steps with step halving from the uncalibrated model.

    Args: raw_scores (rows, 3), classes (rows,) in 0..2. Raises ValueError without rows.
    """
    if classes.shape[0] == 0:
        raise ValueError("calibration needs at least one held-out row")
    scores = np.ascontiguousarray(raw_scores, np.float64)
    parameters = np.zeros(1 + CLASSES)
    loss = _penalised_loss(scores, classes, parameters)
    for _ in range(_STEPS):
        step = _newton_step(scores, classes, parameters)
        size = 1.0
        while size > 1e-6 and _penalised_loss(scores, classes, parameters - size * step) >= loss:
            size /= 2
        if size <= 1e-6:
            break
        parameters = parameters - size * step
        loss = _penalised_loss(scores, classes, parameters)
    return _as_calibration(parameters)


def _as_calibration(parameters: npt.NDArray[np.float64]) -> Calibration:
    """(log scale, three biases) -> Calibration."""
    centred = parameters[1:] - parameters[1:].mean()
    return Calibration(float(np.exp(parameters[0])), (float(centred[0]), float(centred[1]), float(centred[2])))


def _penalised_loss(scores: npt.NDArray[np.float64], classes: npt.NDArray[np.integer[Any]], parameters: npt.NDArray[np.float64]) -> float:
    if abs(parameters[0]) > 20:
        return float("inf")
    probabilities = _softmax(scores, float(np.exp(parameters[0])), parameters[1:])
    ridge = _PENALTY_ROWS / int(classes.shape[0]) * float(parameters @ parameters)
    return log_loss(probabilities, classes) + ridge


def _newton_step(
    scores: npt.NDArray[np.float64], classes: npt.NDArray[np.integer[Any]], parameters: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Gauss-Newton direction of the penalised loss at `parameters`."""
    rows = classes.shape[0]
    ridge = 2 * _PENALTY_ROWS / rows
    scaled = scores * np.exp(parameters[0])
    probabilities = _softmax(scores, float(np.exp(parameters[0])), parameters[1:])
    jacobian = np.concatenate([scaled[:, :, None], np.broadcast_to(np.eye(CLASSES), (rows, CLASSES, CLASSES))], axis=2)
    residual = probabilities - np.eye(CLASSES)[classes]
    gradient = np.einsum("rk,rkp->p", residual, jacobian) / rows + ridge * parameters
    mean = np.einsum("rk,rkp->rp", probabilities, jacobian)
    hessian = np.einsum("rk,rkp,rkq->pq", probabilities, jacobian, jacobian) - np.einsum("rp,rq->pq", mean, mean)
    return np.linalg.solve(hessian / rows + ridge * np.eye(1 + CLASSES), gradient)
