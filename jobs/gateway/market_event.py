"""What a reader yields: one item for every message of a source.

All times are integer nanoseconds since the Unix epoch (UTC). Prices and sizes are floats in the units of the venue; a missing one is NaN.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from udfs.errors import Reason

BookLevels: TypeAlias = npt.NDArray[np.float64]
"""(4, BOOK_DEPTH) bid prices, bid sizes, ask prices, ask sizes, best first, NaN where there is no level."""

Payload: TypeAlias = tuple[float, ...] | BookLevels | str


class MarketEvent(NamedTuple):
    """One message of a venue, normalised.

    Payload by kind: TRADE (price, size, side); QUOTE (bid price, bid size, ask price, ask size); BOOK an array (4, BOOK_DEPTH);
    BAR (open, high, low, close, volume, length in seconds), `event_time` being its END; STATUS (status,); CLOCK (); NEWS its text;
    the other facts at most FACT_NUMBERS numbers.
    """

    symbol: str
    kind: int
    """EventKind."""
    event_time: int
    available_time: int
    sequence: int
    """The venue's increasing number within the kind, 0 where it has none."""
    flags: int
    """EventFlag bits."""
    payload: Payload


def numbers_of(event: MarketEvent) -> tuple[float, ...]:
    """Payload of an event that is neither a BOOK nor NEWS."""
    return cast("tuple[float, ...]", event.payload)


class RejectedLine(NamedTuple):
    """A message that could not be read: rejected under `Reason.MALFORMED_INPUT_LINE`, never raised."""

    source: str
    """File it was found in, relative to the source."""
    line_number: int
    """Counted from 1."""
    raw: bytes
    detail: str
    """What was found and what was expected."""

    @property
    def reason(self) -> Reason:
        """The code that counts and stores this line."""
        return Reason.MALFORMED_INPUT_LINE


Item: TypeAlias = MarketEvent | RejectedLine
"""What `Source.events()` yields, exactly one for every message."""
