"""The makers of facts that the settings ask for."""

from __future__ import annotations

from pathlib import Path

from jobs.gateway.context_facts import ContextFacts, ContextSettings
from jobs.gateway.facts import FactMaker, Facts
from jobs.gateway.reference_facts import AdjustmentFacts, ReferenceFacts
from jobs.gateway.session_facts import SessionFacts
from jobs.reference.corporate_actions import read_actions
from jobs.reference.instruments import Instruments, read_instruments
from jobs.reference.sessions import sessions_of
from jobs.settings import FactsSection
from udfs.kernels.events import NANOSECONDS_PER_MILLISECOND


def facts_of(settings: FactsSection, instruments: Instruments | None = None) -> Facts:
    """All makers; `instruments` in place of the file's. Raises SourceError or InvalidSettings before the first event."""
    if instruments is None and settings.instruments:
        instruments = read_instruments(Path(settings.instruments), settings.calendar)
    known = instruments or Instruments([])

    def calendar_of(symbol: str, second: float) -> str:
        return known.calendar_at(symbol, second) or settings.calendar

    makers: list[FactMaker] = []
    if settings.corporate_actions:
        makers.append(AdjustmentFacts(read_actions(Path(settings.corporate_actions), calendar_of)))
    if settings.calendar or instruments is not None:
        for name in filter(None, (settings.calendar, *known.calendars)):
            sessions_of(name)
        makers.append(SessionFacts(calendar_of))
    if instruments is not None:
        makers.append(ReferenceFacts(instruments))
    context = ContextSettings(
        settings.index_symbol,
        settings.volatility_index_symbol,
        settings.rate_symbol,
        settings.context_interval_milliseconds * NANOSECONDS_PER_MILLISECOND,
    )
    if instruments is not None or context.index or context.volatility_index or context.rate:
        makers.append(ContextFacts(context, known))
    return Facts(tuple(makers))
