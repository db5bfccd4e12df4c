"""One fact is taken into a symbol's state."""

from __future__ import annotations

from udfs.kernels.compiled import kernel
from udfs.kernels.news.taking import take_news
from udfs.kernels.symbol_state import Record
from udfs.kernels.work_area import NEWS


@kernel
def take_fact(state: Record, settings: Record, event: Record) -> None:
    """Take an accepted fact. It moves no clock and closes no bar: the symbol's next event does."""
    if event.kind == NEWS:
        take_news(state, settings, event)
