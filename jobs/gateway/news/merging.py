"""News merged in time with what happened in the market."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jobs.gateway.market_event import Item, MarketEvent
from jobs.gateway.running_source import Source


def merged_with_news(market: Iterable[Item], news: Iterable[Item]) -> Iterator[Item]:
    """Both, each by available time: an item of news comes after what was available at its time or before; rejected lines come at once."""
    waiting = iter(news)
    item = next(waiting, None)
    for event in market:
        while item is not None and (not isinstance(item, MarketEvent) or _is_before(item, event)):
            yield item
            item = next(waiting, None)
        yield event
    if item is not None:
        yield item
        yield from waiting


def _is_before(news: MarketEvent, event: Item) -> bool:
    return isinstance(event, MarketEvent) and news.available_time < event.available_time


@dataclass(frozen=True)
class WithNews:
    """A source of market data with news merged in."""

    market: Source
    news: tuple[Item, ...]
    """By available time."""

    @property
    def name(self) -> str:
        """See `Source`."""
        return self.market.name

    @property
    def venue(self) -> str:
        """See `Source`."""
        return self.market.venue

    def events(self) -> Iterator[Item]:
        """See `Source`."""
        return merged_with_news(self.market.events(), self.news)
