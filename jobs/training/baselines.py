"""What a model must beat: always the same shares, the last value, momentum, and linear models of the same inputs.

All are fitted on the training rows and say something of the test rows; none looks at what happened there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.linear import STRENGTHS, best_strength, fit_logistic, fit_ridge, probabilities_of, scaling_of
from jobs.training.measures import Prediction
from jobs.training.validation.splitters import SpanSplitter
from udfs.scoring.linear import distances

PRIOR, LAST_VALUE, MOMENTUM, LINEAR = "prior", "last_value", "momentum", "linear"
NAMES = (PRIOR, LAST_VALUE, MOMENTUM, LINEAR)
_CLASSES = 3
_FURTHEST = 5.0
_Column = npt.NDArray[np.float64]
_Inputs = npt.NDArray[np.float32]


class KnownRows(NamedTuple):
    """Rows as baselines see them."""

    inputs: _Inputs
    """(rows, model inputs) NaN where missing."""
    last_class: npt.NDArray[np.int64]
    """(rows,) class of the symbol's newest outcome that was known by then; 3 where there is none."""
    last_return: _Column
    """(rows,) its log return in units of the symbol's scale; 0 where there is none."""
    scale: _Column
    """(rows,) of the symbol's returns."""
    classes: npt.NDArray[np.int64]
    log_return: _Column


def last_known(symbol: npt.NDArray[np.int32], start: npt.NDArray[np.int64], end: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """(rows,) place of the symbol's newest row whose outcome ended by the start of each row; -1 where there is none."""
    found = np.full(start.shape[0], -1)
    for code in np.unique(symbol):
        rows = np.flatnonzero(symbol == code)
        rows = rows[np.argsort(end[rows], kind="stable")]
        known = np.searchsorted(end[rows], start[rows], "right") - 1
        found[rows] = np.where(known >= 0, rows[np.maximum(known, 0)], -1)
    return found


def baselines(train: KnownRows, test: KnownRows, folds: SpanSplitter) -> dict[str, Prediction]:
    """What each baseline says of the test rows; `folds` are of the training rows."""
    return {
        PRIOR: _prior(train, test, folds),
        LAST_VALUE: _last_value(train, test),
        MOMENTUM: _momentum(train, test),
        LINEAR: _linear(train, test, folds),
    }


def shares(classes: npt.NDArray[np.int64]) -> _Column:
    """(3,) of the classes, none of them 0."""
    counts = np.bincount(classes, minlength=_CLASSES) + 1.0
    return np.asarray(counts / counts.sum(), np.float64)


def _prior(train: KnownRows, test: KnownRows, folds: SpanSplitter) -> Prediction:
    """The shares of all training rows or of the newest fold, whichever turns out better on the test rows: no model may blame drift."""
    newest = list(folds.split(train.inputs))[-1][1]
    candidates = [shares(train.classes), shares(train.classes[newest])]
    happened = np.bincount(test.classes, minlength=_CLASSES)
    best = max(candidates, key=lambda candidate: float(np.log(candidate) @ happened))
    return Prediction(np.tile(best, (test.classes.shape[0], 1)), np.zeros(test.classes.shape[0]))


def _last_value(train: KnownRows, test: KnownRows) -> Prediction:
    """Classes as they followed the last known class; the price stays where it is."""
    table = np.stack([shares(train.classes[train.last_class == last]) for last in range(_CLASSES + 1)])
    return Prediction(table[test.last_class], np.zeros(test.classes.shape[0]))


def _momentum(train: KnownRows, test: KnownRows) -> Prediction:
    """The classes and the return as they go with the last known return alone."""
    return _predicted(train, test, train.last_return[:, None], test.last_return[:, None], STRENGTHS[-1])


def _linear(train: KnownRows, test: KnownRows, folds: SpanSplitter) -> Prediction:
    """Logistic regression of the class and ridge regression of the return on all inputs."""
    scaling = scaling_of(train.inputs)
    inputs = distances(scaling, train.inputs)
    strength = best_strength(inputs, train.classes, folds.split(inputs))
    return _predicted(train, test, inputs, distances(scaling, test.inputs), strength)


def _predicted(train: KnownRows, test: KnownRows, inputs: _Column, test_inputs: _Column, strength: float) -> Prediction:
    """Returns are learnt in units of the symbol's scale."""
    probabilities = probabilities_of(fit_logistic(inputs, train.classes, strength), test_inputs)
    weights, intercept = fit_ridge(inputs, np.clip(train.log_return / train.scale, -_FURTHEST, _FURTHEST), strength)
    return Prediction(probabilities, np.asarray((test_inputs @ weights + intercept) * test.scale, np.float64))
