"""One row of features, from the state as it stands after an event. Each group writes its own places; NaN means not valid."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.breakers.flash_crash import watch_for_crash
from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND, TradingStatus
from udfs.kernels.facts.context import put_context
from udfs.kernels.facts.reference import put_reference
from udfs.kernels.facts.session import put_session
from udfs.kernels.feature_vector import FEATURE_COUNT, Feature
from udfs.kernels.indicators.vwap import weighted_price
from udfs.kernels.microstructure.features import fill_microstructure
from udfs.kernels.news.features import put_news
from udfs.kernels.order_book.depth import depth_imbalance, depth_is_usable
from udfs.kernels.order_book.top_of_book import is_usable
from udfs.kernels.outputs import RowFlag
from udfs.kernels.quality import fill_quality
from udfs.kernels.symbol_state import Record
from udfs.kernels.trend_features import put_hour_measures, put_trend
from udfs.kernels.windows import (
    boundary,
    is_before,
    log_price_at_minute,
    minute_sums,
    price_at_second,
    price_at_ten,
    seconds_sums,
    session_sums,
    traded_sums,
    volatility_of_hours,
    volatility_of_minutes,
    volatility_of_seconds,
)

_OPEN: Final = int(TradingStatus.OPEN)
_QUARANTINED: Final = int(RowFlag.BOOK_QUARANTINED)
_HALTED: Final = int(RowFlag.TRADING_HALTED)
_STALE: Final = int(RowFlag.STALE)
_FLASH_CRASH: Final = int(RowFlag.FLASH_CRASH)


@kernel
def fill_row(row: Record, values: Record, state: Record, settings: Record, event_index: int, bar_closed: bool) -> None:
    """Write the row that follows event `event_index`; `values` is scratch of FEATURE_COUNT numbers."""
    values[:] = np.nan
    book_is_usable = is_usable(state, settings.stale_book_nanoseconds)
    _prices(values, state, book_is_usable)
    book_has_depth = depth_is_usable(state, settings.stale_book_nanoseconds)
    if book_has_depth:
        values[Feature.IMBALANCE_5_LEVELS] = depth_imbalance(state, 5)
    _order_flow(values, state, book_is_usable)
    _trade_imbalance(values, state)
    fill_microstructure(values, state, book_has_depth)
    _returns(values, state)
    watch_for_crash(state, values, book_is_usable, settings.flash_crash_hold_nanoseconds)
    _indicators(values, state)
    put_trend(values, state)
    _vwap(values, state)
    _volatility(values, state)
    put_hour_measures(values, state, settings)
    _activity(values, state)
    put_news(values, state)
    put_session(values, state)
    put_context(values, state)
    put_reference(values, state)
    fill_quality(values, state)
    for place in range(FEATURE_COUNT):
        value = np.float32(values[place])
        row.valid[place] = np.isfinite(value)
        row.values[place] = value if np.isfinite(value) else np.float32(np.nan)
    row.event_time, row.available_time, row.event_number = state.clock, state.available_time, state.event_number
    row.price = values[Feature.MID_PRICE] if book_is_usable else state.mark_price
    row.event_index, row.bar_closed, row.flags = event_index, bar_closed, _flags(state, settings.stale_book_nanoseconds)


@kernel
def _flags(state: Record, stale_after: int) -> int:
    flags = 0
    if state.quote_quarantine != 0 or state.book_quarantine != 0 or state.plausibility.frozen != 0:
        flags |= _QUARANTINED
    if state.status > _OPEN:
        flags |= _HALTED
    if (state.top.time != 0 and state.clock - state.top.time > stale_after) or state.clock - state.last_event_time > stale_after:
        flags |= _STALE
    if state.breakers.crashed != 0:
        flags |= _FLASH_CRASH
    return flags


@kernel
def _prices(values: Record, state: Record, book_is_usable: bool) -> None:
    values[Feature.LAST_PRICE] = state.last_trade_price
    if not book_is_usable:
        return
    top = state.top
    mid, sizes = 0.5 * (top.bid + top.ask), top.bid_size + top.ask_size
    microprice = (top.bid * top.ask_size + top.ask * top.bid_size) / sizes
    values[Feature.MID_PRICE] = mid
    values[Feature.MICROPRICE] = microprice
    values[Feature.SPREAD] = top.ask - top.bid
    values[Feature.SPREAD_BASIS_POINTS] = 1e4 * (top.ask - top.bid) / mid
    values[Feature.MICROPRICE_DEVIATION] = 1e4 * (microprice / mid - 1.0)
    values[Feature.IMBALANCE_LEVEL_1] = (top.bid_size - top.ask_size) / sizes


@kernel
def _order_flow(values: Record, state: Record, book_is_usable: bool) -> None:
    if not book_is_usable:
        return
    second, ten, minute = boundary(state, 1, 1), boundary(state, 10, 1), boundary(state, 60, 10)
    first_time = state.top.first_time
    if is_before(first_time, second):
        _, _, flow, depth, changes = seconds_sums(state, second)
        _put_flow(values, Feature.ORDER_FLOW_1_SECOND, Feature.ORDER_FLOW_PER_DEPTH_1_SECOND, flow, depth, changes)
    if is_before(first_time, ten):
        _, _, flow, depth, changes = seconds_sums(state, ten)
        _put_flow(values, Feature.ORDER_FLOW_10_SECONDS, Feature.ORDER_FLOW_PER_DEPTH_10_SECONDS, flow, depth, changes)
    if is_before(first_time, minute):
        _, _, flow, depth, changes = minute_sums(state, minute)
        _put_flow(values, Feature.ORDER_FLOW_1_MINUTE, Feature.ORDER_FLOW_PER_DEPTH_1_MINUTE, flow, depth, changes)


@kernel
def _put_flow(values: Record, absolute: int, per_depth: int, flow: float, depth: float, changes: int) -> None:
    values[absolute] = flow
    values[per_depth] = flow / (depth / changes) if changes > 0 else 0.0


@kernel
def _trade_imbalance(values: Record, state: Record) -> None:
    ten, minute, five_minutes = boundary(state, 10, 1), boundary(state, 60, 10), boundary(state, 300, 10)
    first_time = state.first_trade_time
    if is_before(first_time, ten):
        signed, priced, _, _, _ = seconds_sums(state, ten)
        values[Feature.TRADE_IMBALANCE_10_SECONDS] = signed / priced
    if is_before(first_time, minute):
        signed, priced, _ = traded_sums(state, minute)
        values[Feature.TRADE_IMBALANCE_1_MINUTE] = signed / priced
    if is_before(first_time, five_minutes):
        signed, priced, _ = traded_sums(state, five_minutes)
        values[Feature.TRADE_IMBALANCE_5_MINUTES] = signed / priced


@kernel
def _returns(values: Record, state: Record) -> None:
    price = state.mark_price
    values[Feature.RETURN_1_SECOND] = np.log(price / price_at_second(state, boundary(state, 1, 1)))
    values[Feature.RETURN_5_SECONDS] = np.log(price / price_at_second(state, boundary(state, 5, 1)))
    values[Feature.RETURN_1_MINUTE] = np.log(price / price_at_ten(state, boundary(state, 60, 10)))
    values[Feature.RETURN_5_MINUTES] = np.log(price / price_at_ten(state, boundary(state, 300, 10)))
    values[Feature.RETURN_1_HOUR] = np.log(price) - log_price_at_minute(state, boundary(state, 3600, 60))


@kernel
def _indicators(values: Record, state: Record) -> None:
    price, held = state.mark_price, state.minute_values
    values[Feature.SMA_5], values[Feature.SMA_20] = held.sma_5, held.sma_20
    values[Feature.EMA_12], values[Feature.EMA_26] = held.ema_12, held.ema_26
    values[Feature.PRICE_TO_SMA_5] = price / held.sma_5 - 1.0
    values[Feature.PRICE_TO_SMA_20] = price / held.sma_20 - 1.0
    values[Feature.PRICE_TO_EMA_12] = price / held.ema_12 - 1.0
    values[Feature.PRICE_TO_EMA_26] = price / held.ema_26 - 1.0
    histogram = held.macd_line - held.macd_signal
    values[Feature.MACD_LINE], values[Feature.MACD_LINE_RELATIVE] = held.macd_line, held.macd_line / price
    values[Feature.MACD_SIGNAL], values[Feature.MACD_SIGNAL_RELATIVE] = held.macd_signal, held.macd_signal / price
    values[Feature.MACD_HISTOGRAM], values[Feature.MACD_HISTOGRAM_RELATIVE] = histogram, histogram / price
    values[Feature.RSI_14] = held.rsi
    values[Feature.BOLLINGER_PERCENT_B], values[Feature.BOLLINGER_BANDWIDTH] = held.percent_b, held.bandwidth
    values[Feature.ATR_14], values[Feature.ATR_14_RELATIVE] = held.atr, held.atr / price
    values[Feature.OBV], values[Feature.ROC_10] = held.obv, held.roc


@kernel
def _vwap(values: Record, state: Record) -> None:
    volume, notional = session_sums(state)
    session = weighted_price(notional, volume)
    _, priced, notional = traded_sums(state, boundary(state, 300, 10))
    rolling = weighted_price(notional, priced)
    values[Feature.VWAP_SESSION], values[Feature.VWAP_SESSION_DEVIATION] = session, state.mark_price / session - 1.0
    values[Feature.VWAP_5_MINUTES], values[Feature.VWAP_5_MINUTES_DEVIATION] = rolling, state.mark_price / rolling - 1.0


@kernel
def _volatility(values: Record, state: Record) -> None:
    values[Feature.REALISED_VOLATILITY_1_MINUTE] = volatility_of_seconds(state, boundary(state, 60, 10))
    values[Feature.REALISED_VOLATILITY_5_MINUTES] = volatility_of_seconds(state, boundary(state, 300, 10))
    values[Feature.REALISED_VOLATILITY_1_HOUR] = volatility_of_minutes(state, boundary(state, 3600, 60))
    values[Feature.REALISED_VOLATILITY_24_HOURS] = volatility_of_hours(state, boundary(state, 86_400, 3600))


@kernel
def _activity(values: Record, state: Record) -> None:
    minute = boundary(state, 60, 10)
    trades, volume, _, _, _ = minute_sums(state, minute)
    if is_before(state.first_trade_time, minute):
        values[Feature.TRADE_COUNT_1_MINUTE] = trades
    if is_before(state.first_price_time, minute):
        values[Feature.VOLUME_1_MINUTE] = volume
    if state.last_trade_time > 0:
        values[Feature.SECONDS_SINCE_TRADE] = (state.clock - state.last_trade_time) / NANOSECONDS_PER_SECOND
    if state.top.time > 0:
        values[Feature.SECONDS_SINCE_BOOK] = (state.clock - state.top.time) / NANOSECONDS_PER_SECOND
