"""A price that runs away: predictions stop until it has been calm for a while.

The move is the smaller of two log returns, over the last minute (60 to 70 s, on the grid of 10 s) and over 10 s less, so that one wrong
price where a window begins is no crash. Where a usable book and a trade of the last 10 s both tell the price, the smaller move counts, too.
None counts where two disagree on the sign, so one side gone wrong is no crash either. Beyond is a move above
max(0.5 %, 10 sigma). Sigma is robust: a running 90 % quantile of the moves, sampled every 10 s, over 1.645; it is the greatest of the first
20, before which nothing is judged, then a greater move raises it by 4.5 %, another lowers it by 0.5 %.

Halted: three rows in a row, each after a further event that is no CLOCK, are beyond. Released: that was not so for
`flash_crash_hold_nanoseconds` on the symbol's clock. So one bad tick neither halts nor releases, nor does it prolong a halt. Not judged are
the 70 s after a pause (a change of the trading status, or 10 minutes without an event): the move of a minute spans the pause then. A pause
shows no calm: nothing is released in it, and the hold begins anew after it.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND, TradingStatus
from udfs.kernels.feature_vector import Feature
from udfs.kernels.robust_scale import next_quantile, ten_sigmas
from udfs.kernels.symbol_state import Record
from udfs.kernels.tiles import SECONDS_PER_TEN
from udfs.kernels.windows import boundary, price_at_ten

CRASH_FLOOR: Final = 0.005
CRASH_CONFIRMATIONS: Final = 3
WARM_SAMPLES: Final = 20
SAMPLE_NANOSECONDS: Final = 10 * NANOSECONDS_PER_SECOND
PAUSE_NANOSECONDS: Final = 600 * NANOSECONDS_PER_SECOND
SETTLING_NANOSECONDS: Final = 70 * NANOSECONDS_PER_SECOND
_FRESH_TRADE_NANOSECONDS: Final = 10 * NANOSECONDS_PER_SECOND
_OPEN: Final = int(TradingStatus.OPEN)


@kernel
def note_pause(state: Record, event_time: int, status_changes: bool) -> None:
    """An event other than a CLOCK was accepted; the state must still be the one before it."""
    memory = state.breakers
    if status_changes or event_time - state.last_event_time > PAUSE_NANOSECONDS:
        memory.opened_time = max(memory.opened_time, event_time)
        if memory.crashed != 0:
            memory.beyond_time = max(memory.beyond_time, event_time)


@kernel
def watch_for_crash(state: Record, values: Record, book_is_usable: bool, hold: int) -> None:
    """Judge the move of the last minute at a row whose prices and returns are in `values`."""
    memory = state.breakers
    move = abs(_move(state, values, book_is_usable))
    settled = state.clock - memory.opened_time > SETTLING_NANOSECONDS
    if settled and np.isfinite(move):
        _judge(state, memory, move)
        _learn(memory, state.clock, move)
    trades_go_on = settled and state.status <= _OPEN and state.clock <= state.last_event_time
    if memory.crashed != 0 and trades_go_on and state.clock - memory.beyond_time >= hold:
        memory.crashed = 0


@kernel
def _move(state: Record, values: Record, book_is_usable: bool) -> float:
    begin = boundary(state, 60, SECONDS_PER_TEN)
    traded, left_out = values[Feature.RETURN_1_MINUTE], np.log(price_at_ten(state, begin + SECONDS_PER_TEN) / price_at_ten(state, begin))
    if not book_is_usable:
        return _smaller(traded, traded - left_out)
    quoted = traded + np.log(values[Feature.MID_PRICE] / state.mark_price)
    if state.clock - state.last_trade_time > _FRESH_TRADE_NANOSECONDS:
        return _smaller(quoted, quoted - left_out)
    return _smaller(_smaller(traded, traded - left_out), _smaller(quoted, quoted - left_out))


@kernel
def _smaller(one: float, other: float) -> float:
    """The one nearer to 0; 0 when they are of different signs."""
    if not one * other > 0.0:
        return 0.0 if np.isfinite(one + other) else np.nan
    return one if abs(one) < abs(other) else other


@kernel
def _judge(state: Record, memory: Record, move: float) -> None:
    if memory.observations < WARM_SAMPLES or move <= max(CRASH_FLOOR, ten_sigmas(memory.move_scale)):
        memory.confirmations = 0
    elif state.event_number > memory.confirmed_number and state.clock <= state.last_event_time:
        memory.confirmations = min(memory.confirmations + 1, CRASH_CONFIRMATIONS)
        memory.confirmed_number = state.event_number
        if memory.confirmations == CRASH_CONFIRMATIONS:
            memory.crashed, memory.beyond_time = 1, state.clock


@kernel
def _learn(memory: Record, clock: int, move: float) -> None:
    if clock - memory.sampled_time < SAMPLE_NANOSECONDS:
        return
    memory.sampled_time = clock
    if memory.observations < WARM_SAMPLES:
        memory.observations += 1
        memory.move_scale = max(memory.move_scale, move)
    else:
        memory.move_scale = next_quantile(memory.move_scale, move)
