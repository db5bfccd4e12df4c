"""How far trading moves the price: Kyle's lambda and Amihud's illiquidity, from the tiles and minutes that have closed."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.microstructure.layout import HOUR_RING
from udfs.kernels.microstructure.tiles import SECONDS_PER_FIVE_MINUTES, five_of
from udfs.kernels.symbol_state import MINUTES_RING, TENS_RING, Record
from udfs.kernels.tiles import SECONDS_PER_MINUTE, SECONDS_PER_TEN
from udfs.kernels.windows import price_at_ten

_LEAST_SPREAD: Final = 1e-9
"""Share of its mean square that the variance of signed volume must exceed: below it the slope would be made of rounding."""


@kernel
def kyle_slope(state: Record, first: int) -> tuple[float, float]:
    """Least-squares slope, with intercept, of price change on signed volume, and the standard deviation of the signed volume.

    Over the closed seconds from `first` on, a multiple of 10 at most 5 min back, in tiles of 10 s; empty tiles count. NaN where there was
    no price before, or the signed volume does not vary. Kyle 1985, Continuous Auctions and Insider Trading.
    """
    before = price_at_ten(state, first)
    begin, tiles = first // SECONDS_PER_TEN, (state.next_second - 1) // SECONDS_PER_TEN - first // SECONDS_PER_TEN + 1
    if tiles < 2 or np.isnan(before):
        return np.nan, np.nan
    begin = max(begin, state.newest_ten - TENS_RING + 1)
    volume, change, squares = 0.0, 0.0, 0.0
    for ten in range(begin, state.newest_ten + 1):
        tile = state.tens[ten % TENS_RING]
        volume += tile.signed_volume
        squares += tile.signed_volume * tile.signed_volume
        change = tile.price - before
    volume, change = volume / tiles, change / tiles
    empty = tiles - max(state.newest_ten + 1 - begin, 0)
    variance, covariance = empty * volume * volume, empty * volume * change
    for ten in range(begin, state.newest_ten + 1):
        tile = state.tens[ten % TENS_RING]
        variance += (tile.signed_volume - volume) ** 2
        covariance += (tile.signed_volume - volume) * (tile.price - before - change)
        before = tile.price
    if not variance > _LEAST_SPREAD * squares:
        return np.nan, np.nan
    return covariance / variance, np.sqrt(variance / tiles)


@kernel
def add_illiquidity(state: Record, start: int, notional: float) -> None:
    """Count |return| / notional of the minute that begins at second `start` and has just been rolled up."""
    minute = start // SECONDS_PER_MINUTE
    price, before = state.minute_log_prices[minute % MINUTES_RING], state.minute_log_prices[(minute - 1) % MINUTES_RING]
    if np.isnan(price - before) or not notional > 0.0:
        return
    tile = five_of(state, start)
    if tile.five == start // SECONDS_PER_FIVE_MINUTES:
        tile.illiquidity += abs(price - before) / notional
        tile.minutes += 1


@kernel
def mean_illiquidity(state: Record, first: int) -> float:
    """Mean |return| / notional of the closed minutes with notional from second `first` on, a multiple of 5 min at most 1 h back.

    Amihud 2002, Illiquidity and Stock Returns, with minutes for days. NaN where there is no such minute.
    """
    total, minutes = 0.0, 0
    for five in range(first // SECONDS_PER_FIVE_MINUTES, state.clock // NANOSECONDS_PER_SECOND // SECONDS_PER_FIVE_MINUTES + 1):
        tile = state.microstructure.fives[five % HOUR_RING]
        if tile.five == five:
            total += tile.illiquidity
            minutes += tile.minutes
    return total / minutes if minutes > 0 else np.nan
