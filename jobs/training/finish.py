"""What is learnt from unseen rows about a fitted model: calibration, the level of sigma, the worth of its returns, when to abstain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.abstention import confidence_for, directed, precision_table
from jobs.training.calibrating import Calibrated, calibrate_by_fold
from jobs.training.fit import Fitted, FittedModel, Learner, TrainingSettings
from jobs.training.labelling.uniqueness import average_uniqueness
from jobs.training.levels import Levels, levels_of
from jobs.training.out_of_fold import score_out_of_fold
from jobs.training.prepare import Prepared
from jobs.training.reliability import calibration_error, confidence_table, coverage
from jobs.training.resampling import blocks_in_time

if TYPE_CHECKING:
    from jobs.training.neural.fit_network import NetworkFit


class Finished(NamedTuple):
    """A model that can be exported, and what its calibration rests on."""

    model: FittedModel
    minimum_confidence: float
    described: dict[str, Any]
    """The calibration as JSON values."""


def fit_and_finish(prepared: Prepared, settings: TrainingSettings) -> Finished:
    """Fit on all training rows; correct the result by what models of the other folds said of each fold."""
    train = prepared.split.train
    part = prepared.part(train)
    learner = Learner(part, settings, prepared.folds.split(part.inputs))
    unseen = _fit(learner, prepared)
    chosen = calibrate_by_fold(unseen.raw_scores[:, :3], learner.part.classes, unseen.fold)
    blocks = blocks_in_time(prepared.labels.start[train], 2 * settings.horizon)
    levels = levels_of(unseen.raw_scores[:, 3], unseen.raw_scores[:, 4], learner.part.log_return, blocks)
    confidence, abstention = _abstention(prepared, settings, chosen)
    described = _describe(chosen, levels, unseen.raw_scores, learner) | {"abstention": abstention, **unseen.described}
    fitted = unseen.fitted.corrected(levels.return_scale, levels.log_sigma_offset)
    return Finished(FittedModel(fitted, chosen.calibration), confidence, described)


class _Fit(NamedTuple):
    """A model, and what others of its kind said of rows that they had not seen."""

    fitted: Fitted
    fold: npt.NDArray[np.int64]
    raw_scores: npt.NDArray[np.float64]
    described: dict[str, Any]


def _fit(learner: Learner, prepared: Prepared) -> _Fit | NetworkFit:
    if learner.settings.network is not None:
        from jobs.training.neural.fit_network import fit_network

        return fit_network(learner, prepared)
    unseen = score_out_of_fold(learner, prepared.folds)
    return _Fit(learner.fit(unseen.rounds), unseen.fold, unseen.raw_scores, {"rounds": unseen.rounds})


def _abstention(prepared: Prepared, settings: TrainingSettings, chosen: Calibrated) -> tuple[float, dict[str, Any]]:
    train = prepared.split.train
    symbols = prepared.symbols(train)
    own = [
        average_uniqueness(prepared.labels.start[train[symbols == code]], prepared.labels.end[train[symbols == code]])
        for code in np.unique(symbols)
    ]
    rows = directed(chosen.probabilities, prepared.classes[train], float(np.concatenate(own).mean()))
    confidence = settings.minimum_confidence if settings.precision is None else confidence_for(settings.precision, rows)
    table = precision_table(rows)
    return confidence, {"stated_precision": settings.precision, "minimum_confidence": confidence, "precision_by_confidence": table}


def _describe(chosen: Calibrated, levels: Levels, raw_scores: Any, learner: Learner) -> dict[str, Any]:
    """Measured on training rows that were left out of what calibrates them, except for the level of sigma."""
    table = confidence_table(chosen.probabilities, learner.part.classes)
    sigma = np.exp(raw_scores[:, 4] + levels.log_sigma_offset)
    off = np.abs(learner.part.log_return / sigma - levels.return_scale * raw_scores[:, 3])
    return {
        "method": chosen.method,
        "log_loss_by_method": chosen.losses,
        "reliability": table,
        "expected_calibration_error": calibration_error(table),
        "sigma_coverage": coverage(off),
        "return_scale": levels.return_scale,
    }
