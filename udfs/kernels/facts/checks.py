"""Which facts are believed. A fact is never late, and says nothing of the feed's clock or numbering."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.errors import Reason
from udfs.kernels.compiled import kernel
from udfs.kernels.events import FACT_NUMBERS
from udfs.kernels.facts.adjustment import adjustment_is_possible
from udfs.kernels.facts.context import context_is_possible
from udfs.kernels.facts.reference import reference_is_possible
from udfs.kernels.facts.session import session_is_possible
from udfs.kernels.firewall import ACCEPTED, is_absurd_time
from udfs.kernels.news.taking import check_news
from udfs.kernels.symbol_state import Record
from udfs.kernels.work_area import ADJUSTMENT, CONTEXT, NEWS, REFERENCE, SESSION

_TIME_ABSURD: Final = int(Reason.TIME_ABSURD)
_NOT_A_NUMBER: Final = int(Reason.NOT_A_NUMBER)
_FACT_ABSURD: Final = int(Reason.FACT_ABSURD)


@kernel
def check_fact(state: Record, settings: Record, event: Record) -> int:
    """TIME_ABSURD, for news from the future too; NOT_A_NUMBER: infinite, NaN says that it is not known; else FACT_ABSURD."""
    if is_absurd_time(settings, event.event_time, event.available_time):
        return _TIME_ABSURD
    for place in range(FACT_NUMBERS):
        if np.isinf(event.numbers[place]):
            return _NOT_A_NUMBER
    if event.kind == NEWS:
        return check_news(state, event)
    return ACCEPTED if _is_possible(state, event.kind, event.event_time, event.numbers) else _FACT_ABSURD


@kernel
def _is_possible(state: Record, kind: int, event_time: int, numbers: Record) -> bool:
    if kind == CONTEXT:
        return context_is_possible(numbers)
    if kind == REFERENCE:
        return reference_is_possible(numbers)
    if kind == SESSION:
        return session_is_possible(numbers)
    return adjustment_is_possible(state, event_time, numbers) if kind == ADJUSTMENT else True
