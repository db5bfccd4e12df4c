"""What models say of training rows that they have not seen: each fold is scored by a model of the rows around it, purged and apart.

So is decided how many rounds of trees help beyond the linear part, for each output: hardly any where there is little to find.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.fit import Learner, predict
from jobs.training.validation.spans import check_no_leak
from jobs.training.validation.splitters import SpanSplitter
from udfs.scoring.calibration import Calibration, calibrate, log_loss

SHARES_OF_ROUNDS = (0.0, 0.25, 0.5, 1.0)
"""Of the rounds that are tried; at least one round is kept."""
_FURTHEST = 3.0
_Scores = npt.NDArray[np.float64]


class OutOfFold(NamedTuple):
    """Raw scores of all training rows."""

    fold: npt.NDArray[np.int64]
    """(rows,) number of the fold that the row was scored in."""
    raw_scores: _Scores
    """(rows, 5) in the order of OUTPUTS, with the best number of rounds for each part."""
    rounds: tuple[int, int, int]
    """That number, for direction, return and size."""


def score_out_of_fold(learner: Learner, splitter: SpanSplitter) -> OutOfFold:
    """Scores of every row that the splitter tests. Raises InvalidSpans, and LeakingSplit: no splitter is believed."""
    rows = learner.part.classes.shape[0]
    counts = sorted({max(1, round(share * learner.settings.rounds)) for share in SHARES_OF_ROUNDS})
    fold, tried = np.full(rows, -1), np.full((len(counts), rows, 5), np.nan)
    for number, (train, test) in enumerate(splitter.split(learner.part.inputs)):
        check_no_leak(splitter.spans, train, test)
        fold[test] = number
        fitted = learner.fit(train)
        for place, count in enumerate(counts):
            tried[place, test] = predict(fitted.cut((count, count, count)), learner.part.inputs[test])
    direction, move, size = _best(tried, learner.part.classes, learner.part.log_return)
    chosen = np.column_stack([tried[direction, :, :3], tried[move, :, 3], tried[size, :, 4]])
    return OutOfFold(fold, chosen, (counts[direction], counts[move], counts[size]))


def _best(tried: _Scores, classes: npt.NDArray[np.int64], log_return: _Scores) -> tuple[int, int, int]:
    """Places of the numbers of rounds that do best: by log-loss, by squared error of the return in sigmas, and of the log of its size."""
    direction = [log_loss(calibrate(scores[:, :3], Calibration()), classes) for scores in tried]
    floor = 1e-3 * float(log_return.std())
    size = [float(np.var(np.log(np.abs(log_return) + floor) - scores[:, 4])) for scores in tried]
    sigma = np.exp(tried[int(np.argmin(size)), :, 4])
    moved = np.clip(log_return / sigma, -_FURTHEST, _FURTHEST)
    move = [float(np.square(moved - scores[:, 3]).mean()) for scores in tried]
    return int(np.argmin(direction)), int(np.argmin(move)), int(np.argmin(size))
