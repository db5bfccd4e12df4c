"""Three LightGBM models of one dataset: direction, expected return, and how far off that return is. Same rows, same bits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import lightgbm
import numpy as np
import numpy.typing as npt

from jobs.training.flatten_trees import Part
from udfs.scoring.calibration import Calibration, fit_calibration

_Rows = npt.NDArray[np.float32]
_Column = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What decides a model beside its rows."""

    horizon: int = 300_000_000_000
    """Nanoseconds."""
    tolerance: int | None = None
    """Nanoseconds that the later price may come after the horizon; a fifth of the horizon when not given."""
    embargo: int | None = None
    """Nanoseconds between two parts; the horizon when not given."""
    rounds: int = 60
    leaves: int = 15
    learning_rate: float = 0.05
    minimum_leaf_share: float = 0.01
    """Share of the training rows that a leaf must hold."""
    maximum_rows: int = 200_000
    """More labelled rows than this are thinned evenly."""
    minimum_confidence: float = 0.4
    threads: int = 1
    """Fixed, because it decides the order of additions; one does not suffer from a busy machine, where more wait for each other."""
    seed: int = 20240808

    @property
    def label_tolerance(self) -> int:
        """Nanoseconds that the later price may come after the horizon."""
        return self.horizon // 5 if self.tolerance is None else self.tolerance

    def as_dict(self) -> dict[str, Any]:
        """For the model card."""
        return asdict(self)


class FittedModel(NamedTuple):
    """Boosters with what turns their raw scores into a model's outputs."""

    parts: tuple[Part, Part, Part]
    calibration: Calibration


class TrainingPart(NamedTuple):
    """Inputs and outcomes of some rows."""

    inputs: _Rows
    """(rows, model inputs)."""
    classes: npt.NDArray[np.int64]
    """(rows,) 0 down, 1 neutral, 2 up."""
    log_return: _Column
    weight: _Column | None = None
    """(rows,) how much each row counts, 1 on average; None counts all alike. Only training rows are weighted."""


def fit(train: TrainingPart, held_out: TrainingPart, settings: TrainingSettings) -> FittedModel:
    """Fit on `train`; calibrate probabilities, the return's shrinkage and sigma's level on `held_out`."""
    direction = _boost(train, train.classes, settings, objective="multiclass", num_class=3)
    expected = _fit_return(train, held_out, settings)
    sigma = _fit_sigma(train, held_out, expected, settings)
    raw_scores = np.asarray(direction.predict(held_out.inputs, raw_score=True))
    return FittedModel((Part(direction, 0, 1.0, 0.0), expected, sigma), fit_calibration(raw_scores, held_out.classes))


def predict(part: Part, inputs: _Rows) -> _Column:
    """A part's own prediction, by LightGBM: (rows,) or (rows, 3)."""
    raw_scores = np.asarray(part.booster.predict(inputs, raw_score=True, num_threads=1), np.float64)
    return raw_scores * part.scale + part.offset


def _fit_return(train: TrainingPart, held_out: TrainingPart, settings: TrainingSettings) -> Part:
    """Regression in units of the returns' deviation, then shrunk towards 0 by what it is worth on held-out rows (0 to 1 times)."""
    unit = float(train.log_return.std())
    booster = _boost(train, train.log_return / unit, settings, objective="regression")
    predicted = np.asarray(booster.predict(held_out.inputs, raw_score=True)) * unit
    power = float(predicted @ predicted)
    worth = float(predicted @ held_out.log_return) / power if power > 0 else 0.0
    return Part(booster, 3, unit * min(max(worth, 0.0), 1.0), 0.0)


def _fit_sigma(train: TrainingPart, held_out: TrainingPart, expected: Part, settings: TrainingSettings) -> Part:
    """Regression of log |residual|; its level is set so that (residual / sigma)² has mean 1 on held-out rows."""
    floor = 1e-3 * float(train.log_return.std())
    residual = np.abs(train.log_return - predict(expected, train.inputs))
    booster = _boost(train, np.log(residual + floor), settings, objective="regression")
    log_sigma = np.asarray(booster.predict(held_out.inputs, raw_score=True))
    squared = np.square((held_out.log_return - predict(expected, held_out.inputs)) / np.exp(log_sigma))
    return Part(booster, 4, 1.0, 0.5 * float(np.log(max(float(squared.mean()), 1e-12))))


def _boost(train: TrainingPart, target: npt.NDArray[Any], settings: TrainingSettings, **objective: Any) -> lightgbm.Booster:
    parameters = {
        **objective,
        "num_leaves": settings.leaves,
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": max(20, int(settings.minimum_leaf_share * train.inputs.shape[0])),
        "lambda_l2": 10.0,
        "max_bin": 63,
        "feature_fraction": 0.8,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": settings.threads,
        "seed": settings.seed,
        "verbose": -1,
    }
    return lightgbm.train(parameters, lightgbm.Dataset(train.inputs, np.asarray(target, np.float64), weight=train.weight), settings.rounds)
