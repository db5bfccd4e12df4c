"""A linear model and trees on what it leaves over, for direction, how far a return goes, and the return in units of that.

The same rows give the same bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import lightgbm
import numpy as np
import numpy.typing as npt

from jobs.training.export_onnx import export_model
from jobs.training.flatten_trees import Part, flatten
from jobs.training.linear import best_strength, fit_logistic, fit_ridge, scaling_of
from jobs.training.neural.network import NetworkSettings
from udfs.scoring.calibration import Calibration
from udfs.scoring.linear import LinearPart, distances
from udfs.scoring.model_metadata import ModelMetadata
from udfs.scoring.trees import decode_trees, encode_trees

_Rows = npt.NDArray[np.float32]
_Column = npt.NDArray[np.float64]
_Places = npt.NDArray[np.intp]
Rounds = tuple[int, int, int]
"""Of trees, for direction, return and size."""
_LARGEST_MOVE = 3.0
"""In deviations: what a return counts as at most when the expected return is learnt, so that a few jumps do not decide it."""


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What decides a model beside its rows."""

    horizon: int = 300_000_000_000
    """Nanoseconds."""
    tolerance: int | None = None
    """Nanoseconds that the later price may come after the horizon; a fifth of the horizon when not given."""
    embargo: int | None = None
    """Nanoseconds between two parts; the horizon when not given."""
    folds: int = 4
    """Parts of the training rows that are each scored by a model of the others, for calibration."""
    rounds: int = 60
    leaves: int = 15
    learning_rate: float = 0.05
    minimum_leaf_share: float = 0.01
    """Share of the training rows that a leaf must hold."""
    maximum_rows: int = 120_000
    """More labelled rows than this are thinned evenly."""
    minimum_confidence: float = 0.4
    """Below it a signal abstains, where no precision is asked for."""
    precision: float | None = None
    """Share of signals with a direction that must come true: the confidence below which signals abstain is chosen for it."""
    threads: int = 1
    """Fixed, because it decides the order of additions; one does not suffer from a busy machine, where more wait for each other."""
    seed: int = 20240808
    network: NetworkSettings | None = None
    """Of a network on top of the linear part, in place of trees."""

    @property
    def label_tolerance(self) -> int:
        """Nanoseconds that the later price may come after the horizon."""
        return self.horizon // 5 if self.tolerance is None else self.tolerance

    @property
    def gap(self) -> int:
        """Nanoseconds between two parts."""
        return self.horizon if self.embargo is None else self.embargo

    def as_dict(self) -> dict[str, Any]:
        """For the model card."""
        return asdict(self)


class Native(NamedTuple):
    """What the library that trained a model says of some rows."""

    raw_scores: _Column
    """(rows, outputs)."""
    contributions: _Column | None
    """(chosen rows, classes, inputs) beside those of the linear part; None where raw scores are their sum and nothing else is known."""


class AnyFitted(Protocol):
    """What gives the raw scores of the outputs in `OUTPUTS`: trees or a network, and a linear part."""

    @property
    def linear(self) -> LinearPart:
        """What the inputs add by themselves."""

    @property
    def library(self) -> str:
        """Name of what trained it."""

    @property
    def attribution_tolerance(self) -> float:
        """How far contributions may be from what the library says."""

    def natively(self, inputs: _Rows, chosen: _Places) -> Native:
        """What the library says of rows, and of what adds up to it in the chosen ones."""

    def entries(self) -> dict[str, str]:
        """What the model's metadata says for reasons, by field."""

    def file(self, metadata: ModelMetadata) -> bytes:
        """The model file."""

    def importance(self) -> _Column:
        """(inputs,) how much of the direction each decides."""


class Fitted(NamedTuple):
    """Trees and a linear part."""

    parts: tuple[Part, Part, Part]
    """Trees for direction, return in sigmas, and log sigma."""
    linear: LinearPart

    @property
    def library(self) -> str:
        """Name of what trained it."""
        return "LightGBM"

    @property
    def attribution_tolerance(self) -> float:
        """How far contributions may be from what the library says."""
        return 1e-9

    def natively(self, inputs: _Rows, chosen: _Places) -> Native:
        """By LightGBM and numpy."""
        return Native(predict(self, inputs), None)

    def entries(self) -> dict[str, str]:
        """The trees as arrays."""
        return {"trees": encode_trees(flatten(self.parts))}

    def file(self, metadata: ModelMetadata) -> bytes:
        """The model file of metadata with the trees."""
        return export_model(decode_trees(metadata.trees), metadata)

    def importance(self) -> _Column:
        """(inputs,) gain."""
        return np.asarray(self.parts[0].booster.feature_importance("gain"), np.float64)

    def corrected(self, return_scale: float, log_sigma_offset: float) -> Fitted:
        """With the return in sigmas multiplied, and log sigma moved."""
        direction, expected, size = self.parts
        parts = direction, expected._replace(scale=expected.scale * return_scale), size._replace(offset=size.offset + log_sigma_offset)
        factor = np.array([1.0, 1.0, 1.0, return_scale, 1.0])
        weights, intercepts = self.linear.weights * factor[:, None], self.linear.intercepts * factor
        return Fitted(parts, self.linear._replace(weights=weights, intercepts=intercepts))


class FittedModel(NamedTuple):
    """Raw scores, and what turns those of the classes into probabilities."""

    fitted: AnyFitted
    calibration: Calibration


class TrainingPart(NamedTuple):
    """Inputs and outcomes of some rows."""

    inputs: _Rows
    """(rows, model inputs)."""
    classes: npt.NDArray[np.int64]
    """(rows,) 0 down, 1 neutral, 2 up."""
    log_return: _Column
    weight: _Column
    """(rows,) how much each row counts, 1 on average."""


class Learner:
    """Fits models on rows of one training part, whose values are put into bins once; `strength` is that of the linear part."""

    def __init__(self, part: TrainingPart, settings: TrainingSettings, folds: Iterable[tuple[_Places, _Places]]) -> None:
        self.part, self.settings = part, settings
        self.scaling = scaling_of(part.inputs)
        self.distances = distances(self.scaling, part.inputs)
        self.strength = best_strength(self.distances, part.classes, folds)
        self._parameters = {
            "num_leaves": settings.leaves,
            "learning_rate": settings.learning_rate,
            "lambda_l2": 10.0,
            "max_bin": 63,
            "feature_fraction": 0.8,
            "feature_pre_filter": False,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": settings.threads,
            "seed": settings.seed,
            "verbose": -1,
        }
        nothing = np.zeros(part.classes.shape[0])
        self._bins = lightgbm.Dataset(part.inputs, nothing, weight=part.weight, params=self._parameters, free_raw_data=False).construct()

    def fit(self, rounds: Rounds | None = None) -> Fitted:
        """All outputs of all rows, with so many rounds of trees, those of the settings where none are named; nothing is calibrated yet."""
        rows = np.arange(self.part.classes.shape[0])
        counts = rounds or (self.settings.rounds,) * 3
        direction, size = self.direction(rows).grow(counts[0]), self.size(rows).grow(counts[2])
        move, unit = self.move(rows, np.exp(self.said(size, rows)[:, 0]))
        grown = direction, move.grow(counts[1]), size
        parts = (
            Part(direction.booster, 0, 1.0, 0.0, counts[0]),
            Part(move.booster, 3, 1.0, 0.0, counts[1]),
            Part(size.booster, 4, 1.0, float(np.log(unit)), counts[2]),
        )
        weights, intercepts = np.vstack([one.weights for one in grown]), np.concatenate([one.intercepts for one in grown])
        return Fitted(parts, self.scaling._replace(weights=weights, intercepts=intercepts))

    def direction(self, rows: _Places) -> Grown:
        """Log-probabilities of the classes."""
        classes = self.part.classes[rows]
        straight = fit_logistic(self.distances[rows], classes, self.strength, self.part.weight[rows])
        return self._begin(rows, classes, *straight, objective="multiclass", num_class=len(straight[1]))

    def size(self, rows: _Places) -> Grown:
        """Log of how far returns go."""
        log_return = self.part.log_return[rows]
        return self._regress(rows, np.log(np.abs(log_return) + 1e-3 * float(log_return.std())))

    def move(self, rows: _Places, spread: _Column) -> tuple[Grown, float]:
        """Returns in deviations, of which `spread` (rows,) says how large they are but for a factor; and that factor."""
        relative = self.part.log_return[rows] / spread
        unit = float(np.sqrt(np.square(relative).mean()))
        return self._regress(rows, np.clip(relative / unit, -_LARGEST_MOVE, _LARGEST_MOVE)), unit

    def said(self, grown: Grown, rows: _Places, rounds: int | None = None) -> _Column:
        """(rows, outputs) what one part says of some rows, with so many of its rounds, all where no number is given."""
        straight = self.distances[rows] @ grown.weights.T + grown.intercepts
        trees = raw_score(grown.booster, self.part.inputs[rows], rounds or grown.rounds)
        return np.asarray(straight + trees.reshape(straight.shape), np.float64)

    def _regress(self, rows: _Places, target: _Column) -> Grown:
        weights, intercept = fit_ridge(self.distances[rows], target, self.strength, self.part.weight[rows])
        return self._begin(rows, target, weights[None, :], np.array([intercept]), objective="regression")

    def _begin(self, rows: _Places, target: npt.NDArray[Any], weights: _Column, intercepts: _Column, **objective: Any) -> Grown:
        """No trees yet, on what the linear part leaves over."""
        chosen = self._bins.subset(rows.tolist()).construct()
        chosen.set_label(np.asarray(target, np.float64))
        chosen.set_init_score(np.squeeze(self.distances[rows] @ weights.T + intercepts))
        leaf = max(20, int(self.settings.minimum_leaf_share * target.shape[0]))
        booster = lightgbm.Booster({**self._parameters, **objective, "min_data_in_leaf": leaf}, chosen)
        return Grown(booster, weights, intercepts)


@dataclass(slots=True)
class Grown:
    """Trees of one part and the linear model that they are grown on top of."""

    booster: lightgbm.Booster
    weights: _Column
    """(outputs, inputs)."""
    intercepts: _Column
    rounds: int = 0

    def grow(self, rounds: int) -> Grown:
        """At least so many rounds."""
        for _ in range(rounds - self.rounds):
            self.booster.update()
        self.rounds = max(self.rounds, rounds)
        return self


def raw_score(booster: lightgbm.Booster, inputs: _Rows, rounds: int | None = None) -> _Column:
    """A booster's raw score, by LightGBM: (rows,) or (rows, 3)."""
    return np.asarray(booster.predict(inputs, raw_score=True, num_threads=1, num_iteration=rounds), np.float64)


def predict(fitted: Fitted, inputs: _Rows) -> _Column:
    """(rows, 5) raw scores of the outputs, by LightGBM and numpy."""
    trees = np.column_stack([raw_score(part.booster, inputs, part.rounds) * part.scale + part.offset for part in fitted.parts])
    return np.asarray(trees + distances(fitted.linear, inputs) @ fitted.linear.weights.T + fitted.linear.intercepts, np.float64)
