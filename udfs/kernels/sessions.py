"""What a session is: the day of the symbol's calendar where a SESSION fact tells it, else the UTC day. The one place that says so.

A session is known by the second in which it begins. A fact counts from when it is taken: the gateway puts it before the first event.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

from udfs.kernels.compiled import kernel
from udfs.kernels.symbol_state import Record

SECONDS_PER_DAY: Final = 86_400


@kernel
def session_of(state: Record, second: int) -> int:
    """First second of the session that a second lies in: the last one said, the one before it, or the UTC day."""
    held = state.session_facts
    if held.start > 0 and second >= held.start:
        return held.start
    if held.previous_start > 0 and second >= held.previous_start:
        return held.previous_start
    return second - second % SECONDS_PER_DAY
