"""Training, calibration and test rows in that order in time, with nothing of one part's outcome inside another.

Purge and embargo after López de Prado (2018), "Advances in financial machine learning", chapter 7: a row whose outcome was measured in the
next part is left out, and each part starts an embargo later than the one before ends. Rows are never shuffled.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.dataset import NotEnoughData
from jobs.training.labels import Labels

CALIBRATION_FROM, TEST_FROM = 0.6, 0.8
"""Shares of the rows before the calibration part and before the test part."""
MINIMUM_ROWS = {"train": 200, "calibration": 50, "test": 50}


class Split(NamedTuple):
    """Positions in the labels, increasing."""

    train: npt.NDArray[np.intp]
    calibration: npt.NDArray[np.intp]
    test: npt.NDArray[np.intp]


def split_by_time(labels: Labels, embargo: int) -> Split:
    """Cut at two moments; `embargo` in nanoseconds. Raises NotEnoughData when a part is left with too few rows."""
    if labels.start.shape[0] == 0:
        raise NotEnoughData("no row has an outcome: the data spans less than the horizon; take more data or a shorter --horizon-seconds")
    in_time = np.sort(labels.start)
    first_cut, second_cut = (int(in_time[int(share * in_time.shape[0])]) for share in (CALIBRATION_FROM, TEST_FROM))
    split = Split(
        train=np.flatnonzero(labels.end < first_cut),
        calibration=np.flatnonzero((labels.start >= first_cut + embargo) & (labels.end < second_cut)),
        test=np.flatnonzero(labels.start >= second_cut + embargo),
    )
    _check_sizes(split)
    return split


def _check_sizes(split: Split) -> None:
    short = [
        f"{name} {rows.shape[0]} of {MINIMUM_ROWS[name]}" for name, rows in split._asdict().items() if rows.shape[0] < MINIMUM_ROWS[name]
    ]
    if short:
        raise NotEnoughData(f"too few rows after purge and embargo: {', '.join(short)}; take more data or a shorter --horizon-seconds")
