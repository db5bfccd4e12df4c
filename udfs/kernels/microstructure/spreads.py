"""Quoted and effective spread over a minute."""

# mypy: no-warn-return-any
from __future__ import annotations

from udfs.kernels.compiled import kernel
from udfs.kernels.microstructure.tiles import ten_of
from udfs.kernels.symbol_state import Record


@kernel
def add_quoted_spread(state: Record, event_time: int, spread: float) -> None:
    """Count the spread that a QUOTE or BOOK has just told."""
    tile = ten_of(state, event_time)
    tile.quoted_spread += spread
    tile.quotes += 1


@kernel
def add_effective_spread(state: Record, event_time: int, price: float, size: float) -> None:
    """Count twice the distance of a trade from the mid price just before it; the best level must be usable."""
    tile = ten_of(state, event_time)
    tile.effective_spread += size * 2.0 * abs(price - 0.5 * (state.top.bid + state.top.ask))
    tile.effective_size += size
