"""What one BOOK changes at each level: order flow level by level, and the size that left the visible levels."""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import BOOK_DEPTH
from udfs.kernels.microstructure.layout import FLOW_LEVELS
from udfs.kernels.microstructure.tiles import ten_of
from udfs.kernels.symbol_state import SECONDS_RING, Record
from udfs.kernels.tiles import open_second


@kernel
def add_book_change(state: Record, event_time: int, levels: Record) -> None:
    """Compare the levels (4, BOOK_DEPTH) of a BOOK with those of the one before, both trusted.

    Flow of level m: Xu, Gould, Howison 2019, Multi-Level Order-Flow Imbalance in a Limit Order Book, section 2. A side of a level that is
    empty before or after adds nothing.
    """
    book, tile = state.book, ten_of(state, event_time)
    upper = 0.0
    for level in range(BOOK_DEPTH):
        flow = _flow(book[0, level], book[1, level], levels[0, level], levels[1, level], 1.0)
        flow -= _flow(book[2, level], book[3, level], levels[2, level], levels[3, level], -1.0)
        tile.deep_flow += flow
        if level < FLOW_LEVELS:
            tile.level_flows[level] += flow
            upper += flow
    tile.size_decrease += _decrease(book[0], book[1], levels[0], levels[1], 1.0)
    tile.size_decrease += _decrease(book[2], book[3], levels[2], levels[3], -1.0)
    if upper != 0.0:
        open_second(state, event_time).level_flow += upper


@kernel
def _flow(price_before: float, size_before: float, price: float, size: float, sign: float) -> float:
    """Of one side; `sign` is 1 where a higher price is better. NaN prices compare as false: then 0."""
    flow = 0.0
    if (price - price_before) * sign >= 0.0:
        flow += size
    if (price - price_before) * sign <= 0.0:
        flow -= size_before
    return flow


@kernel
def _decrease(prices_before: Record, sizes_before: Record, prices: Record, sizes: Record, sign: float) -> float:
    """Size of one side that is gone from the prices that both books show. A full side shows nothing beyond its last level."""
    total, place = 0.0, 0
    for level in range(BOOK_DEPTH):
        price = prices_before[level]
        if np.isnan(price):
            break
        while place < BOOK_DEPTH and (prices[place] - price) * sign > 0.0:
            place += 1
        if place == BOOK_DEPTH:
            break
        left = sizes[place] if prices[place] == price else 0.0
        total += max(sizes_before[level] - left, 0.0)
    return total


@kernel
def flow_of_seconds(state: Record, first: int, last: int) -> float:
    """Flow of levels 1 to 5 in the seconds from `first` to `last`, at most 10 s back."""
    total = 0.0
    for second in range(first, last + 1):
        tile = state.seconds[second % SECONDS_RING]
        if tile.second == second:
            total += tile.level_flow
    return total
