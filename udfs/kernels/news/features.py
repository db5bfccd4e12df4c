"""The features of news, at the symbol's clock or, where news came after it, at the time of the newest item."""

# mypy: no-warn-return-any
from __future__ import annotations

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.feature_vector import Feature
from udfs.kernels.news.layout import FIVES_RING, HOURS_RING
from udfs.kernels.news.taking import DAY_SECONDS, FAST_HALF_LIFE_SECONDS, FIVE_SECONDS, HOUR_SECONDS, SLOW_HALF_LIFE_SECONDS, decayed
from udfs.kernels.symbol_state import Record
from udfs.kernels.windows import is_before


@kernel
def put_news(values: Record, state: Record) -> None:
    """Write the features of news."""
    memory = state.news
    now = max(state.clock, memory.time)
    second = now // NANOSECONDS_PER_SECOND
    hour_ago, day_ago = (second - HOUR_SECONDS) // FIVE_SECONDS, (second - DAY_SECONDS) // HOUR_SECONDS
    newest = memory.time // NANOSECONDS_PER_SECOND
    if is_before(state.first_event_time, hour_ago * FIVE_SECONDS):
        values[Feature.NEWS_COUNT_1_HOUR] = _counted(memory.fives, FIVES_RING, hour_ago, newest // FIVE_SECONDS)
    if is_before(state.first_event_time, day_ago * HOUR_SECONDS):
        values[Feature.NEWS_COUNT_24_HOURS] = _counted(memory.hours, HOURS_RING, day_ago, newest // HOUR_SECONDS)
    if memory.time > 0:
        age = now - memory.time
        values[Feature.NEWS_SENTIMENT_5_MINUTES] = decayed(memory.fast_sentiment, FAST_HALF_LIFE_SECONDS, age)
        values[Feature.NEWS_SENTIMENT_30_MINUTES] = decayed(memory.slow_sentiment, SLOW_HALF_LIFE_SECONDS, age)
        values[Feature.NEWS_NOVELTY] = memory.novelty
        values[Feature.SECONDS_SINCE_NEWS] = age / NANOSECONDS_PER_SECOND


@kernel
def _counted(tiles: Record, ring: int, first: int, newest: int) -> float:
    """Items in the tiles from `first` to the newest that holds any."""
    count = 0
    for tile in range(max(first, newest - ring + 1), newest + 1):
        count += tiles[tile % ring]
    return float(count)
