"""What the firewall remembers of a symbol."""

from __future__ import annotations

from typing import Final

import numpy as np

JUMP: Final = np.dtype(
    [("scale", "f8"), ("candidate", "f8"), ("confirmations", "u1"), ("observations", "u1"), ("unjudged", "u1"), ("reserved", "u1", (5,))]
)
"""Of trades, or of quotes and books: running 90 % quantile of the moves, where a move that was not believed went to and how many agreed
with it, moves seen (no further than WARM_MOVES), and whether the next one is taken as it comes."""

PLAUSIBILITY: Final = np.dtype(
    [
        ("skew", "i8"),
        ("skew_candidate", "i8"),
        ("locked_time", "i8"),
        ("best_changed_time", "i8"),
        ("trades", JUMP),
        ("quotes", JUMP),
        ("skew_confirmations", "u1"),
        ("trades_beyond", "u1"),
        ("frozen", "u1"),
        ("reserved", "u1", (5,)),
    ]
)
"""`skew`: nanoseconds that event time is known to run ahead of available time. `locked_time`: since when the best level has been locked, 0
when it is not. `trades_beyond`: trades in a row beyond a best level that has not changed since `best_changed_time`."""
