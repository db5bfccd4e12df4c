"""What happened after each row: the forward log return over the horizon, its span in time, and whether it was a move or not.

A move counts as neutral when |return| is at most `neutral_band` times the symbol's median |return| over the training rows. The band is
chosen on the training rows so that about a third of them are neutral (more where more than a third did not move at all). Scaling by symbol
keeps quiet and lively symbols comparable; only training rows decide, so the test rows' labels tell nothing about themselves. An outcome
that says itself which way it went, as the triple barrier does, needs no band.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.dataset import Dataset, NotEnoughData

NEUTRAL_SHARE = 1 / 3


class Labels(NamedTuple):
    """Outcomes of some rows of a dataset; rows whose outcome is not there have none."""

    rows: npt.NDArray[np.intp]
    """(labels,) positions in the dataset, increasing."""
    start: npt.NDArray[np.int64]
    """(labels,) event time of the row."""
    end: npt.NDArray[np.int64]
    """(labels,) event time of the later row that the return was measured at."""
    log_return: npt.NDArray[np.float64]
    side: npt.NDArray[np.float64]
    """(labels,) 1 up, -1 down, 0 neither, where the outcome itself says which; NaN where the size of the return decides."""

    def take(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Labels:
        """Some of the labels."""
        return Labels(self.rows[chosen], self.start[chosen], self.end[chosen], self.log_return[chosen], self.side[chosen])


class NeutralBand(NamedTuple):
    """How large a move must be to be one."""

    multiple: float
    """In units of the symbol's scale."""
    scales: npt.NDArray[np.float64]
    """(symbols,) median |log return| over the training rows; of all symbols together where one has none."""


def forward_returns(dataset: Dataset, horizon: int, tolerance: int) -> Labels:
    """Log return of the price from each row to the symbol's first row at or after event time + `horizon`, at most `tolerance` later.

    Both in nanoseconds. A row has no label when either price is missing or there is no such later row: a gap is not a flat market.
    """
    parts = [_of_symbol(dataset, np.flatnonzero(dataset.symbol == code), horizon, tolerance) for code in range(len(dataset.symbols))]
    joined = Labels(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return joined.take(np.argsort(joined.rows, kind="stable"))


def _of_symbol(dataset: Dataset, rows: npt.NDArray[np.intp], horizon: int, tolerance: int) -> Labels:
    """`rows` are one symbol's, by event time."""
    with_price = rows[dataset.price[rows] > 0]
    times = dataset.event_time[with_price]
    later = np.searchsorted(times, times + horizon, "left")
    there = later < times.shape[0]
    later_row, row = with_price[later[there]], with_price[there]
    soon_enough = dataset.event_time[later_row] <= dataset.event_time[row] + horizon + tolerance
    row, later_row = row[soon_enough], later_row[soon_enough]
    log_return = np.log(dataset.price[later_row]) - np.log(dataset.price[row])
    return Labels(row, dataset.event_time[row], dataset.event_time[later_row], log_return, np.full(row.shape[0], np.nan))


def choose_band(symbol: npt.NDArray[np.int32], symbols: int, log_return: npt.NDArray[np.float64]) -> NeutralBand:
    """The band from training rows: (rows,) symbol codes and returns. Raises NotEnoughData when no price moved at all."""
    moves = np.abs(log_return)
    overall = float(np.median(moves)) or float(moves.mean())
    if overall == 0 or np.isnan(overall):
        raise NotEnoughData("the price never moves over the horizon in the training rows; take more data or a longer --horizon-seconds")
    scales = np.full(symbols, overall)
    for code in range(symbols):
        of_symbol = moves[symbol == code]
        scales[code] = (float(np.median(of_symbol)) if of_symbol.size else 0.0) or overall
    return NeutralBand(float(np.quantile(moves / scales[symbol], NEUTRAL_SHARE)), scales)


def classify(band: NeutralBand, symbol: npt.NDArray[np.int32], log_return: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """(rows,) 0 down, 1 neutral, 2 up."""
    edge = band.multiple * band.scales[symbol]
    return 1 + (log_return > edge).astype(np.int64) - (log_return < -edge).astype(np.int64)


def classes_of(band: NeutralBand, symbol: npt.NDArray[np.int32], labels: Labels) -> npt.NDArray[np.int64]:
    """(labels,) 0 down, 1 neutral, 2 up: by the label's own side where it has one, else by its return."""
    by_return = classify(band, symbol, labels.log_return)
    return np.where(np.isnan(labels.side), by_return, 1 + np.nan_to_num(labels.side).astype(np.int64))
