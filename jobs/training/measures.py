"""What a prediction is worth, as functions of the rows' weights: made once for some rows, then asked for each draw of a bootstrap."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.resampling import Column, Measure

Classes = npt.NDArray[np.int64]
DOWN, NEUTRAL, UP = 0, 1, 2
_SMALLEST = 1e-15


class Prediction(NamedTuple):
    """What was said before."""

    probabilities: Column
    """(rows, 3) of down, neutral, up."""
    expected_return: Column
    """(rows,) log return over the horizon."""


class Happened(NamedTuple):
    """What came of it."""

    classes: Classes
    log_return: Column


def measures_of(said: Prediction, happened: Happened) -> dict[str, Measure]:
    """The measures by name. `direction_log_loss` is of up against down among the rows that moved: it asks nothing of volatility."""
    ranks = ranked(happened.log_return)
    return {
        "log_loss": mean_of(losses(said.probabilities, happened.classes)),
        "direction_log_loss": direction_log_loss(said.probabilities, happened.classes),
        "pr_auc": pr_auc(said.probabilities, happened.classes),
        "information_coefficient": correlation(said.expected_return, happened.log_return),
        "rank_information_coefficient": correlation(ranked(said.expected_return), ranks),
    }


def losses(probabilities: Column, classes: Classes) -> Column:
    """(rows,) negative log probability of what happened."""
    return np.asarray(-np.log(np.maximum(probabilities[np.arange(classes.shape[0]), classes], _SMALLEST)), np.float64)


def mean_of(values: Column) -> Measure:
    """Weighted mean."""
    return lambda weights: float(values @ weights / weights.sum())


def direction_log_loss(probabilities: Column, classes: Classes) -> Measure:
    """Mean negative log of P(what happened | up or down) over the rows that went up or down; 0 where none did."""
    moved = classes != NEUTRAL
    share = probabilities[:, [DOWN, UP]].sum(axis=1)
    loss = np.where(moved, losses(probabilities, classes) + np.log(np.maximum(share, _SMALLEST)), 0.0)

    def measure(weights: Column) -> float:
        total = float(weights[moved].sum())
        return float(loss @ weights) / total if total else 0.0

    return measure


def correlation(one: Column, other: Column) -> Measure:
    """Pearson's; 0 when either does not vary."""
    first, second = one - one.mean(), other - other.mean()
    products = np.stack([first, second, first * second, first * first, second * second])

    def measure(weights: Column) -> float:
        mean_one, mean_other, both, one_squared, other_squared = products @ (weights / weights.sum())
        spread = np.sqrt(max(one_squared - mean_one**2, 0.0) * max(other_squared - mean_other**2, 0.0))
        return float((both - mean_one * mean_other) / spread) if spread > _SMALLEST * scale else 0.0

    scale = float(np.sqrt(products[3].mean() * products[4].mean())) or 1.0
    return measure


def ranked(values: Column) -> Column:
    """(rows,) ranks from 1, equal values sharing their mean rank."""
    _, position, count = np.unique(values, return_inverse=True, return_counts=True)
    upper = np.cumsum(count)
    return np.asarray((upper - (count - 1) / 2)[position], np.float64)


def rank_correlation(one: Column, other: Column) -> float:
    """Spearman's correlation; 0 when either does not vary."""
    return correlation(ranked(one), ranked(other))(np.ones(one.shape[0]))


def pr_auc(probabilities: Column, classes: Classes) -> Measure:
    """Mean of the average precisions of up and of down, each against the rest."""
    parts = [average_precision(probabilities[:, side], classes == side) for side in (DOWN, UP)]
    return lambda weights: (parts[0](weights) + parts[1](weights)) / 2


def average_precision(score: Column, positive: npt.NDArray[np.bool_]) -> Measure:
    """Area under the steps of precision over recall, rows of equal score taken together; 0 without positive rows."""
    order = np.argsort(-score, kind="stable")
    is_last = np.append(np.diff(score[order]) != 0, True)
    happened = positive[order].astype(np.float64)

    def measure(weights: Column) -> float:
        taken = weights[order]
        hits, said = np.cumsum(taken * happened)[is_last], np.cumsum(taken)[is_last]
        if not hits[-1]:
            return 0.0
        precision = np.divide(hits, said, out=np.zeros_like(hits), where=said > 0)
        return float(np.diff(hits, prepend=0.0) @ precision / hits[-1])

    return measure


def difference(one: Measure, other: Measure) -> Measure:
    """One less the other."""
    return lambda weights: one(weights) - other(weights)


def as_json(value: float) -> float | None:
    """A number as JSON has it; None for one that is not finite."""
    return float(value) if np.isfinite(value) else None


def interval_as_json(interval: tuple[float, float]) -> list[Any]:
    """Bounds as JSON has them."""
    return [as_json(bound) for bound in interval]
