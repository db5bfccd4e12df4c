"""The news of the slow symbol: every item is kept, and every feature is computed anew from all of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from tests.support.written_events import SECOND, Event

if TYPE_CHECKING:
    from tests.support.kernel_oracles import SlowSymbol

DAY = 86_400 * SECOND


class Item(NamedTuple):
    """One accepted item."""

    time: int
    sentiment: float
    bits: int
    identity: int
    novelty: float


class SlowNews:
    """Takes NEWS events whose texts were read."""

    def __init__(self, symbol: SlowSymbol) -> None:
        self.symbol = symbol
        self.items: list[Item] = []

    def take(self, event: Event) -> bool:
        """False when the item is one of the last eight again."""
        if event.sequence and event.sequence in [item.identity for item in self.items[-8:]]:
            return False
        sentiment, high, low = event.numbers[:3]
        bits = int(high) * 2**32 + int(low)
        delay = self.symbol.taken[-1].delay // 1000 * 1000 if self.symbol.taken else 0
        feed_delay = delay if abs(delay) <= 20 * 60 * SECOND else 0
        time = max(self.symbol.clock, event.available_time - feed_delay, self.items[-1].time if self.items else 0)
        self.items.append(Item(time, sentiment, bits, event.sequence, self._novelty(time, bits)))
        return True

    def _first_event_time(self) -> int:
        return self.symbol.taken[0].event_time if self.symbol.taken else 0

    def _novelty(self, time: int, bits: int) -> float:
        before, first_event_time = self.items[-8:], self._first_event_time()
        if not bits or (len(before) < 8 and not (first_event_time and time - first_event_time >= DAY)):
            return math.nan
        recent = [item for item in before if item.bits and time // SECOND - item.time // SECOND <= 86_400]
        return min([1.0, *((item.bits ^ bits).bit_count() / 32 for item in recent)])

    def features(self) -> dict[str, float]:
        """What can be said at the symbol's clock."""
        first_event_time, now = self._first_event_time(), max([self.symbol.clock, *(item.time for item in self.items)])
        values = {}
        for name, window, hop in (("1_hour", 3600, 300), ("24_hours", 86_400, 3600)):
            begin = (now // SECOND - window) // hop * hop * SECOND
            if 0 < first_event_time < begin:
                values[f"news_count_{name}"] = float(sum(item.time >= begin for item in self.items))
        if not self.items:
            return values
        read = [item for item in self.items if not math.isnan(item.sentiment)]
        for name, half_life in (("5_minutes", 300 * SECOND), ("30_minutes", 1800 * SECOND)):
            if read:
                values[f"news_sentiment_{name}"] = sum(item.sentiment * 2.0 ** (-(now - item.time) / half_life) for item in read)
        return values | {"news_novelty": self.items[-1].novelty, "seconds_since_news": (now - self.items[-1].time) / SECOND}
