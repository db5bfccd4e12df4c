"""A source while it is being read: an item can be put back, and its times can be moved to now."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

from jobs.gateway.market_event import Item, MarketEvent


class Source(Protocol):
    """What a reader or the simulator offers."""

    @property
    def name(self) -> str:
        """What it is, for the records made of it."""

    @property
    def venue(self) -> str:
        """Where its events happened."""

    def events(self) -> Iterator[Item]:
        """One item for every message, by available time."""


class RunningSource:
    """The items of a source that are still to come. Reading may stop at a time and go on later with the same object."""

    def __init__(self, source: Source, shift_nanoseconds: int = 0) -> None:
        self.name = source.name
        self.venue = source.venue
        self.shift_nanoseconds = shift_nanoseconds
        """Added to every time of every event."""
        self._items = moved(source.events(), shift_nanoseconds) if shift_nanoseconds else source.events()

    def __iter__(self) -> Iterator[Item]:
        return self._items

    def put_back(self, item: Item) -> None:
        """Make an item that was taken the next one again."""
        self._items = chain((item,), self._items)

    def first_available_time(self) -> int | None:
        """Available time of the next event, without shift, and without taking it; None when none is left."""
        before: list[Item] = []
        for item in self._items:
            before.append(item)
            if isinstance(item, MarketEvent):
                break
        self._items = chain(before, self._items)
        return before[-1].available_time - self.shift_nanoseconds if before and isinstance(before[-1], MarketEvent) else None


def moved(items: Iterable[Item], nanoseconds: int) -> Iterator[Item]:
    """The same items, every event later by that much."""
    for item in items:
        yield shifted(item, nanoseconds) if isinstance(item, MarketEvent) else item


def shifted(event: MarketEvent, nanoseconds: int) -> MarketEvent:
    """The same event, later by that much. An event time too small or large to be moved stays: it is wrong anyway, and must stay wrong."""
    event_time = event.event_time + nanoseconds
    if event.event_time <= 0 or event_time >= 1 << 63:
        event_time = event.event_time
    return event._replace(event_time=event_time, available_time=event.available_time + nanoseconds)


@dataclass(frozen=True, slots=True)
class PreparedSource:
    """A source whose items are all in memory, so that making them takes no time while they are sent."""

    name: str
    venue: str
    items: tuple[Item, ...]

    def events(self) -> Iterator[Item]:
        """See `Source`."""
        return iter(self.items)


def prepared(source: Source) -> PreparedSource:
    """Read a source to its end, about 1 KB an item, for measuring latency; the garbage collector leaves the items alone from then on."""
    items = tuple(source.events())
    gc.collect()
    gc.freeze()
    return PreparedSource(source.name, source.venue, items)
