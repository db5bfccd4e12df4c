"""What the kernels give back: rows of features and closed bars, as structured arrays."""

from __future__ import annotations

from enum import IntFlag
from typing import Final

import numpy as np

from udfs.kernels.feature_vector import FEATURE_COUNT


class RowFlag(IntFlag):
    """Why a row should not be acted on, or only with care."""

    BOOK_QUARANTINED = 1
    """A book that is crossed, has a gap in its numbering, or cannot be believed was seen, and not yet put right."""
    TRADING_HALTED = 2
    """The newest STATUS is HALTED, CLOSED or DELISTED."""
    STALE = 4
    """The book, or all that is known, is older than `stale_book_nanoseconds`, or the event that made the row came that late."""
    FLASH_CRASH = 8
    """The price ran away, and has not been calm since for as long as it takes."""


ROW: Final = np.dtype(
    [
        ("event_time", "i8"),
        ("available_time", "i8"),
        ("event_number", "i8"),
        ("price", "f8"),
        ("event_index", "i4"),
        ("values", "f4", (FEATURE_COUNT,)),
        ("valid", "u1", (FEATURE_COUNT,)),
        ("bar_closed", "?"),
        ("flags", "u1"),
    ],
    align=True,
)
"""One row of features; `valid` is 0 or 1."""

BAR: Final = np.dtype(
    [
        ("start_time", "i8"),
        ("length_seconds", "i8"),
        ("open", "f8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("volume", "f8"),
        ("notional", "f8"),
        ("trades", "i8"),
        ("signed_volume", "f8"),
        ("event_index", "i8"),
        ("available_time", "i8"),
    ]
)
"""One closed bar over [start_time, start_time + length_seconds). `event_index` names the event of the frame that closed it; prices are NaN
when the symbol traded volume before it ever had a price."""
