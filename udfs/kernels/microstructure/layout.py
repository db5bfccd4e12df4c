"""What the microstructure features remember of a symbol. Every tile says which span it is of, so nothing has to be closed or cleared."""

from __future__ import annotations

from typing import Final

import numpy as np

FLOW_LEVELS: Final = 5
"""Levels of the book whose order flow is kept one by one."""
MINUTE_RING: Final = 7
"""10-s tiles: the window of 1 min, whose hop is 10 s, and the present ten."""
HOUR_RING: Final = 13
"""5-min tiles: the window of 1 h, whose hop is 5 min, and the present five."""

TEN: Final = np.dtype(
    [
        ("ten", "i4"),
        ("quotes", "i4"),
        ("quoted_spread", "f8"),
        ("effective_spread", "f8"),
        ("effective_size", "f8"),
        ("size_decrease", "f8"),
        ("deep_flow", "f8"),
        ("level_flows", "f8", (FLOW_LEVELS,)),
    ]
)
"""Ten seconds by event time: `ten` is the time in tens of seconds since the epoch."""

FIVE_MINUTES: Final = np.dtype([("five", "i4"), ("minutes", "i2"), ("gaps", "i2"), ("illiquidity", "f8")])
"""Five minutes: closed minutes with notional in them, gaps in the venue's numbering, summed |return| / notional of those minutes."""

INTENSITY: Final = np.dtype([("time", "i8"), ("fast", "f8"), ("slow", "f8")])
"""Decayed counts of events as of `time`, the newest of them; 0 where there was none."""

MICROSTRUCTURE: Final = np.dtype(
    [
        ("tens", TEN, (MINUTE_RING,)),
        ("fives", FIVE_MINUTES, (HOUR_RING,)),
        ("trade_intensity", INTENSITY),
        ("quote_intensity", INTENSITY),
        ("first_book_time", "i8"),
        ("tick_direction", "i8"),
    ]
)
"""`first_book_time`: of the first BOOK that could be trusted, without an outage since. `tick_direction`: sign of the last change of the
trade price."""
