"""Bars that the venue or a vendor made: each is a whole tile.

A BAR goes into the shortest of 1 min, 5 min and 1 h that it fits into evenly, and closes it at once: it says that nothing before its end is
still to come. A longer one, or one that fits nowhere, only moves the price. Its notional is taken at the typical price.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

from udfs.kernels.bars import close_until
from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.indicators.vwap import typical_price
from udfs.kernels.session_range import extend_session_range
from udfs.kernels.sessions import session_of
from udfs.kernels.symbol_state import FLOW_RING, TRADE_PRICES, Record
from udfs.kernels.tiles import SECONDS_PER_TEN, add_mark, add_traded, advance_tens

OPEN: Final = 0
HIGH: Final = 1
LOW: Final = 2
CLOSE: Final = 3
VOLUME: Final = 4
LENGTH: Final = 5


@kernel
def take_vendor_bar(state: Record, event: Record, settings: Record, work: Record, bars: Record) -> None:
    """Take a BAR that ends after the watermark."""
    bar, end_time = event.numbers, event.event_time
    state.clock = max(state.clock, end_time)
    last_second = (end_time - 1) // NANOSECONDS_PER_SECOND
    close_until(state, max(state.watermark, last_second * NANOSECONDS_PER_SECOND), settings, work, bars)
    _merge_bar(state, bar, last_second)
    _count_volume(state, bar, last_second)
    add_mark(state, end_time - 1, bar[CLOSE])
    extend_session_range(state, last_second, *_range_in_session(state, bar, last_second), TRADE_PRICES)
    state.priced_by_trades = 1
    if end_time >= state.last_trade_time:
        state.last_trade_time, state.last_trade_price = end_time, bar[CLOSE]
    close_until(state, end_time, settings, work, bars)


@kernel
def _range_in_session(state: Record, bar: Record, last_second: int) -> tuple[float, float]:
    """Highest and lowest price of the bar, or its close alone when it began in an earlier session."""
    begins_in_it = last_second + 1 - int(bar[LENGTH]) >= session_of(state, last_second)
    return (bar[HIGH], bar[LOW]) if begins_in_it else (bar[CLOSE], bar[CLOSE])


@kernel
def _merge_bar(state: Record, bar: Record, last_second: int) -> None:
    length = int(bar[LENGTH])
    if 60 % length == 0:
        _add(state.minute, 60, bar, last_second)
    elif 300 % length == 0:
        _add(state.five_minutes, 300, bar, last_second)
    elif 3600 % length == 0:
        _add(state.hour, 3600, bar, last_second)


@kernel
def _add(into: Record, length_seconds: int, bar: Record, last_second: int) -> None:
    if into.start == 0:
        into.start = last_second - last_second % length_seconds
    is_first = into.price_kind < TRADE_PRICES
    into.open = bar[OPEN] if is_first else into.open
    into.high = bar[HIGH] if is_first else max(into.high, bar[HIGH])
    into.low = bar[LOW] if is_first else min(into.low, bar[LOW])
    into.close, into.price_kind = bar[CLOSE], TRADE_PRICES
    into.volume += bar[VOLUME]
    into.notional += bar[VOLUME] * typical_price(bar[HIGH], bar[LOW], bar[CLOSE])


@kernel
def _count_volume(state: Record, bar: Record, last_second: int) -> None:
    """Let short bars count in the windows of traded size that they fit into; longer ones have no place there."""
    if bar[LENGTH] > 60.0:
        return
    ten = last_second // SECONDS_PER_TEN
    advance_tens(state, ten)
    add_traded(state, last_second, bar[VOLUME], bar[VOLUME] * typical_price(bar[HIGH], bar[LOW], bar[CLOSE]))
    state.flows[ten % FLOW_RING].volume += bar[VOLUME]
