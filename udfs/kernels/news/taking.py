"""One piece of news is taken into a symbol's state."""

from __future__ import annotations

from udfs.kernels.compiled import kernel
from udfs.kernels.symbol_state import Record


@kernel
def take_news(state: Record, settings: Record, event: Record) -> None:
    """Take an accepted NEWS event; `event.numbers` is its row of facts, NaN where nobody has read its text."""
