"""A symbol's state in other units of price and size: what is a price, a size or both is multiplied, a logarithm is shifted.

Whatever the state gains in prices or sizes belongs here: the law of splits finds what is missing.
"""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import BOOK_DEPTH
from udfs.kernels.microstructure.layout import FLOW_LEVELS
from udfs.kernels.symbol_state import Record


@kernel
def rescale(state: Record, price: float, size: float) -> None:
    """Multiply all prices by `price`, all sizes by `size`, and what is both by both."""
    _minutes(state, price)
    state.mark_price *= price
    state.final_price *= price
    state.last_trade_price *= price
    state.session_volume *= size
    state.session_notional *= price * size
    state.session_range.high *= price
    state.session_range.low *= price
    state.plausibility.trades.candidate *= price
    state.plausibility.quotes.candidate *= price
    state.hour_values.minutes_closed = 0
    _book(state, price, size)
    _seconds(state, price, size)
    _tens(state, price, size)
    _microstructure(state.microstructure, price, size)
    _bar(state.minute, price, size)
    _bar(state.five_minutes, price, size)
    _bar(state.hour, price, size)
    _indicators(state.indicators, state.minute_values, price, size)
    _trend(state.trend, state.trend_values, price, size)


@kernel
def _minutes(state: Record, price: float) -> None:
    """Shift the logarithms. Where the last price is still in force it is taken anew, so that no rounding looks like a movement."""
    last, rescaled = np.log(state.final_price), np.log(state.final_price * price)
    for place in range(state.minute_log_prices.shape[0]):
        held = state.minute_log_prices[place]
        state.minute_log_prices[place] = rescaled if held == last else held + np.log(price)


@kernel
def _book(state: Record, price: float, size: float) -> None:
    top = state.top
    top.bid, top.bid_size, top.ask, top.ask_size = top.bid * price, top.bid_size * size, top.ask * price, top.ask_size * size
    for level in range(BOOK_DEPTH):
        for row in range(4):
            state.book[row, level] *= size if row % 2 else price


@kernel
def _seconds(state: Record, price: float, size: float) -> None:
    for place in range(state.seconds.shape[0]):
        tile = state.seconds[place]
        tile.open, tile.high, tile.low, tile.close = tile.open * price, tile.high * price, tile.low * price, tile.close * price
        tile.price, tile.price_before = tile.price * price, tile.price_before * price
        tile.volume, tile.priced_volume, tile.signed_volume = tile.volume * size, tile.priced_volume * size, tile.signed_volume * size
        tile.notional *= price * size
        tile.order_flow, tile.depth, tile.level_flow = tile.order_flow * size, tile.depth * size, tile.level_flow * size


@kernel
def _tens(state: Record, price: float, size: float) -> None:
    for place in range(state.tens.shape[0]):
        tile = state.tens[place]
        tile.price, tile.priced_volume, tile.signed_volume = tile.price * price, tile.priced_volume * size, tile.signed_volume * size
        tile.notional *= price * size
    for place in range(state.flows.shape[0]):
        flow = state.flows[place]
        flow.volume, flow.order_flow, flow.depth = flow.volume * size, flow.order_flow * size, flow.depth * size


@kernel
def _microstructure(memory: Record, price: float, size: float) -> None:
    for place in range(memory.tens.shape[0]):
        tile = memory.tens[place]
        tile.quoted_spread *= price
        tile.effective_spread *= price * size
        tile.effective_size *= size
        tile.size_decrease, tile.deep_flow = tile.size_decrease * size, tile.deep_flow * size
        for level in range(FLOW_LEVELS):
            tile.level_flows[level] *= size
    for place in range(memory.fives.shape[0]):
        memory.fives[place].illiquidity /= price * size


@kernel
def _bar(bar: Record, price: float, size: float) -> None:
    bar.open, bar.high, bar.low, bar.close = bar.open * price, bar.high * price, bar.low * price, bar.close * price
    bar.volume, bar.signed_volume, bar.notional = bar.volume * size, bar.signed_volume * size, bar.notional * price * size


@kernel
def _indicators(memory: Record, values: Record, price: float, size: float) -> None:
    _from(memory.closes, 1, price)
    _from(memory.ema_12, 1, price)
    _from(memory.ema_26, 1, price)
    _from(memory.macd_signal, 1, price)
    _from(memory.rsi, 1, price)
    _from(memory.atr, 1, price)
    memory.obv[1], memory.obv[2] = memory.obv[1] * price, memory.obv[2] * size
    values.sma_5, values.sma_20, values.ema_12, values.ema_26 = (
        values.sma_5 * price, values.sma_20 * price, values.ema_12 * price, values.ema_26 * price
    )  # fmt: skip
    values.macd_line, values.macd_signal, values.atr = values.macd_line * price, values.macd_signal * price, values.atr * price
    values.obv *= size


@kernel
def _trend(memory: Record, values: Record, price: float, size: float) -> None:
    _from(memory.ema_5, 1, price)
    _from(memory.ema_15, 1, price)
    _from(memory.highs, 1, price)
    _from(memory.lows, 1, price)
    for place in range(1, 7):
        memory.movement[place] *= price
    memory.money_flow[0] *= price
    _from(memory.money_flow, 2, price * size)
    memory.garch[1] += np.log(price)
    values.sma_15, values.ema_5, values.ema_15 = values.sma_15 * price, values.ema_5 * price, values.ema_15 * price


@kernel
def _from(memory: Record, first: int, factor: float) -> None:
    """Multiply the numbers from a place on; before it stands a count."""
    for place in range(first, memory.shape[0]):
        memory[place] *= factor
