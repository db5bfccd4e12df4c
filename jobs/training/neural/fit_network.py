"""A network on top of a straight line, as trees are grown on top of one: fitted out of fold first, then on all training rows."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.fit import Learner, Native
from jobs.training.labelling.path import path_of
from jobs.training.labelling.volatility import realised_volatility
from jobs.training.neural.files import NO_TREES, gradient_text, network_file
from jobs.training.neural.network import Weights
from jobs.training.neural.running import Arrays, run_program
from jobs.training.neural.windows import layout_of
from jobs.training.out_of_fold import checked_folds
from jobs.training.prepare import Prepared
from udfs.scoring.calibration import Calibration, calibrate, log_loss
from udfs.scoring.linear import FURTHEST, LinearPart, distances
from udfs.scoring.model_metadata import ModelMetadata
from udfs.scoring.trees import OUTPUTS, encode_trees

_HOUR = 3_600_000_000_000
_LONGEST_GAP = 600_000_000_000
"""Nanoseconds between two prices over which nobody knows how volatile it was."""
_Column = npt.NDArray[np.float64]
_Places = npt.NDArray[np.intp]


class FittedNetwork(NamedTuple):
    """What gives the raw scores of the outputs in `OUTPUTS`: the same as `jobs.training.fit.Fitted`."""

    weights: Weights
    layout: npt.NDArray[np.int64]
    linear: LinearPart

    @property
    def library(self) -> str:
        """Name of what trained it."""
        return "JAX"

    @property
    def attribution_tolerance(self) -> float:
        """How far contributions may be from what the library says."""
        return 2e-5

    def corrected(self, return_scale: float, log_sigma_offset: float) -> FittedNetwork:
        """With the return in sigmas multiplied, and log sigma moved."""
        factor = np.ones(self.weights["head"].shape[1], np.float32)
        factor[3] = return_scale
        weights = {**self.weights, "head": self.weights["head"] * factor, "head_bias": self.weights["head_bias"] * factor}
        by_output = np.array([1.0, 1.0, 1.0, factor[3], 1.0])
        intercepts = self.linear.intercepts * by_output + np.array([0.0, 0.0, 0.0, 0.0, log_sigma_offset])
        return self._replace(
            weights=weights, linear=self.linear._replace(weights=self.linear.weights * by_output[:, None], intercepts=intercepts)
        )

    def natively(self, inputs: npt.NDArray[np.float32], chosen: _Places) -> Native:
        """By JAX, and numpy for the linear part."""
        asked = {f"weights_{name}": value for name, value in self.weights.items()}
        result = run_program({**asked, **_inputs_of(self.linear, inputs), "layout": self.layout, "chosen": chosen})
        return Native(_straight(self.linear, inputs) + result["said"][:, : len(OUTPUTS)], result["contributions"])

    def entries(self) -> dict[str, str]:
        """What the model's metadata says for reasons."""
        return {"trees": encode_trees(NO_TREES), "gradient": gradient_text(self.weights, self.layout, self.linear)}

    def file(self, metadata: ModelMetadata) -> bytes:
        """The model file."""
        return network_file(self.weights, self.layout, metadata)

    def importance(self) -> _Column:
        """(inputs,) size of what the linear part and the first layer make of each."""
        places = self.layout.shape[1]
        first = np.square(self.weights["look"][:, :places]).sum(2) + np.square(self.weights["tell"][:, :places]).sum(2)
        order = np.argsort(self.layout.ravel(), kind="stable")[: self.linear.middle.shape[0]]
        return np.asarray(first.ravel()[order], np.float64)


class NetworkFit(NamedTuple):
    """A network, and what others of its kind said of rows that they had not seen."""

    fitted: FittedNetwork
    fold: npt.NDArray[np.int64]
    raw_scores: _Column
    """(rows, 5) of all training rows, with the best number of epochs."""
    described: dict[str, Any]
    """That number and the way there, as JSON values."""


def fit_network(learner: Learner, prepared: Prepared) -> NetworkFit:
    """Train on each fold and on all rows. Raises InvalidSpans, LeakingSplit, NetworkProgramFailed and SetupError."""
    settings = learner.settings.network
    assert settings is not None
    folds = checked_folds(learner, prepared.folds)
    windows, layout = layout_of([prepared.dataset.feature_names[place] for place in prepared.inputs])
    everything = np.arange(learner.part.classes.shape[0])
    lines = [line_of(learner, rows) for rows in (*(train for train, _ in folds), everything)]
    job = {**job_of(learner, prepared, folds, lines), "layout": layout, "seed": np.array(learner.settings.seed)}
    result = run_program({**job, "settings": np.array(json.dumps(asdict(settings)))})
    by_epoch = [_out_of_fold(job, result, folds, epoch) for epoch in range(settings.epochs + 1)]
    losses = [log_loss(calibrate(scores[:, :3], Calibration()), learner.part.classes) for scores in by_epoch]
    best = int(np.argmin(losses))
    head = f"weights_{best}_"
    weights = {name.removeprefix(head): value for name, value in result.items() if name.startswith(head)}
    fold = np.full(everything.shape[0], -1)
    for number, (_, test) in enumerate(folds):
        fold[test] = number
    described = {
        "epochs": best,
        "log_loss_by_epoch": losses,
        "windows": windows,
        "devices": result["devices"].tolist(),
        "training_loss": [float(part.mean()) for part in np.array_split(result["losses"], settings.epochs) if part.size],
        "hour_volatilities": int(job[f"volatility_known_{len(folds)}"].sum()),
    }
    return NetworkFit(FittedNetwork(weights, layout, lines[-1].part), fold, by_epoch[best], described)


def _out_of_fold(job: Arrays, result: Arrays, folds: list[tuple[_Places, _Places]], epoch: int) -> _Column:
    scores = np.full((job["classes"].shape[0], len(OUTPUTS)), np.nan)
    for number, (_, test) in enumerate(folds):
        scores[test] = job[f"base_{number}"][test] + result[f"said_{number}_{epoch}"][:, : len(OUTPUTS)]
    return scores


class Line(NamedTuple):
    """A linear part alone."""

    part: LinearPart
    log_unit: float
    """By how much its log sigma is above the log of how far returns go."""


def line_of(learner: Learner, rows: _Places) -> Line:
    """Fitted on some rows."""
    direction, size = learner.direction(rows), learner.size(rows)
    log_size = learner.distances[rows] @ size.weights.T + size.intercepts
    move, unit = learner.move(rows, np.exp(log_size[:, 0]))
    weights = np.vstack([one.weights for one in (direction, move, size)])
    intercepts = np.concatenate([direction.intercepts, move.intercepts, size.intercepts + np.log(unit)])
    return Line(learner.scaling._replace(weights=weights, intercepts=intercepts), float(np.log(unit)))


def job_of(learner: Learner, prepared: Prepared, folds: list[tuple[_Places, _Places]], lines: list[Line]) -> dict[str, npt.NDArray[Any]]:
    """What the program needs to know of the training rows; the last of `lines` is that of all rows."""
    part, log_return = learner.part, learner.part.log_return
    size = np.log(np.abs(log_return) + 1e-3 * float(log_return.std()))
    volatility, until = hour_volatility(prepared)
    start, end = prepared.labels.start[prepared.split.train], prepared.labels.end[prepared.split.train]
    known = ~np.isnan(volatility)
    known &= until <= int(end.max())
    middle, spread = (float(volatility[known].mean()), float(volatility[known].std())) if known.sum() > 1 else (0.0, 1.0)
    job: dict[str, npt.NDArray[Any]] = {
        **_inputs_of(learner.scaling, part.inputs),
        "classes": part.classes,
        "log_return": log_return.astype(np.float32),
        "size": size.astype(np.float32),
        "weight": part.weight.astype(np.float32),
        "volatility": ((volatility - middle) / (spread or 1.0)).astype(np.float32),
        "folds": np.array(len(folds)),
    }
    for number, line in enumerate(lines):
        job[f"base_{number}"] = _straight(line.part, part.inputs).astype(np.float32)
        job[f"log_unit_{number}"] = np.array(line.log_unit, np.float32)
        job[f"volatility_known_{number}"] = known
    for number, (train, test) in enumerate(folds):
        job |= {f"train_{number}": train, f"test_{number}": test}
        reaches_in = (start <= end[test].max()) & (until >= start[test].min())
        job[f"volatility_known_{number}"] = known & ~reaches_in
    return job


def hour_volatility(prepared: Prepared) -> tuple[_Column, npt.NDArray[np.int64]]:
    """Log realised volatility of the hour after each training row, NaN where it is not known, and when it was."""
    dataset, rows = prepared.dataset, prepared.labels.rows[prepared.split.train]
    found, until = np.full(dataset.price.shape[0], np.nan), np.zeros(dataset.price.shape[0], np.int64)
    for code in range(len(dataset.symbols)):
        places = np.flatnonzero((dataset.symbol == code) & (dataset.price > 0))
        if places.size:
            nothing = np.zeros(places.size, np.bool_)
            path = path_of(
                dataset.event_time[places], dataset.price[places], np.full(places.size, np.nan), nothing, longest_gap=_LONGEST_GAP
            )
            outcome = realised_volatility(path, _HOUR)
            moved = outcome.value > 0
            found[places[outcome.rows[moved]]] = np.log(outcome.value[moved])
            until[places[outcome.rows]] = outcome.end
    return found[rows], until[rows]


def _inputs_of(scaling: LinearPart, inputs: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[Any]]:
    """In single precision, step by step as the exported graph does: the network learns from the numbers that it will be served."""
    missing = np.isnan(inputs)
    away = (np.where(missing, np.float32(0), inputs) - scaling.middle.astype(np.float32)) / scaling.spread.astype(np.float32)
    furthest = np.float32(FURTHEST)
    return {"distances": np.where(missing, np.float32(0), np.clip(away, -furthest, furthest)), "missing": missing}


def _straight(line: LinearPart, inputs: npt.NDArray[np.float32]) -> _Column:
    """(rows, 5) what the linear part says."""
    return np.asarray(distances(line, inputs) @ line.weights.T + line.intercepts, np.float64)
