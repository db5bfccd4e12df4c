"""Highest and lowest price of the session that the clock is in."""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.sessions import session_of, session_start
from udfs.kernels.symbol_state import SECONDS_RING, Record


@kernel
def extend_session_range(state: Record, second: int, high: float, low: float) -> None:
    """Take the highest and lowest price of a second that has closed, or of a bar that ends with it. Seconds must come in order."""
    held, session = state.session_range, session_of(second)
    is_first = held.session != session
    held.high = high if is_first else max(held.high, high)
    held.low = low if is_first else min(held.low, low)
    held.session = session


@kernel
def session_range(state: Record) -> tuple[float, float]:
    """Highest and lowest price so far; NaN before the first print of the session."""
    held, session = state.session_range, session_of(state.clock // NANOSECONDS_PER_SECOND)
    high, low = (held.high, held.low) if held.session == session else (np.nan, np.nan)
    for second in range(max(session_start(session), state.next_second), state.clock // NANOSECONDS_PER_SECOND + 1):
        tile = state.seconds[second % SECONDS_RING]
        if tile.second == second and tile.prints > 0:
            high, low = np.fmax(high, tile.high), np.fmin(low, tile.low)
    return high, low
