"""What models say of training rows that they have not seen: each fold is scored by a model of the rows around it, purged and apart.

So is decided how many rounds of trees help beyond the linear part, for each output: hardly any where there is little to find. Trees are
grown as long as more of them help, so what has nothing to find is trained in no time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.fit import Grown, Learner, Rounds
from jobs.training.validation.spans import Places, check_no_leak
from jobs.training.validation.splitters import SpanSplitter
from udfs.scoring.calibration import Calibration, calibrate, log_loss

SHARES_OF_ROUNDS = (0.0, 0.25, 0.5, 1.0)
"""Of the rounds that are tried, in this order, until one does not help; at least one round is kept."""
_FURTHEST = 3.0
_Scores = npt.NDArray[np.float64]
_Folds = list[tuple[Places, Places]]


class OutOfFold(NamedTuple):
    """Raw scores of all training rows."""

    fold: npt.NDArray[np.int64]
    """(rows,) number of the fold that the row was scored in."""
    raw_scores: _Scores
    """(rows, 5) in the order of OUTPUTS, with the best number of rounds for each part."""
    rounds: Rounds
    """That number."""


def score_out_of_fold(learner: Learner, splitter: SpanSplitter) -> OutOfFold:
    """Scores of every row that the splitter tests. Raises InvalidSpans, and LeakingSplit: no splitter is believed."""
    part = learner.part
    folds = checked_folds(learner, splitter)
    fold = np.full(part.classes.shape[0], -1)
    for number, (_, test) in enumerate(folds):
        fold[test] = number
    floor = 1e-3 * float(part.log_return.std())
    sizes = [learner.size(train) for train, _ in folds]
    size_rounds, log_sigma = _grow(
        learner, sizes, folds, lambda scores: float(np.var(np.log(np.abs(part.log_return) + floor) - scores[:, 0]))
    )
    moves = list[Grown]()
    for grown, (train, test) in zip(sizes, folds, strict=True):
        move, unit = learner.move(train, np.exp(learner.said(grown, train, size_rounds)[:, 0]))
        log_sigma[test] += np.log(unit)
        moves.append(move)
    moved = np.clip(part.log_return / np.exp(log_sigma[:, 0]), -_FURTHEST, _FURTHEST)
    move_rounds, expected = _grow(learner, moves, folds, lambda scores: float(np.square(moved - scores[:, 0]).mean()))
    directions = [learner.direction(train) for train, _ in folds]
    direction_rounds, classes = _grow(learner, directions, folds, lambda scores: log_loss(calibrate(scores, Calibration()), part.classes))
    return OutOfFold(fold, np.column_stack([classes, expected, log_sigma]), (direction_rounds, move_rounds, size_rounds))


def checked_folds(learner: Learner, splitter: SpanSplitter) -> _Folds:
    """The folds. Raises LeakingSplit."""
    folds = list(splitter.split(learner.part.inputs))
    for train, test in folds:
        check_no_leak(splitter.spans, train, test)
    return folds


def _grow(learner: Learner, grown: list[Grown], folds: _Folds, loss: Callable[[_Scores], float]) -> tuple[int, _Scores]:
    """Grow one part of all folds as long as it helps rows that were left out: the number of rounds, and what is said with them."""
    counts = sorted({max(1, round(share * learner.settings.rounds)) for share in SHARES_OF_ROUNDS})
    best, kept, kept_scores = np.inf, counts[0], np.zeros((0, 0))
    for count in counts:
        scores = np.full((learner.part.classes.shape[0], grown[0].intercepts.shape[0]), np.nan)
        for one, (_, test) in zip(grown, folds, strict=True):
            scores[test] = learner.said(one.grow(count), test)
        found = loss(scores)
        if not found < best:
            break
        best, kept, kept_scores = found, count, scores
    return kept, kept_scores
