"""The microstructure features of a row. Each group writes its own places; NaN means not valid."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

from udfs.kernels.compiled import kernel
from udfs.kernels.events import BOOK_DEPTH, NANOSECONDS_PER_SECOND
from udfs.kernels.feature_vector import Feature
from udfs.kernels.microstructure.book_shape import half_depth, mean_slope, weighted_imbalance
from udfs.kernels.microstructure.intensity import FAST_SECONDS, SLOW_SECONDS, rates_at
from udfs.kernels.microstructure.layout import FLOW_LEVELS, MINUTE_RING
from udfs.kernels.microstructure.level_flow import flow_of_seconds
from udfs.kernels.microstructure.price_impact import kyle_slope, mean_illiquidity
from udfs.kernels.order_book.depth import depth_imbalance
from udfs.kernels.symbol_state import Record
from udfs.kernels.windows import boundary, is_before, traded_sums

_WARM_CONSTANTS: Final = 5
"""Time constants until a decayed count is within e ** -5 = 0.7 % of what a longer history would give."""
_NO_RATE: Final = 1e-200
"""Events a second below which a ratio of rates says nothing."""


@kernel
def fill_microstructure(values: Record, state: Record, depth_is_usable: bool) -> None:
    """Write all of them."""
    minute = boundary(state, 60, 10)
    _spreads(values, state, minute)
    if depth_is_usable:
        _shape(values, state)
        _level_flows(values, state, minute)
    _cancels(values, state, minute, depth_is_usable)
    _intensities(values, state)
    _impact(values, state)


@kernel
def _spreads(values: Record, state: Record, minute: int) -> None:
    quotes, quoted, effective, size = 0, 0.0, 0.0, 0.0
    for ten in range(minute // 10, minute // 10 + MINUTE_RING):
        tile = state.microstructure.tens[ten % MINUTE_RING]
        if tile.ten == ten:
            quotes += tile.quotes
            quoted += tile.quoted_spread
            effective += tile.effective_spread
            size += tile.effective_size
    if is_before(state.top.first_time, minute):
        values[Feature.QUOTED_SPREAD_1_MINUTE] = quoted / quotes
        values[Feature.QUOTED_SPREAD_BASIS_POINTS_1_MINUTE] = 1e4 * (quoted / quotes) / state.mark_price
    if is_before(state.first_trade_time, minute) and is_before(state.top.first_time, minute):
        values[Feature.EFFECTIVE_SPREAD_1_MINUTE] = effective / size
        values[Feature.EFFECTIVE_SPREAD_BASIS_POINTS_1_MINUTE] = 1e4 * (effective / size) / state.mark_price


@kernel
def _shape(values: Record, state: Record) -> None:
    values[Feature.IMBALANCE_10_LEVELS] = depth_imbalance(state, BOOK_DEPTH)
    values[Feature.IMBALANCE_DEPTH_WEIGHTED] = weighted_imbalance(state.book)
    values[Feature.BOOK_SLOPE], values[Feature.BOOK_SLOPE_RELATIVE] = mean_slope(state.book)


@kernel
def _level_flows(values: Record, state: Record, minute: int) -> None:
    first_time, clock = state.microstructure.first_book_time, state.clock // NANOSECONDS_PER_SECOND
    depth = half_depth(state.book, FLOW_LEVELS)
    second, ten = boundary(state, 1, 1), boundary(state, 10, 1)
    if is_before(first_time, second):
        flow = flow_of_seconds(state, second, clock)
        values[Feature.LEVEL_FLOW_1_SECOND], values[Feature.LEVEL_FLOW_PER_DEPTH_1_SECOND] = flow, flow / depth
    if is_before(first_time, ten):
        flow = flow_of_seconds(state, ten, clock)
        values[Feature.LEVEL_FLOW_10_SECONDS], values[Feature.LEVEL_FLOW_PER_DEPTH_10_SECONDS] = flow, flow / depth
    if is_before(first_time, minute):
        _minute_flows(values, state, minute, depth)


@kernel
def _minute_flows(values: Record, state: Record, minute: int, depth: float) -> None:
    upper, deep = 0.0, 0.0
    for level in range(FLOW_LEVELS):
        flow = 0.0
        for ten in range(minute // 10, minute // 10 + MINUTE_RING):
            tile = state.microstructure.tens[ten % MINUTE_RING]
            if tile.ten == ten:
                flow += tile.level_flows[level]
                deep += tile.deep_flow if level == 0 else 0.0
        values[Feature.FLOW_LEVEL_1_PER_DEPTH_1_MINUTE + level] = flow / (depth / FLOW_LEVELS)
        upper += flow
    values[Feature.LEVEL_FLOW_1_MINUTE], values[Feature.LEVEL_FLOW_PER_DEPTH_1_MINUTE] = upper, upper / depth
    values[Feature.LEVEL_FLOW_10_LEVELS_1_MINUTE] = deep
    values[Feature.LEVEL_FLOW_10_LEVELS_PER_DEPTH_1_MINUTE] = deep / half_depth(state.book, BOOK_DEPTH)


@kernel
def _cancels(values: Record, state: Record, minute: int, depth_is_usable: bool) -> None:
    first_book, first_trade = state.microstructure.first_book_time, state.first_trade_time
    if not (depth_is_usable and is_before(first_book, minute) and is_before(first_trade, minute)):
        return
    decrease = 0.0
    for ten in range(minute // 10, minute // 10 + MINUTE_RING):
        tile = state.microstructure.tens[ten % MINUTE_RING]
        decrease += tile.size_decrease if tile.ten == ten else 0.0
    if decrease > 0.0:
        _, priced, _ = traded_sums(state, minute)
        values[Feature.CANCEL_RATIO_1_MINUTE] = max(1.0 - priced / decrease, 0.0)


@kernel
def _intensities(values: Record, state: Record) -> None:
    memory = state.microstructure
    places = Feature.TRADE_INTENSITY_10_SECONDS, Feature.TRADE_INTENSITY_60_SECONDS, Feature.TRADE_INTENSITY_RATIO
    _intensity(values, places, memory.trade_intensity, state.first_trade_time, state.clock)
    places = Feature.QUOTE_INTENSITY_10_SECONDS, Feature.QUOTE_INTENSITY_60_SECONDS, Feature.QUOTE_INTENSITY_RATIO
    _intensity(values, places, memory.quote_intensity, state.top.first_time, state.clock)


@kernel
def _intensity(values: Record, places: tuple[int, int, int], memory: Record, first_time: int, clock: int) -> None:
    if memory.time == 0 or first_time == 0:
        return
    fast, slow = rates_at(memory, clock)
    followed = (clock - first_time) // NANOSECONDS_PER_SECOND
    if followed >= _WARM_CONSTANTS * FAST_SECONDS:
        values[places[0]] = fast
    if followed >= _WARM_CONSTANTS * SLOW_SECONDS:
        values[places[1]] = slow
        if slow > _NO_RATE:
            values[places[2]] = fast / slow


@kernel
def _impact(values: Record, state: Record) -> None:
    five_minutes, hour = boundary(state, 300, 10), boundary(state, 3600, 300)
    if is_before(state.first_trade_time, five_minutes):
        slope, deviation = kyle_slope(state, five_minutes)
        values[Feature.KYLE_LAMBDA] = slope
        values[Feature.KYLE_LAMBDA_RELATIVE] = 1e4 * slope * deviation / state.mark_price
    if is_before(state.first_price_time, hour):
        illiquidity = mean_illiquidity(state, hour)
        _, _, notional = traded_sums(state, five_minutes)
        values[Feature.AMIHUD_ILLIQUIDITY] = 1e6 * illiquidity
        values[Feature.AMIHUD_ILLIQUIDITY_RELATIVE] = 1e4 * illiquidity * notional / 5.0
