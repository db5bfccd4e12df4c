"""How good a model is on rows it has not seen, alone and beside what it must beat; intervals are 95 % and resample stretches of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.training.baselines import PRIOR
from jobs.training.measures import Happened, Prediction, as_json, difference, interval_as_json, measures_of
from jobs.training.reliability import calibration_error, class_error, confidence_table, coverage, crps
from jobs.training.resampling import Blocks, Estimate, blocks_in_time, estimates
from udfs.scoring.onnx_model import Scores

LOSSES = ("log_loss", "direction_log_loss")
"""Measures of which less is better."""
_MODEL = "model"


@dataclass(frozen=True, slots=True)
class Metrics:
    """Of one model on one stretch of time. Intervals resample blocks of two horizons; NaN below two blocks."""

    rows: int
    blocks: int
    """Stretches of two horizons that hold rows: rows of different ones have outcomes that hardly overlap."""
    log_loss: float
    prior_log_loss: float
    """Of always saying the shares of the classes before, `baselines`."""
    skill: float
    """1 - log_loss / prior_log_loss: above 0 when the model knows more than the shares."""
    skill_interval: tuple[float, float]
    direction_skill: float
    """The same of up against down among the rows that moved: knowing that it will be lively is not enough."""
    direction_skill_interval: tuple[float, float]
    hit_rate: float
    """Share of rows whose most likely class happened."""
    prior_hit_rate: float
    """Of always saying the largest of those shares."""
    information_coefficient: float
    """Pearson's correlation of expected and realised return."""
    information_coefficient_interval: tuple[float, float]
    rank_information_coefficient: float
    """Spearman's."""
    rank_information_coefficient_interval: tuple[float, float]
    pr_auc: float
    """Mean of the average precisions of up and of down."""
    pr_auc_interval: tuple[float, float]
    prior_pr_auc: float
    """Of always saying the same: the mean share of up and of down."""
    calibration_error: float
    """Expected calibration error of the most likely class, in ten groups of equal size."""
    class_calibration_error: float
    """Mean of the three classes' own."""
    coverage_68: float
    """Share of returns in the middle 68 % of what was expected."""
    coverage_90: float
    coverage_95: float
    crps: float
    """Continuous ranked probability score of return and sigma."""
    constant_crps: float
    """Of a return of 0 and each symbol's own sigma over the training rows."""

    @property
    def beats_prior(self) -> bool:
        """Whether the whole interval of the skill lies above 0."""
        return self.skill_interval[0] > 0


def evaluate(
    scores: Scores, happened: Happened, start: npt.NDArray[np.int64], horizon: int, others: Mapping[str, Prediction], symbol_sigma: Any
) -> tuple[Metrics, dict[str, Any]]:
    """The metrics, and the comparison with the baselines as JSON values.

    Args: start (rows,) nanoseconds; others by name, PRIOR among them; symbol_sigma (rows,) deviation of the symbol's returns before.
    """
    said = Prediction(scores.probabilities, scores.expected_return)
    blocks = blocks_in_time(start, 2 * horizon)
    found = _compare(said, others, happened, blocks)
    off = np.abs(happened.log_return - scores.expected_return) / scores.sigma
    covered = coverage(off)
    hits = [p.argmax(axis=1) == happened.classes for p in (said.probabilities, others[PRIOR].probabilities)]
    skill, direction = (_skill(found, name) for name in LOSSES)
    correlation, ranks, area = (found[_MODEL, name] for name in ("information_coefficient", "rank_information_coefficient", "pr_auc"))
    metrics = Metrics(
        rows=happened.classes.shape[0],
        blocks=blocks.total,
        log_loss=found[_MODEL, "log_loss"].value,
        prior_log_loss=found[PRIOR, "log_loss"].value,
        skill=skill.value,
        skill_interval=skill.interval,
        direction_skill=direction.value,
        direction_skill_interval=direction.interval,
        hit_rate=float(hits[0].mean()),
        prior_hit_rate=float(hits[1].mean()),
        information_coefficient=correlation.value,
        information_coefficient_interval=correlation.interval,
        rank_information_coefficient=ranks.value,
        rank_information_coefficient_interval=ranks.interval,
        pr_auc=area.value,
        pr_auc_interval=area.interval,
        prior_pr_auc=found[PRIOR, "pr_auc"].value,
        calibration_error=calibration_error(confidence_table(said.probabilities, happened.classes)),
        class_calibration_error=class_error(said.probabilities, happened.classes),
        coverage_68=covered["0.68"],
        coverage_90=covered["0.9"],
        coverage_95=covered["0.95"],
        crps=crps(scores.expected_return, scores.sigma, happened.log_return),
        constant_crps=crps(np.zeros(off.shape[0]), symbol_sigma, happened.log_return),
    )
    return metrics, _as_json(found, tuple(others))


_Found = dict[tuple[str, str], Estimate]


def _compare(said: Prediction, others: Mapping[str, Prediction], happened: Happened, blocks: Blocks) -> _Found:
    """(who, measure) -> estimate, and (who, "gain " + measure) -> how much better the model is, on the same draws."""
    own = measures_of(said, happened)
    wanted = {(_MODEL, name): measure for name, measure in own.items()}
    for who, prediction in others.items():
        for name, measure in measures_of(prediction, happened).items():
            wanted[who, name] = measure
            better, worse = (measure, own[name]) if name in LOSSES else (own[name], measure)
            wanted[who, f"gain {name}"] = difference(better, worse)
    found = estimates(blocks, {f"{who}/{name}": measure for (who, name), measure in wanted.items()})
    return {(who, name): found[f"{who}/{name}"] for who, name in wanted}


def _skill(found: _Found, name: str) -> Estimate:
    """The gain over the prior as a share of the prior's loss."""
    unit = found[PRIOR, name].value or 1.0
    gain = found[PRIOR, f"gain {name}"]
    return Estimate(gain.value / unit, gain.low / unit, gain.high / unit)


def _as_json(found: _Found, others: tuple[str, ...]) -> dict[str, Any]:
    """Who -> measure -> value and interval, and for the baselines by how much the model is better."""
    result: dict[str, Any] = {_MODEL: {name: _estimate(one) for (who, name), one in found.items() if who == _MODEL}}
    for other in others:
        own = {name: _estimate(one) for (who, name), one in found.items() if who == other and not name.startswith("gain ")}
        for name, entry in own.items():
            gain = found[other, f"gain {name}"]
            entry["model_better_by"], entry["model_better_by_interval"] = as_json(gain.value), interval_as_json(gain.interval)
        result[other] = own
    return result


def _estimate(one: Estimate) -> dict[str, Any]:
    return {"value": as_json(one.value), "interval": interval_as_json(one.interval)}
