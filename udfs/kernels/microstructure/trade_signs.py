"""Who started a trade, where the feed does not say: Lee, Ready 1991, Inferring Trade Direction from Intraday Data.

Quote rule first: above the mid price in force just before the trade it was bought, below it sold (no delay of quotes: the order of the log
is the order of things). At the mid price, or without a usable best level, the tick test: above the last trade price bought, below it sold,
and at it as the last trade that changed the price. 0 where none of them tells.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from udfs.kernels.compiled import kernel
from udfs.kernels.symbol_state import Record


@kernel
def sign_of_trade(state: Record, side: int, price: float, top_is_usable: bool) -> int:
    """1 bought, -1 sold, 0 unknown; the feed's own side where it has one. The state must be that before the trade."""
    if side != 0:
        return 1 if side > 0 else -1
    if top_is_usable:
        doubled = state.top.bid + state.top.ask
        if 2.0 * price != doubled:
            return 1 if 2.0 * price > doubled else -1
    return _tick_direction(state, price)


@kernel
def move_tick_direction(state: Record, price: float) -> None:
    """Remember the direction of a trade that becomes the newest; the last trade price must be the one before it."""
    state.microstructure.tick_direction = _tick_direction(state, price)


@kernel
def _tick_direction(state: Record, price: float) -> int:
    if price > state.last_trade_price:
        return 1
    return -1 if price < state.last_trade_price else state.microstructure.tick_direction
