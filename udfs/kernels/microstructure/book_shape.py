"""How size lies in the visible levels of the book."""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import BOOK_DEPTH
from udfs.kernels.symbol_state import Record


@kernel
def weighted_imbalance(book: Record) -> float:
    """(bid - ask) / (bid + ask) of the sizes, level k weighted by 1 / k; NaN where a side is empty."""
    if np.isnan(book[0, 0] + book[2, 0]):
        return np.nan
    bid, ask = 0.0, 0.0
    for level in range(BOOK_DEPTH):
        bid += book[1, level] / (level + 1) if not np.isnan(book[0, level]) else 0.0
        ask += book[3, level] / (level + 1) if not np.isnan(book[2, level]) else 0.0
    return (bid - ask) / (bid + ask)


@kernel
def mean_slope(book: Record) -> tuple[float, float]:
    """Of both sides' mean: least-squares slope through the origin of cumulated size on distance from the mid price in basis points.

    The first is in sizes, the second in shares of the side's visible size. NaN where a side is empty. A linear form of Næs, Skjeltorp
    2006, Order Book Characteristics and the Volume-Volatility Relation.
    """
    mid = 0.5 * (book[0, 0] + book[2, 0])
    bid, bid_share = _slope(book[0], book[1], mid)
    ask, ask_share = _slope(book[2], book[3], mid)
    return 0.5 * (bid + ask), 0.5 * (bid_share + ask_share)


@kernel
def _slope(prices: Record, sizes: Record, mid: float) -> tuple[float, float]:
    cumulated, products, squares = 0.0, 0.0, 0.0
    for level in range(BOOK_DEPTH):
        if np.isnan(prices[level]):
            break
        distance = 1e4 * abs(prices[level] / mid - 1.0)
        cumulated += sizes[level]
        products += cumulated * distance
        squares += distance * distance
    slope = products / squares
    return slope, slope / cumulated


@kernel
def half_depth(book: Record, levels: int) -> float:
    """Half of the size at the best levels of both sides."""
    total = 0.0
    for level in range(levels):
        total += book[1, level] if not np.isnan(book[0, level]) else 0.0
        total += book[3, level] if not np.isnan(book[2, level]) else 0.0
    return 0.5 * total
