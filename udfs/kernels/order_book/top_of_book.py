"""The best level, moved by QUOTE and BOOK events alike, and the order flow that its changes imply."""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.microstructure.spreads import add_quoted_spread
from udfs.kernels.plausibility.stuck_best_level import note_best_level
from udfs.kernels.symbol_state import MID_PRICES, Record
from udfs.kernels.tiles import add_print, open_second


@kernel
def move_top(state: Record, event: Record, bid: float, bid_size: float, ask: float, ask_size: float) -> None:
    """Make this the best level, unless a newer one is known already; NaN where a side is empty."""
    top, event_time = state.top, event.event_time
    if _is_older(top, event):
        return
    if top.source != 0:
        _add_order_flow(state, event_time, bid, bid_size, ask, ask_size)
    note_best_level(state, event_time, bid, bid_size, ask, ask_size)
    top.bid, top.bid_size, top.ask, top.ask_size = bid, bid_size, ask, ask_size
    top.time, top.sequence, top.source = max(top.time, event_time), event.sequence, event.kind
    if np.isnan(bid) or np.isnan(ask):
        return
    if top.first_time == 0:
        top.first_time = event_time
    add_quoted_spread(state, event_time, ask - bid)
    if not state.priced_by_trades:
        add_print(state, event_time, 0.5 * (bid + ask), MID_PRICES)


@kernel
def _is_older(top: Record, event: Record) -> bool:
    """By the venue's numbering, which quotes and books share, where both have one; else by time among events of one kind."""
    if event.sequence > 0 and top.sequence > 0:
        return event.sequence < top.sequence
    return top.source == event.kind and event.event_time < top.time


@kernel
def _add_order_flow(state: Record, event_time: int, bid: float, bid_size: float, ask: float, ask_size: float) -> None:
    """Contribution e of one change, Cont, Kukanov, Stoikov 2014, equation (4). None where a side is empty before or after."""
    top = state.top
    if np.isnan(bid + ask + top.bid + top.ask):
        return
    if bid == top.bid and ask == top.ask and bid_size == top.bid_size and ask_size == top.ask_size:
        return
    flow = 0.0
    flow += bid_size if bid >= top.bid else 0.0
    flow -= top.bid_size if bid <= top.bid else 0.0
    flow -= ask_size if ask <= top.ask else 0.0
    flow += top.ask_size if ask >= top.ask else 0.0
    tile = open_second(state, event_time)
    tile.order_flow += flow
    tile.depth += 0.5 * (bid_size + ask_size)
    tile.book_changes += 1


@kernel
def drop_top(state: Record, kind: int) -> None:
    """Forget the best level if events of this kind moved it last: its next one has nothing to be compared with."""
    top = state.top
    if top.source == kind:
        top.source = 0


@kernel
def is_usable(state: Record, stale_after: int) -> bool:
    """Whether features may be taken from the best level: both sides there, not dropped, not stale."""
    top = state.top
    return top.source != 0 and not np.isnan(top.bid + top.ask) and state.clock - top.time <= stale_after
