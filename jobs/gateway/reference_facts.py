"""REFERENCE and ADJUSTMENT facts: what the tables of instruments and corporate actions say, from when it held and was known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jobs.gateway.facts import fact_beside
from jobs.gateway.market_event import MarketEvent
from jobs.reference.corporate_actions import CorporateAction
from jobs.reference.instruments import Instruments
from udfs.kernels.events import NANOSECONDS_PER_SECOND, EventKind

REPEATED_SECONDS = 14 * 86_400
"""Actions that took effect so long before a symbol's first event are said then: another gateway may have sent what came before them.
The job takes each only once."""


class ReferenceFacts:
    """A REFERENCE before the first event of a symbol, and before the first one after it has changed."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._until: dict[str, float] = {}
        """Second until which nothing new can be said of a symbol."""

    def before(self, event: MarketEvent) -> Iterator[MarketEvent]:
        """See `FactMaker`."""
        now = event.available_time / NANOSECONDS_PER_SECOND
        if now < self._until.get(event.symbol, 0.0):
            return
        self._until[event.symbol] = self._instruments.next_change(event.symbol, now)
        found = self._instruments.at(event.symbol, now, now)
        if found is not None:
            yield fact_beside(event, EventKind.REFERENCE, (found.sector, found.market_cap_bucket, found.listed, found.delisted))


class AdjustmentFacts:
    """An ADJUSTMENT before the first event of a symbol from each action's time on, if it was known by then."""

    def __init__(self, actions: Mapping[str, list[CorporateAction]]) -> None:
        self._actions = actions
        self._waiting: dict[str, list[CorporateAction]] = {}
        """Actions that were not said yet, in order of time."""

    def before(self, event: MarketEvent) -> Iterator[MarketEvent]:
        """See `FactMaker`."""
        if event.symbol not in self._actions:
            return
        time = min(event.event_time, event.available_time)
        now = time / NANOSECONDS_PER_SECOND
        waiting = self._waiting.get(event.symbol)
        if waiting is None:
            waiting = [action for action in self._actions[event.symbol] if action.effective > now - REPEATED_SECONDS]
        due = [action for action in waiting if action.effective * NANOSECONDS_PER_SECOND <= time and action.available_from <= now]
        self._waiting[event.symbol] = [action for action in waiting if action not in due] if due else waiting
        for action in due:
            yield fact_beside(event, EventKind.ADJUSTMENT, (action.effective, action.split_factor, action.cash_dividend))
