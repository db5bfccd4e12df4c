"""SESSION facts: the opening hours of each symbol's exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jobs.gateway.facts import fact_beside
from jobs.gateway.market_event import MarketEvent
from jobs.reference.sessions import older_sessions_of, sessions_of
from udfs.kernels.events import NANOSECONDS_PER_SECOND, EventKind

_DAY = 86_400


class SessionFacts:
    """A SESSION before the first event of a symbol, and before the first event of each further session's day."""

    def __init__(self, calendar_of: Callable[[str, float], str]) -> None:
        self._calendar_of = calendar_of
        """Name of a symbol's calendar at a second; empty where it has none."""
        self._until: dict[str, int] = {}
        """Nanosecond until which nothing new is to be said of a symbol."""

    def before(self, event: MarketEvent) -> Iterator[MarketEvent]:
        """See `FactMaker`."""
        if event.event_time >= self._until.get(event.symbol, 0):
            yield from self._changed(event)

    def _changed(self, event: MarketEvent) -> Iterator[MarketEvent]:
        second = min(event.event_time, event.available_time) // NANOSECONDS_PER_SECOND
        if second * NANOSECONDS_PER_SECOND < self._until.get(event.symbol, 0):
            return
        calendar = self._calendar_of(event.symbol, second)
        if not calendar:
            self._until[event.symbol] = (second // _DAY + 1) * _DAY * NANOSECONDS_PER_SECOND
            return
        found = sessions_of(calendar).at(second) or older_sessions_of(calendar).at(second)
        if found is not None:
            numbers, until = found
            self._until[event.symbol] = until * NANOSECONDS_PER_SECOND
            yield fact_beside(event, EventKind.SESSION, numbers)
