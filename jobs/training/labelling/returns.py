"""Log returns over a horizon: of the price itself, and of what a trader keeps who crosses the spread to get in and out."""

from __future__ import annotations

import numpy as np

from jobs.training.labelling.path import Column, Outcomes, Places, PricePath, at_horizon, outcomes


def log_returns(path: PricePath, horizon: int, tolerance: int) -> Outcomes:
    """Of the price from each row to the first one at or after the horizon; both in nanoseconds."""
    row, later = at_horizon(path, horizon, tolerance)
    return outcomes(path, row, later, np.log(path.price[later]) - np.log(path.price[row]))


def spread_adjusted_returns(path: PricePath, horizon: int, tolerance: int) -> Outcomes:
    """What is left of the move after both half spreads: bought at the ask and sold at the bid, or sold at the bid and bought at the ask.

    0 where neither side makes anything. A row without book counts as one without spread.
    """
    row, later = at_horizon(path, horizon, tolerance)
    return outcomes(path, row, later, _kept(path, row, later))


def _kept(path: PricePath, row: Places, later: Places) -> Column:
    half = np.nan_to_num(path.spread) / 2
    bid, ask = np.log(path.price - half), np.log(path.price + half)
    up, down = bid[later] - ask[row], ask[later] - bid[row]
    return np.asarray(np.maximum(up, 0.0) + np.minimum(down, 0.0), np.float64)
