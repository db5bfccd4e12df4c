"""The session of the symbol's calendar, as SESSION facts tell it: minute, day of the week, time to the close, phase."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.facts.layout import SESSION_NUMBERS
from udfs.kernels.feature_vector import Feature
from udfs.kernels.symbol_state import Record

PHASE_SECONDS: Final = 1800
"""Length of the opening and the closing phase."""
BEFORE_OPEN: Final = 0
OPENING: Final = 1
MIDDLE: Final = 2
CLOSING: Final = 3
AFTER_CLOSE: Final = 4
_START, _OPEN, _CLOSE, _NEXT_OPEN, _PREVIOUS_CLOSE, _EARLY, _OFFSET, _DAY = range(len(SESSION_NUMBERS))
_SECONDS_PER_DAY: Final = 86_400
_LATEST: Final = 7_258_118_400.0
"""2200-01-01."""
_FULL_TURN: Final = 2.0 * np.pi


@kernel
def session_is_possible(numbers: Record) -> bool:
    """Whole numbers in the order that time has."""
    for place in range(len(SESSION_NUMBERS)):
        if not np.isfinite(numbers[place]) or numbers[place] != np.floor(numbers[place]):
            return False
    in_order = numbers[_START] <= numbers[_OPEN] < numbers[_CLOSE] <= numbers[_NEXT_OPEN] and numbers[_PREVIOUS_CLOSE] <= numbers[_OPEN]
    in_time = numbers[_START] > 0.0 and numbers[_PREVIOUS_CLOSE] >= 0.0 and numbers[_NEXT_OPEN] < _LATEST
    in_bounds = 0.0 <= numbers[_EARLY] <= 1.0 and abs(numbers[_OFFSET]) <= _SECONDS_PER_DAY and 0.0 <= numbers[_DAY] < _SECONDS_PER_DAY
    return in_order and in_time and in_bounds


@kernel
def take_session(state: Record, numbers: Record) -> None:
    """Follow this session from now on; where the one before it began is kept for what is still open of it."""
    held, start = state.session_facts, int(numbers[_START])
    if start != held.start:
        held.previous_start = held.start if held.start < start else 0
    held.start, held.open, held.close = start, int(numbers[_OPEN]), int(numbers[_CLOSE])
    held.next_open, held.previous_close = int(numbers[_NEXT_OPEN]), int(numbers[_PREVIOUS_CLOSE])
    held.early_close, held.utc_offset, held.day = int(numbers[_EARLY]), int(numbers[_OFFSET]), int(numbers[_DAY])


@kernel
def put_session(values: Record, state: Record) -> None:
    """Write what the session says of the clock; nothing without a session, or once the next one is open and was not said."""
    held, clock = state.session_facts, state.clock
    if held.start == 0 or clock >= held.next_open * NANOSECONDS_PER_SECOND:
        return
    local_day = (clock // NANOSECONDS_PER_SECOND + held.utc_offset) // _SECONDS_PER_DAY
    next_day = (held.next_open + held.utc_offset) // _SECONDS_PER_DAY
    weekday = _FULL_TURN * ((local_day + 3) % 7) / 7.0
    values[Feature.DAY_OF_WEEK_SINE], values[Feature.DAY_OF_WEEK_COSINE] = np.sin(weekday), np.cos(weekday)
    since_open = (clock - held.open * NANOSECONDS_PER_SECOND) / NANOSECONDS_PER_SECOND
    to_close = (held.close * NANOSECONDS_PER_SECOND - clock) / NANOSECONDS_PER_SECOND
    if since_open >= 0.0 and to_close > 0.0:
        minute = _FULL_TURN * since_open / (held.close - held.open)
        values[Feature.MINUTE_OF_SESSION_SINE], values[Feature.MINUTE_OF_SESSION_COSINE] = np.sin(minute), np.cos(minute)
    if to_close > 0.0:
        values[Feature.SECONDS_TO_CLOSE] = to_close
    values[Feature.SESSION_PHASE] = _phase(held, since_open, to_close)
    values[Feature.EARLY_CLOSE] = held.early_close
    values[Feature.HOLIDAY] = 1.0 if to_close <= 0.0 and held.day < local_day < next_day else 0.0


@kernel
def _phase(held: Record, since_open: float, to_close: float) -> int:
    """Where trading goes on without a break there is neither an opening nor a closing phase."""
    if since_open < 0.0:
        return BEFORE_OPEN
    if to_close <= 0.0:
        return AFTER_CLOSE
    if since_open < PHASE_SECONDS and held.previous_close < held.open:
        return OPENING
    return CLOSING if to_close <= PHASE_SECONDS and held.next_open > held.close else MIDDLE
