"""Highest and lowest price of the session that the clock is in."""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.sessions import session_of
from udfs.kernels.symbol_state import NO_PRICE, SECONDS_RING, Record


@kernel
def extend_session_range(state: Record, second: int, high: float, low: float, price_kind: int) -> None:
    """Take the highest and lowest price of a second that has closed, or of a bar that ends with it. Seconds must come in order.

    Trade prices drive mid prices out, as they do in bars.
    """
    held, session = state.session_range, session_of(state, second)
    kind_held = held.price_kind if held.session == session else NO_PRICE
    if price_kind == NO_PRICE or price_kind < kind_held:
        return
    held.high = high if price_kind > kind_held else max(held.high, high)
    held.low = low if price_kind > kind_held else min(held.low, low)
    held.session, held.price_kind = session, price_kind


@kernel
def session_range(state: Record) -> tuple[float, float]:
    """Highest and lowest price so far; NaN before the first print of the session."""
    held, session = state.session_range, session_of(state, state.clock // NANOSECONDS_PER_SECOND)
    is_held = held.session == session
    high, low, kind = (held.high, held.low, held.price_kind) if is_held else (np.nan, np.nan, NO_PRICE)
    for second in range(max(session, state.next_second), state.clock // NANOSECONDS_PER_SECOND + 1):
        tile = state.seconds[second % SECONDS_RING]
        if tile.second == second and tile.price_kind != NO_PRICE and tile.price_kind >= kind:
            high = tile.high if tile.price_kind > kind else max(high, tile.high)
            low = tile.low if tile.price_kind > kind else min(low, tile.low)
            kind = tile.price_kind
    return high, low
