"""Bars of 1 s, 1 min, 5 min and 1 h: closed by the watermark, in order of time, the shorter before the longer.

A bar is published when a price print or any traded volume lies in it. Where only volume does (late reports, odd lots), its four prices are
the price in force at its end, NaN before there was any price. Mid prices of a symbol that never traded make bars, too; a bar that a trade
lies in holds trade prices only. Each level is rolled up into the next.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.microstructure.price_impact import add_illiquidity
from udfs.kernels.minute_indicators import take_minute_bar
from udfs.kernels.symbol_state import NO_PRICE, SECONDS_RING, Record
from udfs.kernels.tiles import SECONDS_PER_MINUTE, roll_minute, roll_second


@kernel
def close_until(state: Record, watermark: int, settings: Record, work: Record, bars: Record) -> None:
    """Raise the watermark and close all that ends at or before it."""
    state.watermark = watermark
    end = watermark // NANOSECONDS_PER_SECOND
    if state.next_second == 0:
        state.next_second = end
    if end <= state.next_second:
        return
    for second in range(state.next_second, min(end, state.next_second + SECONDS_RING)):
        tile = state.seconds[second % SECONDS_RING]
        if tile.second == second:
            _close_second(state, tile, settings, work, bars)
    state.next_second = end
    _close_accumulators(state, end, settings, work, bars)


@kernel
def _close_second(state: Record, tile: Record, settings: Record, work: Record, bars: Record) -> None:
    _close_accumulators(state, tile.second, settings, work, bars)
    roll_second(state, tile)
    merge(state.minute, SECONDS_PER_MINUTE, tile, tile.second)
    _publish(state, tile, tile.second, 0, 1, settings, work, bars)


@kernel
def _close_accumulators(state: Record, second: int, settings: Record, work: Record, bars: Record) -> None:
    minute, five, hour = state.minute, state.five_minutes, state.hour
    if minute.start > 0 and minute.start + 60 <= second:
        roll_minute(state, minute.start // SECONDS_PER_MINUTE)
        add_illiquidity(state, minute.start, minute.notional)
        if _publish(state, minute, minute.start, 1, 60, settings, work, bars):
            take_minute_bar(state, settings, minute)
            merge(five, 300, minute, minute.start)
        clear(minute)
    if five.start > 0 and five.start + 300 <= second:
        if _publish(state, five, five.start, 2, 300, settings, work, bars):
            merge(hour, 3600, five, five.start)
        clear(five)
    if hour.start > 0 and hour.start + 3600 <= second:
        _publish(state, hour, hour.start, 3, 3600, settings, work, bars)
        clear(hour)


@kernel
def merge(into: Record, length_seconds: int, part: Record, second: int) -> None:
    """Add a shorter bar or second that begins at `second` to an open bar. Parts must come in order of time."""
    if into.start == 0:
        into.start = second - second % length_seconds
    if part.price_kind != NO_PRICE and part.price_kind >= into.price_kind:
        is_first = into.price_kind < part.price_kind
        into.open = part.open if is_first else into.open
        into.high = part.high if is_first else max(into.high, part.high)
        into.low = part.low if is_first else min(into.low, part.low)
        into.close, into.price_kind = part.close, part.price_kind
    into.trades += part.trades
    into.volume += part.volume
    into.notional += part.notional
    into.signed_volume += part.signed_volume


@kernel
def clear(bar: Record) -> None:
    """Make an accumulator empty."""
    bar.start, bar.price_kind, bar.trades = 0, NO_PRICE, 0
    bar.volume, bar.notional, bar.signed_volume = 0.0, 0.0, 0.0


@kernel
def _publish(state: Record, bar: Record, start: int, place: int, length_seconds: int, settings: Record, work: Record, bars: Record) -> bool:
    """Give a closed bar its prices and write it out if its length is published; False when there is nothing in it."""
    if bar.price_kind == NO_PRICE and bar.volume == 0.0:
        return False
    work.bars_closed += 1
    if bar.price_kind == NO_PRICE:
        bar.open, bar.high, bar.low, bar.close = state.final_price, state.final_price, state.final_price, state.final_price
    if (settings.published_bars >> place) & 1:
        _write(bars[work.bars], bar, start, length_seconds, work.event.index, state.available_time)
        work.bars += 1
    return True


@kernel
def _write(out: Record, bar: Record, start: int, length_seconds: int, event_index: int, available_time: int) -> None:
    out.start_time, out.length_seconds = start * NANOSECONDS_PER_SECOND, length_seconds
    out.open, out.high, out.low, out.close = bar.open, bar.high, bar.low, bar.close
    out.volume, out.notional, out.signed_volume, out.trades = bar.volume, bar.notional, bar.signed_volume, bar.trades
    out.event_index, out.available_time = event_index, available_time
