"""What news leaves behind in a symbol's state, and what the numbers of a NEWS event mean."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt


class NewsFact(IntEnum):
    """Places in the row of facts of a NEWS event. The log has NaN there: whoever reads the text writes them before the event is taken."""

    SENTIMENT = 0
    """Probability of positive less that of negative; NaN where no model is in force."""
    FINGERPRINT_HIGH = 1
    FINGERPRINT_LOW = 2
    """Upper and lower 32 bits of the text's fingerprint."""
    HAS_WORDS = 3
    """0 for a text in which there is nothing to read."""


KEPT_ITEMS: Final = 8
"""Newest items whose fingerprints and identities are kept."""
HOURS_RING: Final = 25
"""Counts of hours: the window of 24 h and the present hour."""
FIVES_RING: Final = 13
"""Counts of 5 minutes: the window of 1 h and the present five."""
GREATEST_COUNT: Final = 255
"""Items of one tile that are counted."""

NEWS_MEMORY: Final = np.dtype(
    [
        ("time", "i8"),
        ("fast_sentiment", "f8"),
        ("slow_sentiment", "f8"),
        ("fingerprints", "u8", (KEPT_ITEMS,)),
        ("identities", "u4", (KEPT_ITEMS,)),
        ("seconds", "u4", (KEPT_ITEMS,)),
        ("novelty", "f4"),
        ("feed_delay", "i4"),
        ("fives", "u1", (FIVES_RING,)),
        ("hours", "u1", (HOURS_RING,)),
        ("reserved", "u1", (2,)),
    ]
)
"""As of `time`, the newest item's on the symbol's clock in nanoseconds, 0 where there was none. Of the newest items, newest first:
fingerprint (0 where nobody read it), identity (0 where it has none), second. `feed_delay`: microseconds from event to available time of
the symbol's newest other event, 0 where that cannot be its feed's. 200 bytes."""


def start_news_memory(memory: npt.NDArray[np.void]) -> None:
    """Of a symbol that had no news."""
    for field in ("fast_sentiment", "slow_sentiment", "novelty"):
        memory[field] = np.nan
