"""Training and test rows in that order in time, with nothing of one part's outcome inside the other.

Purge and embargo after López de Prado (2018), "Advances in financial machine learning", chapter 7: a row whose outcome was measured in the
test part is left out, and the test part starts an embargo later than training ends. Rows are never shuffled. What is learnt about the
training rows' own errors, for calibration, comes from purged folds inside the training part.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.dataset import NotEnoughData
from jobs.training.labels import Labels

TEST_FROM = 0.8
"""Share of the rows before the test part."""
MINIMUM_ROWS = {"train": 250, "test": 50}


class Split(NamedTuple):
    """Positions in the labels, increasing."""

    train: npt.NDArray[np.intp]
    test: npt.NDArray[np.intp]


def split_by_time(labels: Labels, embargo: int) -> Split:
    """Cut at one moment; `embargo` in nanoseconds. Raises NotEnoughData when a part is left with too few rows."""
    if labels.start.shape[0] == 0:
        raise NotEnoughData("no row has an outcome: the data spans less than the horizon; take more data or a shorter --horizon-seconds")
    cut = int(np.sort(labels.start)[int(TEST_FROM * labels.start.shape[0])])
    split = Split(train=np.flatnonzero(labels.end < cut), test=np.flatnonzero(labels.start >= cut + embargo))
    _check_sizes(split)
    return split


def _check_sizes(split: Split) -> None:
    short = [
        f"{name} {rows.shape[0]} of {MINIMUM_ROWS[name]}" for name, rows in split._asdict().items() if rows.shape[0] < MINIMUM_ROWS[name]
    ]
    if short:
        raise NotEnoughData(f"too few rows after purge and embargo: {', '.join(short)}; take more data or a shorter --horizon-seconds")
