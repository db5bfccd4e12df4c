"""One symbol's news: when it comes, what it says, and how the efficient price follows it."""

from __future__ import annotations

import math

import numpy as np

from jobs.gateway.market_event import MarketEvent
from jobs.gateway.news.news_events import news_events
from jobs.simulator.efficient_price import STEP_SECONDS, STEPS, STRETCH_SECONDS, Floats
from jobs.simulator.headlines import TEMPLATES, company_name, headline
from jobs.simulator.settings import NEWS_FOLLOWED_SECONDS, SimulationSettings
from udfs.records import NewsItem

_SECOND = 1_000_000_000
_PUBLISHED_BEFORE_SECONDS = 2.0
"""From publication to the moment at which an item is available."""


class NewsFlow:
    """Draws a symbol's items one after the other; a rate of 0 draws nothing and moves no price."""

    def __init__(self, settings: SimulationSettings, symbol: str, generator: np.random.Generator) -> None:
        self._settings, self._symbol, self._generator = settings, symbol, generator
        self._company = company_name(generator) if settings.news_per_hour else ""
        self._items: list[tuple[float, int]] = []
        """(seconds since the start, minus one, zero or one) of items that the price still follows."""
        self._settled = 0.0
        """How far the items before them have moved the logarithm of the price."""
        self._next = self._drawn_after(0.0)

    def stretch(self, begin: float) -> tuple[list[MarketEvent], Floats]:
        """Items that become available in [begin, begin + STRETCH_SECONDS), and what they add to the log price at its steps (STEPS,)."""
        events = []
        while self._next < begin + STRETCH_SECONDS:
            number = int(self._generator.integers(len(TEMPLATES)))
            self._items.append((self._next, TEMPLATES[number][1] - 1))
            events += self._event(self._next, headline(number, self._generator, self._company))
            self._next = self._drawn_after(self._next)
        return events, self._followed(begin)

    def _drawn_after(self, time: float) -> float:
        rate = self._settings.news_per_hour
        return time + float(self._generator.exponential()) * 3600 / rate if rate else math.inf

    def _event(self, seconds: float, text: str) -> list[MarketEvent]:
        available = self._settings.start_time + round(seconds * _SECOND)
        published = available - round(_PUBLISHED_BEFORE_SECONDS * _SECOND)
        name = f"{self._symbol}-{seconds:.3f}"
        return news_events(NewsItem(name, published, available, (self._symbol,), text, "", "simulated"), available)

    def _followed(self, begin: float) -> Floats:
        """Each item moves the price evenly over NEWS_FOLLOWED_SECONDS, by `news_impact`, the way it points."""
        times = begin + STEP_SECONDS * np.arange(1, STEPS + 1)
        move = np.full(STEPS, self._settled)
        for time, sign in self._items:
            move += sign * self._settings.news_impact * np.clip((times - time) / NEWS_FOLLOWED_SECONDS, 0.0, 1.0)
        over = [sign for time, sign in self._items if time + NEWS_FOLLOWED_SECONDS <= times[-1]]
        self._settled += sum(over) * self._settings.news_impact
        self._items = self._items[len(over) :]
        return move
