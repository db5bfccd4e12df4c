"""One piece of news is believed or not, and taken into a symbol's state.

News has a time on the symbol's clock: when it became available, less the delay of the symbol's feed as its newest event shows it, and never
before the clock nor before the item before it. So an item counts from the first moment at which a decision could know it, however long ago
it was published, and it never makes an event of the market late. Delayed feeds of exchanges are 15 or 20 min behind: an event that is
further off its arrival (the last trade of the day before, as some feeds begin with) shows no delay, and news counts from its arrival.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Any, Final

import numpy as np

from udfs.errors import Reason
from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.firewall import ACCEPTED
from udfs.kernels.news.layout import FIVES_RING, GREATEST_COUNT, HOURS_RING, KEPT_ITEMS, NewsFact
from udfs.kernels.symbol_state import Record

FAST_HALF_LIFE_SECONDS: Final = 300
SLOW_HALF_LIFE_SECONDS: Final = 1800
FIVE_SECONDS: Final = 300
HOUR_SECONDS: Final = 3600
DAY_SECONDS: Final = 86_400
UNRELATED_BITS: Final = 32
"""Half of a fingerprint's bits: in so many do texts differ that have nothing in common."""
_OLDEST_NANOSECONDS: Final = DAY_SECONDS * NANOSECONDS_PER_SECOND
_MICROSECOND: Final = 1000
LONGEST_FEED_DELAY: Final = 20 * 60 * 1_000_000
"""In microseconds, either way."""
_LOG_2: Final = float(np.log(2.0))
_HALF_WORD: Final = 4_294_967_296.0
_32, _ONE, _ZERO = np.uint64(32), np.uint64(1), np.uint64(0)
_SENTIMENT, _HIGH, _LOW, _HAS_WORDS = (int(place) for place in NewsFact)
_LATE: Final = int(Reason.LATE)
_DUPLICATE: Final = int(Reason.DUPLICATE)
_NOT_A_NUMBER: Final = int(Reason.NOT_A_NUMBER)
_EMPTY_NEWS: Final = int(Reason.EMPTY_NEWS)


@kernel
def check_news(state: Record, event: Record) -> int:
    """LATE when published over 24 h before it was available; DUPLICATE when it is one of the last items again; EMPTY_NEWS; NOT_A_NUMBER."""
    if event.available_time - event.event_time > _OLDEST_NANOSECONDS:
        return _LATE
    if event.numbers[_HAS_WORDS] == 0.0:
        return _EMPTY_NEWS
    if abs(event.numbers[_SENTIMENT]) > 1.0:
        return _NOT_A_NUMBER
    identity = _identity(event.sequence)
    for place in range(KEPT_ITEMS):
        if identity != 0 and state.news.identities[place] == identity:
            return _DUPLICATE
    return ACCEPTED


@kernel
def note_feed_delay(state: Record, event: Record) -> None:
    """An event of the market was accepted."""
    delay = (event.available_time - event.event_time) // _MICROSECOND
    state.news.feed_delay = delay if abs(delay) <= LONGEST_FEED_DELAY else 0


@kernel
def take_news(state: Record, settings: Record, event: Record) -> None:
    """Take an accepted NEWS event; `event.numbers` is its row of facts, NaN where nobody has read its text."""
    memory = state.news
    time = max(state.clock, event.available_time - memory.feed_delay * _MICROSECOND, memory.time)
    fingerprint = _fingerprint(event.numbers)
    memory.novelty = _novelty(state, time, fingerprint)
    _keep(memory, time, fingerprint, _identity(event.sequence))
    _count(memory.fives, FIVES_RING, FIVE_SECONDS, memory.time, time)
    _count(memory.hours, HOURS_RING, HOUR_SECONDS, memory.time, time)
    sentiment = event.numbers[_SENTIMENT]
    memory.fast_sentiment = _added(memory.fast_sentiment, FAST_HALF_LIFE_SECONDS, time - memory.time, sentiment)
    memory.slow_sentiment = _added(memory.slow_sentiment, SLOW_HALF_LIFE_SECONDS, time - memory.time, sentiment)
    memory.time = time


@kernel
def decayed(value: float, half_life_seconds: int, nanoseconds: int) -> float:
    """What is left of a value."""
    return value * np.exp(-_LOG_2 * nanoseconds / (half_life_seconds * NANOSECONDS_PER_SECOND))


@kernel
def _added(value: float, half_life_seconds: int, nanoseconds: int, sentiment: float) -> float:
    """What is left of the sum, plus one item's sentiment, if it has one."""
    if np.isnan(sentiment):
        return decayed(value, half_life_seconds, nanoseconds)
    return sentiment if np.isnan(value) else decayed(value, half_life_seconds, nanoseconds) + sentiment


@kernel
def _count(tiles: Record, ring: int, tile_seconds: int, before: int, time: int) -> None:
    """Count one item; tiles that no item reached since `before` become zero."""
    tile = time // NANOSECONDS_PER_SECOND // tile_seconds
    newest = before // NANOSECONDS_PER_SECOND // tile_seconds
    for passed in range(max(newest + 1, tile - ring + 1), tile + 1):
        tiles[passed % ring] = 0
    tiles[tile % ring] = min(np.int64(tiles[tile % ring]) + 1, GREATEST_COUNT)


@kernel
def _keep(memory: Record, time: int, fingerprint: Any, identity: Any) -> None:
    for place in range(KEPT_ITEMS - 1, 0, -1):
        memory.fingerprints[place] = memory.fingerprints[place - 1]
        memory.identities[place] = memory.identities[place - 1]
        memory.seconds[place] = memory.seconds[place - 1]
    memory.fingerprints[0], memory.identities[0] = fingerprint, identity
    memory.seconds[0] = np.uint32(time // NANOSECONDS_PER_SECOND)


@kernel
def _novelty(state: Record, time: int, fingerprint: Any) -> float:
    """Share of what texts usually differ in by which this one differs from the nearest kept item of the last 24 h; 1 when there is none.

    NaN when nobody read the text, or when more items than are kept may have been before it.
    """
    memory = state.news
    full = memory.seconds[KEPT_ITEMS - 1] != 0
    whole_day = state.first_event_time > 0 and time - state.first_event_time >= _OLDEST_NANOSECONDS
    if fingerprint == _ZERO or not (full or whole_day):
        return np.nan
    second, nearest = time // NANOSECONDS_PER_SECOND, UNRELATED_BITS
    for place in range(KEPT_ITEMS):
        kept = memory.fingerprints[place]
        if kept != _ZERO and second - np.int64(memory.seconds[place]) <= DAY_SECONDS:
            nearest = min(nearest, _differing_bits(kept, fingerprint))
    return nearest / UNRELATED_BITS


@kernel
def _differing_bits(one: Any, other: Any) -> int:
    rest, count = one ^ other, 0
    while rest != _ZERO:
        rest &= rest - _ONE
        count += 1
    return count


@kernel
def _fingerprint(numbers: Record) -> Any:
    """The 64 bits that two facts hold; 0 when they hold none."""
    high, low = numbers[_HIGH], numbers[_LOW]
    if not (0.0 <= high < _HALF_WORD and 0.0 <= low < _HALF_WORD):
        return _ZERO
    return (np.uint64(high) << _32) | np.uint64(low)


@kernel
def _identity(sequence: int) -> Any:
    """32 bits of an item's number; 0 when it has none."""
    number = np.uint64(sequence)
    return np.uint32((number ^ (number >> _32)) & np.uint64(0xFFFFFFFF))
