"""Linear models of standardised inputs: logistic regression of the class, ridge regression of what a return was."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge

from udfs.scoring.linear import LinearPart
from udfs.scoring.trees import OUTPUTS

CLASSES = 3
STRENGTHS = (1e-4, 1e-3, 1e-2)
"""Inverse penalties of the logistic regression that are tried."""
_MOST_ROWS = 40_000
"""Of the rows that a logistic regression is fitted on: evenly thinned."""
_Column = npt.NDArray[np.float64]
_Classes = npt.NDArray[np.int64]
_Rows = npt.NDArray[np.intp]


def scaling_of(inputs: npt.NDArray[np.float32]) -> LinearPart:
    """A linear part that adds nothing: middle and spread of the training rows, and weights of 0."""
    low, middle, high = np.nanquantile(inputs, (0.16, 0.5, 0.84), axis=0).astype(np.float64)
    spread = np.where(high > low, (high - low) / 2, np.nanstd(inputs, axis=0, dtype=np.float64))
    outputs = len(OUTPUTS)
    return LinearPart(middle, np.where(spread > 0, spread, 1.0), np.zeros((outputs, inputs.shape[1])), np.zeros(outputs))


def fit_logistic(distances: _Column, classes: _Classes, strength: float, weight: _Column | None = None) -> tuple[_Column, _Column]:
    """Weights (3, inputs) and intercepts (3,) of log-probabilities. Classes that never happened are as good as impossible."""
    some = slice(None, None, -(-distances.shape[0] // _MOST_ROWS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=strength, max_iter=100)
        model.fit(distances[some], classes[some], None if weight is None else weight[some])
    weights, intercepts = np.zeros((CLASSES, distances.shape[1])), np.full(CLASSES, -10.0)
    weights[model.classes_], intercepts[model.classes_] = _by_class(model)
    return weights, intercepts


def _by_class(model: LogisticRegression) -> tuple[_Column, _Column]:
    """Of two classes scikit-learn keeps the difference only."""
    if model.coef_.shape[0] > 1:
        return model.coef_, model.intercept_
    return np.vstack([-model.coef_ / 2, model.coef_ / 2]), np.concatenate([-model.intercept_ / 2, model.intercept_ / 2])


def fit_ridge(distances: _Column, target: _Column, strength: float, weight: _Column | None = None) -> tuple[_Column, float]:
    """Weights (inputs,) and intercept of a target that is measured in its own deviations."""
    model = Ridge(alpha=1 / strength).fit(distances, target, weight)
    return np.asarray(model.coef_, np.float64), float(model.intercept_)


def best_strength(distances: _Column, classes: _Classes, folds: Iterable[tuple[_Rows, _Rows]]) -> float:
    """The strength that does best on the newest fold, fitted on the rows beside it."""
    train, held_out = list(folds)[-1]
    losses = {
        strength: _loss(fit_logistic(distances[train], classes[train], strength), distances[held_out], classes[held_out])
        for strength in STRENGTHS
    }
    return min(STRENGTHS, key=lambda strength: losses[strength])


def probabilities_of(fitted: tuple[_Column, _Column], distances: _Column) -> _Column:
    """(rows, 3) softmax of the log-probabilities."""
    scores = distances @ fitted[0].T + fitted[1]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)


def _loss(fitted: tuple[_Column, _Column], distances: _Column, classes: _Classes) -> float:
    said = probabilities_of(fitted, distances)[np.arange(classes.shape[0]), classes]
    return float(-np.log(np.maximum(said, 1e-15)).mean())
