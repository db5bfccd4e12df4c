"""Small records and formulas that the slow oracles share."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tests.support.kernel_events import Event
from udfs.kernels.events import EventKind

Best = tuple[float, float, float, float]
"""Bid, bid size, ask, ask size."""


class Print(NamedTuple):
    """A price that counts."""

    time: int
    arrival: int
    price: float
    is_trade: bool


class OracleBar(NamedTuple):
    """A bar as it must be published."""

    end: int
    length_seconds: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    notional: float
    trades: int
    signed_volume: float


class Flow(NamedTuple):
    """One change of the best level."""

    time: int
    value: float
    depth: float


def best_of(event: Event) -> Best:
    """Best level that a QUOTE or BOOK tells."""
    if event.kind == EventKind.QUOTE:
        bid, bid_size, ask, ask_size = event.numbers
        return bid, bid_size, ask, ask_size
    levels = np.array(event.numbers).reshape(4, -1)[:, 0].tolist()
    return levels[0], levels[1], levels[2], levels[3]


def flow_of(old: Best, new: Best) -> float:
    """Cont, Kukanov, Stoikov 2014, equation (4), case by case."""
    bid = new[1] if new[0] > old[0] else -old[1] if new[0] < old[0] else new[1] - old[1]
    ask = new[3] if new[2] < old[2] else -old[3] if new[2] > old[2] else new[3] - old[3]
    return bid - ask


def ratio(above: float, below: float) -> float:
    """NaN for a denominator of 0."""
    return above / below if below else float("nan")
