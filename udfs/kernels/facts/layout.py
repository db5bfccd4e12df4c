"""What a symbol remembers of the facts about it, and where their numbers lie in a fact's row. Times are seconds since the epoch."""

from __future__ import annotations

from typing import Final

import numpy as np

SESSION_NUMBERS: Final = ("start", "open", "close", "next_open", "previous_close", "early_close", "utc_offset", "day")
"""Of a SESSION. `start`: where its day begins, midnight of its calendar or its open if that is earlier; the day ends where the next one
begins. `early_close` 0 or 1, `utc_offset` in seconds at the open, `day`: its date as days since the epoch."""
CONTEXT_NUMBERS: Final = (
    "index_return_1_second",
    "index_return_1_minute",
    "index_return_5_minutes",
    "sector_return_5_minutes",
    "sector_volatility_5_minutes",
    "sector_rank",
    "vix",
    "rate",
)
"""Of a CONTEXT. Log returns of the index symbol and mean of the sector's members; root mean square of their returns; share of the other
members whose return is lower; last values of the volatility index and the rate."""
REFERENCE_NUMBERS: Final = ("sector", "market_cap_bucket", "listed", "delisted")
"""Of a REFERENCE: codes of `jobs.reference`, and the seconds at which the symbol was listed and delisted."""
ADJUSTMENT_NUMBERS: Final = ("effective", "split_factor", "cash_dividend")
"""Of an ADJUSTMENT: from when on prices are in the new units, new shares for one old share, cash for one old share."""

SESSION_FACTS: Final = np.dtype([*((name, "i8") for name in SESSION_NUMBERS), ("previous_start", "i8")])
"""The session said last, and where the one before it began; all 0 while none was said."""

CONTEXT_FACTS: Final = np.dtype(
    [
        ("time", "i8"),
        *((name, "f8") for name in CONTEXT_NUMBERS),
        ("session", "i8"),
        ("first_vix", "f8"),
        ("first_rate", "f8"),
        ("sampled_time", "i8"),
        ("index_quantile", "f8"),
        ("weight", "f8"),
        ("index", "f8"),
        ("own", "f8"),
        ("index_squares", "f8"),
        ("products", "f8"),
    ]
)
"""The context said last (`time` in nanoseconds, 0 while there was none), the first values of its session, and decayed moments of pairs of
1-min returns, the last of them from the context of `sampled_time`. `index_quantile`: running 90 % quantile of the size of the index's."""

REFERENCE_FACTS: Final = np.dtype([(name, "f8") for name in REFERENCE_NUMBERS])
"""What was said last; NaN where nothing is known."""
