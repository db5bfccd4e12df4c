"""What is not believed: one check a kind of event, first failure wins. Nothing here changes the state.

Order: kind and payload, time, lateness, duplicates, then the numbers, then what `plausibility` remembers. A trade of size 0 is accepted
(a price without volume, as some feeds send); a negative size is not. NaN prices in QUOTE and BOOK mean an empty side or level.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.errors import Reason
from udfs.kernels.compiled import kernel
from udfs.kernels.events import BOOK_DEPTH, EventFlag, EventKind, TradingStatus
from udfs.kernels.plausibility.clock_skew import is_skewed
from udfs.kernels.symbol_state import Record

ACCEPTED: Final = int(Reason.ACCEPTED)
CROSSED_BOOK: Final = int(Reason.CROSSED_BOOK)
SEQUENCE_GAP: Final = int(Reason.SEQUENCE_GAP)
_LATE: Final = int(Reason.LATE)
_DUPLICATE: Final = int(Reason.DUPLICATE)
_NOT_A_NUMBER: Final = int(Reason.NOT_A_NUMBER)
_PRICE_NOT_POSITIVE: Final = int(Reason.PRICE_NOT_POSITIVE)
_SIZE_NEGATIVE: Final = int(Reason.SIZE_NEGATIVE)
_TIME_ABSURD: Final = int(Reason.TIME_ABSURD)
_UNKNOWN_STATUS: Final = int(Reason.UNKNOWN_STATUS)
_CLOCK_SKEW: Final = int(Reason.CLOCK_SKEW)
_SIZE_IMPOSSIBLE: Final = int(Reason.SIZE_IMPOSSIBLE)
_LEVELS_UNSORTED: Final = int(Reason.LEVELS_UNSORTED)
_CLOCK: Final = int(EventKind.CLOCK)
_BAR: Final = int(EventKind.BAR)
_BOOK: Final = int(EventKind.BOOK)
_SNAPSHOT: Final = int(EventFlag.SNAPSHOT)
_GAP_FLAG: Final = int(EventFlag.SEQUENCE_GAP)
_UNSYNCHRONISED: Final = int(EventFlag.UNSYNCHRONISED)
_LAST_STATUS: Final = max(int(status) for status in TradingStatus)
_LATEST_TIME: Final = 7_258_118_400_000_000_000
"""2200-01-01: beyond it sums of times could overflow."""
_GREATEST_SIZE: Final = 2.0**53
"""Above it not every whole number has a float64 of its own."""


@kernel
def is_absurd_time(settings: Record, event_time: int, available_time: int) -> bool:
    """Too long ago, or further ahead of its available time than any clock can be."""
    if event_time < settings.minimum_time or available_time < settings.minimum_time or available_time > _LATEST_TIME:
        return True
    return event_time - settings.maximum_clock_skew_nanoseconds > available_time


@kernel
def check_time(state: Record, settings: Record, kind: int, event_time: int, available_time: int) -> int:
    """TIME_ABSURD, CLOCK_SKEW or LATE. A CLOCK may lie in the past; a BAR that ends at the watermark is closed already."""
    if is_absurd_time(settings, event_time, available_time):
        return _TIME_ABSURD
    if is_skewed(state, event_time, available_time):
        return _CLOCK_SKEW
    if kind == _CLOCK:
        return ACCEPTED
    if event_time < state.watermark or (kind == _BAR and event_time == state.watermark):
        return _LATE
    return ACCEPTED


@kernel
def check_sequence(state: Record, kind: int, flags: int, sequence: int) -> int:
    """DUPLICATE: not above the last accepted number of its kind. A snapshot may start the numbering again lower."""
    last = state.last_sequence[kind]
    if sequence <= 0 or sequence > last:
        return ACCEPTED
    if kind == _BOOK and flags & _SNAPSHOT and sequence < last:
        return ACCEPTED
    return _DUPLICATE


@kernel
def check_trade(trade: Record) -> int:
    """Price and size."""
    if not np.isfinite(trade[0]) or not np.isfinite(trade[1]):
        return _NOT_A_NUMBER
    if trade[0] <= 0.0:
        return _PRICE_NOT_POSITIVE
    return check_size(trade[1])


@kernel
def check_size(size: float) -> int:
    """A size that can be."""
    if size < 0.0:
        return _SIZE_NEGATIVE
    return _SIZE_IMPOSSIBLE if size > _GREATEST_SIZE else ACCEPTED


@kernel
def check_level(price: float, size: float) -> int:
    """One side of a quote or one level of a book; a NaN price means that there is none."""
    if np.isnan(price):
        return ACCEPTED
    if not np.isfinite(price) or not np.isfinite(size):
        return _NOT_A_NUMBER
    if price <= 0.0:
        return _PRICE_NOT_POSITIVE
    return check_size(size)


@kernel
def check_quote(quote: Record) -> int:
    """Both sides, and that they do not cross. Equal prices (locked) are no crossing."""
    for side in (0, 2):
        verdict = check_level(quote[side], quote[side + 1])
        if verdict != ACCEPTED:
            return verdict
    return CROSSED_BOOK if quote[0] > quote[2] else ACCEPTED


@kernel
def check_book(flags: int, levels: Record) -> int:
    """All levels, their order, and that the best ones do not cross. A gap counts unless this very event is the snapshot that mends it."""
    if flags & _GAP_FLAG and not flags & _SNAPSHOT:
        return SEQUENCE_GAP
    if flags & _UNSYNCHRONISED:
        return ACCEPTED
    for row in (0, 2):
        for level in range(BOOK_DEPTH):
            verdict = check_level(levels[row, level], levels[row + 1, level])
            if verdict != ACCEPTED:
                return verdict
    if not (_is_sorted(levels[0], -1.0) and _is_sorted(levels[2], 1.0)):
        return _LEVELS_UNSORTED
    return CROSSED_BOOK if levels[0, 0] > levels[2, 0] else ACCEPTED


@kernel
def _is_sorted(prices: Record, sign: float) -> bool:
    """Strictly worse from level to level, with nothing after the first empty one."""
    for level in range(1, BOOK_DEPTH):
        before, price = prices[level - 1], prices[level]
        if not np.isnan(price) and not (price - before) * sign > 0.0:
            return False
    return True


@kernel
def check_bar(bar: Record) -> int:
    """Open, high, low, close, volume, length: finite, positive, high and low on the outside, whole seconds."""
    for place in range(6):
        if not np.isfinite(bar[place]):
            return _NOT_A_NUMBER
    if min(bar[0], bar[1], bar[2], bar[3]) <= 0.0:
        return _PRICE_NOT_POSITIVE
    verdict = check_size(bar[4])
    if verdict != ACCEPTED:
        return verdict
    if bar[5] < 1.0 or bar[5] != np.floor(bar[5]):
        return _NOT_A_NUMBER
    if bar[1] < max(bar[0], bar[3]) or bar[2] > min(bar[0], bar[3]):
        return _LEVELS_UNSORTED
    return ACCEPTED


@kernel
def check_status(status: int) -> int:
    """A status that is known."""
    return ACCEPTED if 1 <= status <= _LAST_STATUS else _UNKNOWN_STATUS
