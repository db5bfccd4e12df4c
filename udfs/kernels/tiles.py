"""Tiles of a symbol: seconds that are still open, and the rings that closed ones are rolled into.

A second stays open until the watermark passes its end, so that an event out of order still finds it. Tiles are rolled up in order of time,
whatever the order of arrival was.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.session_range import extend_session_range
from udfs.kernels.sessions import session_of
from udfs.kernels.symbol_state import FLOW_RING, HOURS_RING, MINUTES_RING, NO_PRICE, SECONDS_RING, TENS_RING, Record

SECONDS_PER_TEN: Final = 10
SECONDS_PER_MINUTE: Final = 60
MINUTES_PER_HOUR: Final = 60
LAST_OFFSET: Final = NANOSECONDS_PER_SECOND - 1


@kernel
def open_second(state: Record, event_time: int) -> Record:
    """Tile of the second that `event_time` lies in, empty if nothing was in it yet. The watermark must not have passed its end."""
    second = event_time // NANOSECONDS_PER_SECOND
    tile = state.seconds[second % SECONDS_RING]
    if tile.second != second:
        _clear_second(tile, second)
    return tile


@kernel
def _clear_second(tile: Record, second: int) -> None:
    tile.second = second
    tile.open, tile.high, tile.low, tile.close, tile.price, tile.price_before = np.nan, np.nan, np.nan, np.nan, np.nan, np.nan
    tile.volume, tile.priced_volume, tile.notional, tile.signed_volume = 0.0, 0.0, 0.0, 0.0
    tile.order_flow, tile.depth, tile.level_flow = 0.0, 0.0, 0.0
    tile.price_kind = NO_PRICE
    tile.open_offset, tile.close_offset, tile.price_offset, tile.trades, tile.book_changes = 0, 0, -1, 0, 0


@kernel
def add_print(state: Record, event_time: int, price: float, price_kind: int) -> Record:
    """Let a price count for open, high, low and close of its second. Of equal times the first opens and the last closes.

    The first trade price drives the mid prices out of the second; none may come after it.
    """
    tile = open_second(state, event_time)
    offset, is_first = event_time - tile.second * NANOSECONDS_PER_SECOND, tile.price_kind < price_kind
    if is_first or offset < tile.open_offset:
        tile.open, tile.open_offset = price, offset
    tile.high = price if is_first else max(tile.high, price)
    tile.low = price if is_first else min(tile.low, price)
    if is_first or offset >= tile.close_offset:
        tile.close, tile.close_offset = price, offset
    tile.price_kind = price_kind
    _set_price_in_force(state, tile, price, event_time)
    return tile


@kernel
def add_mark(state: Record, event_time: int, price: float) -> None:
    """Let a vendor bar's close be the price in force from `event_time` on, without being a print of that second."""
    _set_price_in_force(state, open_second(state, event_time), price, event_time)


@kernel
def is_priced(tile: Record) -> bool:
    """Whether the second moves the price in force."""
    return tile.price_offset >= 0


@kernel
def _set_price_in_force(state: Record, tile: Record, price: float, event_time: int) -> None:
    offset = event_time - tile.second * NANOSECONDS_PER_SECOND
    if offset >= tile.price_offset:
        tile.price, tile.price_offset = price, offset
    if state.first_price_time == 0:
        state.first_price_time = event_time
    if event_time >= state.mark_time:
        state.mark_time, state.mark_price = event_time, price


@kernel
def roll_second(state: Record, tile: Record) -> None:
    """Take a second that has closed into the tens, the session and the price in force. Seconds must come in order."""
    tile.price_before = state.final_price
    ten = tile.second // SECONDS_PER_TEN
    advance_tens(state, ten)
    slot = state.tens[ten % TENS_RING]
    if is_priced(tile):
        if not np.isnan(state.final_price):
            slot.squared_returns += np.log(tile.price / state.final_price) ** 2
        slot.price = tile.price
        state.final_price = tile.price
    extend_session_range(state, tile.second, tile.high, tile.low, tile.price_kind)
    slot.signed_volume += tile.signed_volume
    add_traded(state, tile.second, tile.priced_volume, tile.notional)
    _add_flow(state.flows[ten % FLOW_RING], tile)


@kernel
def _add_flow(flow: Record, tile: Record) -> None:
    flow.volume += tile.volume
    flow.order_flow += tile.order_flow
    flow.depth += tile.depth
    flow.trades += tile.trades
    flow.book_changes += tile.book_changes


@kernel
def add_traded(state: Record, second: int, volume: float, notional: float) -> None:
    """Add traded size and notional of a closed second to its ten, which must be the newest, and to the session."""
    slot = state.tens[(second // SECONDS_PER_TEN) % TENS_RING]
    slot.priced_volume += volume
    slot.notional += notional
    session = session_of(state, second)
    if session != state.session:
        state.session = session
        state.session_volume, state.session_notional = 0.0, 0.0
    state.session_volume += volume
    state.session_notional += notional


@kernel
def advance_tens(state: Record, ten: int) -> None:
    """Make `ten` the newest of the tens; those skipped are empty and keep the price in force."""
    for skipped in range(max(state.newest_ten + 1, ten - TENS_RING + 1), ten + 1):
        slot = state.tens[skipped % TENS_RING]
        slot.price = state.final_price
        slot.squared_returns, slot.priced_volume, slot.notional, slot.signed_volume = 0.0, 0.0, 0.0, 0.0
        flow = state.flows[skipped % FLOW_RING]
        flow.volume, flow.order_flow, flow.depth = 0.0, 0.0, 0.0
        flow.trades, flow.book_changes = 0, 0
    state.newest_ten = ten


@kernel
def roll_minute(state: Record, minute: int) -> None:
    """Note the price in force at the end of a minute that has closed, and its squared return. Minutes must come in order."""
    before = state.minute_log_prices[state.newest_minute % MINUTES_RING]
    for skipped in range(max(state.newest_minute + 1, minute - MINUTES_RING + 1), minute):
        state.minute_log_prices[skipped % MINUTES_RING] = before
    price = np.log(state.final_price)
    state.minute_log_prices[minute % MINUTES_RING] = price
    state.newest_minute = minute
    _advance_hours(state, minute // MINUTES_PER_HOUR)
    if not np.isnan(price - before):
        state.hour_squared_returns[(minute // MINUTES_PER_HOUR) % HOURS_RING] += (price - before) ** 2


@kernel
def _advance_hours(state: Record, hour: int) -> None:
    for skipped in range(max(state.newest_hour + 1, hour - HOURS_RING + 1), hour + 1):
        state.hour_squared_returns[skipped % HOURS_RING] = 0.0
    state.newest_hour = hour
