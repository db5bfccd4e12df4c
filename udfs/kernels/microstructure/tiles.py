"""Tiles of the microstructure features, found by the time that they are of."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.microstructure.layout import FLOW_LEVELS, HOUR_RING, MINUTE_RING
from udfs.kernels.symbol_state import Record

_TEN: Final = 10 * NANOSECONDS_PER_SECOND
SECONDS_PER_FIVE_MINUTES: Final = 300


@kernel
def ten_of(state: Record, event_time: int) -> Record:
    """Tile of the ten seconds that `event_time` lies in, empty if nothing was in it yet. It must not lie before the watermark."""
    ten = event_time // _TEN
    tile = state.microstructure.tens[ten % MINUTE_RING]
    if tile.ten != ten:
        tile.ten, tile.quotes = ten, 0
        tile.quoted_spread, tile.effective_spread, tile.effective_size, tile.size_decrease, tile.deep_flow = 0.0, 0.0, 0.0, 0.0, 0.0
        for level in range(FLOW_LEVELS):
            tile.level_flows[level] = 0.0
    return tile


@kernel
def five_of(state: Record, second: int) -> Record:
    """Tile of the five minutes that a second lies in. The same place may hold a newer one: then `five` is not the one asked for."""
    five = second // SECONDS_PER_FIVE_MINUTES
    tile = state.microstructure.fives[five % HOUR_RING]
    if tile.five < five:
        tile.five, tile.minutes, tile.gaps, tile.illiquidity = five, 0, 0, 0.0
    return tile


@kernel
def add_gap(state: Record, event_time: int) -> None:
    """Count a gap in the venue's numbering."""
    second = event_time // NANOSECONDS_PER_SECOND
    tile = five_of(state, second)
    if tile.five == second // SECONDS_PER_FIVE_MINUTES and tile.gaps < 32_767:
        tile.gaps += 1


@kernel
def gaps_since(state: Record, first: int) -> int:
    """Gaps counted from second `first` on, a multiple of 5 min at most 1 h before that of the clock, until the clock."""
    gaps, newest = 0, state.clock // NANOSECONDS_PER_SECOND // SECONDS_PER_FIVE_MINUTES
    for five in range(first // SECONDS_PER_FIVE_MINUTES, newest + 1):
        tile = state.microstructure.fives[five % HOUR_RING]
        if tile.five == five:
            gaps += tile.gaps
    return gaps
