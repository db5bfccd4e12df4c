"""One event: whether it is believed, and what it changes."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

from udfs.kernels.bars import close_until
from udfs.kernels.breakers.flash_crash import note_pause
from udfs.kernels.compiled import kernel
from udfs.kernels.events import EventFlag
from udfs.kernels.facts.checks import check_fact
from udfs.kernels.facts.taking import take_fact
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
from udfs.kernels.microstructure.intensity import count_event
from udfs.kernels.microstructure.spreads import add_effective_spread
from udfs.kernels.microstructure.tiles import add_gap
from udfs.kernels.microstructure.trade_signs import move_tick_direction, sign_of_trade
from udfs.kernels.order_book.depth import CROSSED, DOUBTED, GAP, quarantine_book, quarantine_quotes, take_book, take_quote
from udfs.kernels.order_book.top_of_book import is_usable
from udfs.kernels.plausibility.believing import LOCKED_BOOK, PRICE_JUMP, check_plausibility, note_acceptance, note_rejection
from udfs.kernels.plausibility.stuck_best_level import note_trade_beside_best
from udfs.kernels.quality import note_event
from udfs.kernels.symbol_state import TRADE_PRICES, Record
from udfs.kernels.tiles import add_print, open_second
from udfs.kernels.vendor_bars import take_vendor_bar
from udfs.kernels.work_area import BOOK, CLOCK, CONTEXT, QUOTE, STATUS, TRADE, VENDOR_BAR

_VOLUME_ONLY: Final = int(EventFlag.VOLUME_ONLY)


@kernel
def verdict_of(state: Record, settings: Record, event: Record) -> int:
    """Reason why an event is not used; 0 when it is."""
    if event.kind >= CONTEXT:
        return check_fact(state, settings, event)
    verdict = check_time(state, settings, event.kind, event.event_time, event.available_time)
    if verdict == ACCEPTED:
        verdict = check_sequence(state, event.kind, event.flags, event.sequence)
    if verdict == ACCEPTED:
        verdict = _check_payload(event)
    if verdict == ACCEPTED:
        verdict = check_plausibility(state, settings, event)
    return verdict


@kernel
def _check_payload(event: Record) -> int:
    if event.kind == TRADE:
        return check_trade(event.numbers)
    if event.kind == QUOTE:
        return check_quote(event.numbers)
    if event.kind == BOOK:
        return check_book(event.flags, event.levels)
    if event.kind == VENDOR_BAR:
        return check_bar(event.numbers)
    return check_status(event.status) if event.kind == STATUS else ACCEPTED


@kernel
def quarantine(state: Record, event: Record, verdict: int) -> None:
    """What a rejected event may still do: put the book under quarantine, and make what agrees with it believable."""
    note_rejection(state, event, verdict)
    if verdict == SEQUENCE_GAP:
        quarantine_book(state, event.event_time, GAP)
        add_gap(state, event.event_time)
    elif verdict in (CROSSED_BOOK, LOCKED_BOOK, PRICE_JUMP) and event.kind == BOOK:
        quarantine_book(state, event.event_time, DOUBTED if verdict == PRICE_JUMP else CROSSED)
    elif verdict in (CROSSED_BOOK, LOCKED_BOOK, PRICE_JUMP) and event.kind == QUOTE:
        quarantine_quotes(state)


@kernel
def apply_event(state: Record, settings: Record, event: Record, work: Record, bars: Record) -> None:
    """Let an accepted event move the clock, close what the clock has passed, and then change the state."""
    state.available_time = max(state.available_time, event.available_time)
    if event.kind >= CONTEXT:
        state.event_number += 1
        take_fact(state, settings, event)
        return
    if event.kind == VENDOR_BAR:
        take_vendor_bar(state, event, settings, work, bars)
    else:
        state.clock = max(state.clock, event.event_time)
        watermark = event.event_time if event.kind == CLOCK else state.clock - settings.out_of_order_nanoseconds
        if watermark > state.watermark:
            close_until(state, watermark, settings, work, bars)
    if event.kind != CLOCK:
        state.event_number += 1
        note_pause(state, event.event_time, event.kind == STATUS and event.status != state.status)
        note_event(state, event)
        _take_payload(state, settings, event)


@kernel
def _take_payload(state: Record, settings: Record, event: Record) -> None:
    if event.sequence > 0:
        state.last_sequence[event.kind] = event.sequence
    note_acceptance(state, event)
    if event.kind == TRADE:
        _take_trade(state, settings, event, event.numbers[0], event.numbers[1])
    elif event.kind == QUOTE:
        count_event(state.microstructure.quote_intensity, event.event_time)
        take_quote(state, event)
    elif event.kind == BOOK:
        count_event(state.microstructure.quote_intensity, event.event_time)
        take_book(state, event, settings.crossed_hold_nanoseconds)
    elif event.kind == STATUS:
        state.status = event.status


@kernel
def _take_trade(state: Record, settings: Record, event: Record, price: float, size: float) -> None:
    if event.flags & _VOLUME_ONLY:
        open_second(state, event.event_time).volume += size
        return
    top_is_usable = is_usable(state, settings.stale_book_nanoseconds)
    sign = sign_of_trade(state, event.side, price, top_is_usable)
    if top_is_usable:
        add_effective_spread(state, event.event_time, price, size)
    count_event(state.microstructure.trade_intensity, event.event_time)
    state.priced_by_trades = 1
    if state.first_trade_time == 0:
        state.first_trade_time = event.event_time
    if event.event_time >= state.last_trade_time:
        move_tick_direction(state, price)
        state.last_trade_time, state.last_trade_price = event.event_time, price
    tile = add_print(state, event.event_time, price, TRADE_PRICES)
    tile.volume += size
    tile.priced_volume += size
    tile.notional += price * size
    tile.signed_volume += sign * size
    tile.trades += 1
    note_trade_beside_best(state, event.event_time, price)
