"""Facts about a symbol, put into its log before its next event: whatever reads the log, live or later, needs to look nothing up.

A maker is asked before each event and may know nothing of what comes after it: its facts are those that had been available then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from jobs.gateway.market_event import MarketEvent
from udfs.kernels.events import EventKind


class FactMaker(Protocol):
    """Makes facts of some kinds. One thread uses it."""

    def before(self, event: MarketEvent) -> Iterator[MarketEvent]:
        """Facts that must stand right before this event of the symbol, and takes note of the event."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All makers of a gateway, in the order in which their facts stand."""

    makers: tuple[FactMaker, ...] = ()

    def before(self, event: MarketEvent) -> Iterator[MarketEvent]:
        """See `FactMaker`."""
        for maker in self.makers:
            yield from maker.before(event)


NO_FACTS = Facts()


def fact_beside(event: MarketEvent, kind: EventKind, numbers: tuple[float, ...]) -> MarketEvent:
    """A fact with the times of the event that it stands before; it happened no later than it was available."""
    return MarketEvent(event.symbol, int(kind), min(event.event_time, event.available_time), event.available_time, 0, 0, numbers)
