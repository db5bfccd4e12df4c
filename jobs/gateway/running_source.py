"""A source while it is being read: its next item can be looked at, and its times can be moved to now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from jobs.gateway.market_event import Item, MarketEvent, RejectedLine


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
        self._items = source.events()
        self._next: Item | None = None
        self._ended = False

    def peek(self) -> Item | None:
        """The next item, which stays the next; None at the end."""
        if self._next is None and not self._ended:
            self._next = self._read()
            self._ended = self._next is None
        return self._next

    def take(self) -> Item | None:
        """The next item, which is gone then; None at the end."""
        item = self.peek()
        self._next = None
        return item

    def first_available_time(self) -> int | None:
        """Available time of the next item, without shift; None when it is no event or there is none."""
        item = self.peek()
        return item.available_time - self.shift_nanoseconds if isinstance(item, MarketEvent) else None

    def _read(self) -> Item | None:
        item = next(self._items, None)
        if item is None or isinstance(item, RejectedLine) or not self.shift_nanoseconds:
            return item
        return shifted(item, self.shift_nanoseconds)


def shifted(event: MarketEvent, nanoseconds: int) -> MarketEvent:
    """The same event, later by that much. An event time too small or large to be moved stays: it is wrong anyway, and must stay wrong."""
    event_time = event.event_time + nanoseconds
    if event.event_time <= 0 or event_time >= 1 << 63:
        event_time = event.event_time
    return event._replace(event_time=event_time, available_time=event.available_time + nanoseconds)
