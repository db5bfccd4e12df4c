"""One fact is taken into a symbol's state."""

from __future__ import annotations

from udfs.kernels.compiled import kernel
from udfs.kernels.facts.adjustment import take_adjustment
from udfs.kernels.facts.context import take_context
from udfs.kernels.facts.reference import take_reference
from udfs.kernels.facts.session import take_session
from udfs.kernels.news.taking import take_news
from udfs.kernels.symbol_state import Record
from udfs.kernels.work_area import CONTEXT, NEWS, REFERENCE, SESSION


@kernel
def take_fact(state: Record, settings: Record, event: Record) -> None:
    """Take an accepted fact. It moves no clock and closes no bar: the symbol's next event does."""
    if event.kind == CONTEXT:
        take_context(state, event.event_time, event.numbers)
    elif event.kind == NEWS:
        take_news(state, settings, event)
    elif event.kind == REFERENCE:
        take_reference(state, event.numbers)
    elif event.kind == SESSION:
        take_session(state, event.numbers)
    else:
        take_adjustment(state, event.numbers)
