"""One event: whether it is believed, and what it changes."""

from __future__ import annotations

from typing import Final

from udfs.errors import Reason
from udfs.kernels.bars import close_until
from udfs.kernels.compiled import kernel
from udfs.kernels.events import EventFlag, EventKind, FrameColumns
from udfs.kernels.firewall import (
    ACCEPTED,
    CROSSED_BOOK,
    SEQUENCE_GAP,
    check_bar,
    check_book,
    check_quote,
    check_sequence,
    check_status,
    check_time,
    check_trade,
)
from udfs.kernels.order_book.depth import CROSSED, GAP, quarantine_book, quarantine_quotes, take_book, take_quote
from udfs.kernels.symbol_state import Record
from udfs.kernels.tiles import add_print, open_second
from udfs.kernels.vendor_bars import take_vendor_bar

TRADE: Final = int(EventKind.TRADE)
QUOTE: Final = int(EventKind.QUOTE)
BOOK: Final = int(EventKind.BOOK)
BAR: Final = int(EventKind.BAR)
STATUS: Final = int(EventKind.STATUS)
CLOCK: Final = int(EventKind.CLOCK)
_UNKNOWN_KIND: Final = int(Reason.UNKNOWN_KIND)
_COLUMN_LENGTH: Final = int(Reason.COLUMN_LENGTH)
_VOLUME_ONLY: Final = int(EventFlag.VOLUME_ONLY)


@kernel
def payload_rows(columns: FrameColumns, kind: int) -> int:
    """How many payloads of a kind there are; -1 for an unknown kind."""
    if kind == TRADE:
        return min(columns.trades.shape[0], columns.trade_sides.shape[0])
    if kind == QUOTE:
        return columns.quotes.shape[0]
    if kind == BOOK:
        return columns.books.shape[0]
    if kind == BAR:
        return columns.bars.shape[0]
    if kind == STATUS:
        return columns.statuses.shape[0]
    return columns.kind.shape[0] if kind == CLOCK else -1


@kernel
def verdict_of(state: Record, settings: Record, columns: FrameColumns, index: int, place: int) -> int:
    """Reason why event `index`, whose payload is row `place` of its kind's table, is not used; 0 when it is."""
    kind, flags = int(columns.kind[index]), int(columns.flags[index])
    rows = payload_rows(columns, kind)
    if place >= rows:
        return _UNKNOWN_KIND if rows < 0 else _COLUMN_LENGTH
    verdict = check_time(state, settings, kind, columns.event_time[index], columns.available_time[index])
    if verdict == ACCEPTED:
        verdict = check_sequence(state, kind, flags, columns.sequence[index])
    if verdict == ACCEPTED:
        verdict = _check_payload(columns, kind, flags, place)
    return verdict


@kernel
def _check_payload(columns: FrameColumns, kind: int, flags: int, place: int) -> int:
    if kind == TRADE:
        return check_trade(columns.trades[place])
    if kind == QUOTE:
        return check_quote(columns.quotes[place])
    if kind == BOOK:
        return check_book(flags, columns.books[place])
    if kind == BAR:
        return check_bar(columns.bars[place])
    return check_status(columns.statuses[place]) if kind == STATUS else ACCEPTED


@kernel
def quarantine(state: Record, kind: int, event_time: int, verdict: int) -> None:
    """What a rejected event may still do: put the book under quarantine."""
    if verdict == SEQUENCE_GAP:
        quarantine_book(state, event_time, GAP)
    elif verdict == CROSSED_BOOK and kind == BOOK:
        quarantine_book(state, event_time, CROSSED)
    elif verdict == CROSSED_BOOK:
        quarantine_quotes(state)


@kernel
def apply_event(state: Record, settings: Record, columns: FrameColumns, index: int, place: int, bars: Record, counts: Record) -> None:
    """Let an accepted event move the clock, close what the clock has passed, and then change the state."""
    kind, event_time = int(columns.kind[index]), columns.event_time[index]
    state.available_time = max(state.available_time, columns.available_time[index])
    if kind == BAR:
        take_vendor_bar(state, columns.bars[place], event_time, settings, bars, counts, index)
    else:
        state.clock = max(state.clock, event_time)
        watermark = event_time if kind == CLOCK else state.clock - settings.out_of_order_nanoseconds
        if watermark > state.watermark:
            close_until(state, watermark, settings, bars, counts, index)
    if kind != CLOCK:
        state.event_number += 1
        _take_payload(state, settings, columns, index, place)


@kernel
def _take_payload(state: Record, settings: Record, columns: FrameColumns, index: int, place: int) -> None:
    kind, flags, sequence = int(columns.kind[index]), int(columns.flags[index]), columns.sequence[index]
    event_time = columns.event_time[index]
    if sequence > 0:
        state.last_sequence[kind] = sequence
    if kind == TRADE:
        _take_trade(state, event_time, flags, columns.trades[place, 0], columns.trades[place, 1], columns.trade_sides[place])
    elif kind == QUOTE:
        take_quote(state, event_time, sequence, columns.quotes[place])
    elif kind == BOOK:
        take_book(state, event_time, sequence, flags, columns.books[place], settings.crossed_hold_nanoseconds)
    elif kind == STATUS:
        state.status = columns.statuses[place]


@kernel
def _take_trade(state: Record, event_time: int, flags: int, price: float, size: float, side: int) -> None:
    if flags & _VOLUME_ONLY:
        open_second(state, event_time).volume += size
        return
    state.priced_by_trades = 1
    if state.first_trade_time == 0:
        state.first_trade_time = event_time
    if event_time >= state.last_trade_time:
        state.last_trade_time, state.last_trade_price = event_time, price
    tile = add_print(state, event_time, price)
    tile.volume += size
    tile.priced_volume += size
    tile.notional += price * size
    tile.signed_volume += size if side > 0 else (-size if side < 0 else 0.0)
    tile.trades += 1
