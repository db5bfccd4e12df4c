"""How good a model is on rows it has not seen, with intervals that know that neighbouring rows tell the same story twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from udfs.scoring.calibration import log_loss
from udfs.scoring.onnx_model import Scores

_RESAMPLES = 400
_INTERVAL = (0.025, 0.975)
_Column = npt.NDArray[np.float64]
_Classes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Metrics:
    """Of one model on one stretch of time. Intervals are 95 % by resampling blocks of two horizons; NaN below two blocks."""

    rows: int
    blocks: int
    """Stretches of two horizons that hold rows: rows of different ones have outcomes that hardly overlap."""
    log_loss: float
    prior_log_loss: float
    """Of always saying the shares of the classes in the training or in the calibration part, whichever did better on these rows."""
    skill: float
    """1 - log_loss / prior_log_loss: above 0 when the model knows more than the shares."""
    skill_interval: tuple[float, float]
    hit_rate: float
    """Share of rows whose most likely class happened."""
    prior_hit_rate: float
    """Of always saying the largest of those shares."""
    information_coefficient: float
    """Spearman correlation of expected and realised return."""
    information_coefficient_interval: tuple[float, float]
    coverage_68: float
    """Share of returns within one sigma of the expected one; 0.68 for normal returns."""
    coverage_95: float
    """The same within 1.96 sigma."""

    @property
    def beats_prior(self) -> bool:
        """Whether the whole interval of the skill lies above 0."""
        return self.skill_interval[0] > 0


def evaluate(
    scores: Scores, classes: _Classes, log_return: _Column, start: npt.NDArray[np.int64], horizon: int, priors: _Column
) -> Metrics:
    """Compare scores with what happened: classes (rows,) in 0..2, start (rows,) nanoseconds, priors (parts, 3) shares of classes before."""
    shares = np.bincount(classes, minlength=priors.shape[1])
    prior = priors[(np.log(np.maximum(priors, 1e-15)) @ shares).argmax()]
    said = np.broadcast_to(prior, (classes.shape[0], prior.shape[0]))
    blocks = blocks_of(start, 2 * horizon)
    model_loss, prior_loss = (-np.log(np.maximum(p[np.arange(classes.shape[0]), classes], 1e-15)) for p in (scores.probabilities, said))
    off = np.abs(log_return - scores.expected_return) / scores.sigma
    return Metrics(
        rows=classes.shape[0],
        blocks=len(blocks),
        log_loss=log_loss(scores.probabilities, classes),
        prior_log_loss=log_loss(said, classes),
        skill=1 - float(model_loss.sum() / prior_loss.sum()),
        skill_interval=block_interval(blocks, lambda rows: 1 - float(model_loss[rows].sum() / prior_loss[rows].sum())),
        hit_rate=float((scores.probabilities.argmax(axis=1) == classes).mean()),
        prior_hit_rate=float((classes == prior.argmax()).mean()),
        information_coefficient=rank_correlation(scores.expected_return, log_return),
        information_coefficient_interval=block_interval(
            blocks, lambda rows: rank_correlation(scores.expected_return[rows], log_return[rows])
        ),
        coverage_68=float((off <= 1).mean()),
        coverage_95=float((off <= 1.96).mean()),
    )


def blocks_of(start: npt.NDArray[np.int64], length: int) -> list[npt.NDArray[np.intp]]:
    """Positions of the rows in each stretch of `length` nanoseconds that holds any."""
    number = (start - start.min()) // length
    order = np.argsort(number, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1)


def block_interval(blocks: list[npt.NDArray[np.intp]], measure: Callable[[npt.NDArray[np.intp]], float]) -> tuple[float, float]:
    """95 % interval of a measure by resampling whole blocks; NaN below two of them."""
    if len(blocks) < 2:
        return float("nan"), float("nan")
    generator = np.random.default_rng(7)
    found = [measure(np.concatenate([blocks[k] for k in generator.integers(len(blocks), size=len(blocks))])) for _ in range(_RESAMPLES)]
    low, high = np.quantile(found, _INTERVAL)
    return float(low), float(high)


def rank_correlation(one: _Column, other: _Column) -> float:
    """Spearman's correlation, equal values sharing their mean rank; 0 when either does not vary."""
    first, second = _ranks(one), _ranks(other)
    spread = float(first.std() * second.std())
    return float(((first - first.mean()) * (second - second.mean())).mean()) / spread if spread > 0 else 0.0


def _ranks(values: _Column) -> _Column:
    _, position, count = np.unique(values, return_inverse=True, return_counts=True)
    upper = np.cumsum(count)
    return np.asarray((upper - (count - 1) / 2)[position], np.float64)
