"""Events from the future: one of them would make everything after it late, so it is not believed, a feed whose clock is ahead is.

CLOCK_SKEW: event time is ahead of available time by over 2 s more than it is known to run ahead. That is as far as the default tolerance
of disorder, so that what is let through makes nothing late. Release: the 8th of such events that are ahead by the same, within 2 s, is
believed, and how far it is ahead is then known; a 64th of the difference is forgotten with each event that is less ahead. A CLOCK is
judged too, but teaches nothing.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.symbol_state import Record

SUDDEN_SKEW_NANOSECONDS: Final = 2 * NANOSECONDS_PER_SECOND
SKEW_CONFIRMATIONS: Final = 8
_FORGETTING_SHIFT: Final = 6


@kernel
def is_skewed(state: Record, event_time: int, available_time: int) -> bool:
    """Whether the event is from further in the future than can be believed."""
    memory, skew = state.plausibility, event_time - available_time
    if skew <= memory.skew + SUDDEN_SKEW_NANOSECONDS:
        return False
    return not (memory.skew_confirmations >= SKEW_CONFIRMATIONS - 1 and _agrees(memory, skew))


@kernel
def note_skewed(state: Record, event_time: int, available_time: int) -> None:
    """An event was not believed."""
    memory, skew = state.plausibility, event_time - available_time
    memory.skew_confirmations = min(memory.skew_confirmations + 1, SKEW_CONFIRMATIONS) if _agrees(memory, skew) else 1
    memory.skew_candidate = skew


@kernel
def note_skew(state: Record, event_time: int, available_time: int) -> None:
    """An event was believed."""
    memory, skew = state.plausibility, event_time - available_time
    if skew > memory.skew + SUDDEN_SKEW_NANOSECONDS:
        memory.skew, memory.skew_confirmations = skew, 0
    elif memory.skew > max(skew, 0):
        memory.skew -= (memory.skew - max(skew, 0) + (1 << _FORGETTING_SHIFT) - 1) >> _FORGETTING_SHIFT


@kernel
def _agrees(memory: Record, skew: int) -> bool:
    return memory.skew_confirmations > 0 and abs(skew - memory.skew_candidate) <= SUDDEN_SKEW_NANOSECONDS
