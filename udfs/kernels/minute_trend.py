"""Trend and volatility moved on by each closed minute bar."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.indicators.adx import directional_movement
from udfs.kernels.indicators.garch import conditional_volatility
from udfs.kernels.indicators.mfi import money_flow
from udfs.kernels.indicators.moving_average import exponential_mean, mean_of_newest, push
from udfs.kernels.indicators.stochastic import mean_before, position_in_range, smoothed_twice
from udfs.kernels.symbol_state import Record
from udfs.kernels.trend_state import MONEY_FLOW_PERIOD, RANGE_RING, RANGE_TILE_MINUTES, STOCHASTIC_PERIOD, STOCHASTIC_SMOOTHING

_GARMAN_KLASS_CLOSE: Final = 2.0 * np.log(2.0) - 1.0
_PARKINSON: Final = 1.0 / (4.0 * np.log(2.0))


@kernel
def take_trend_bar(state: Record, settings: Record, bar: Record) -> None:
    """Move all of them on by one bar that has a price; `indicators` must have taken it."""
    memory, values = state.trend, state.trend_values
    values.sma_15 = mean_of_newest(state.indicators.closes, 15)
    values.ema_5, values.ema_15 = exponential_mean(memory.ema_5, bar.close, 5), exponential_mean(memory.ema_15, bar.close, 15)
    values.plus, values.minus, values.adx = directional_movement(memory.movement, bar.high, bar.low, bar.close, 14)
    values.mfi = money_flow(memory.money_flow, bar.high, bar.low, bar.close, bar.volume, MONEY_FLOW_PERIOD)
    values.garch = conditional_volatility(
        memory.garch, bar.close, settings.garch_alpha, settings.garch_beta, 2.0 / (settings.garch_target_bars + 1.0)
    )
    _take_stochastic(memory, values, bar)
    _add_range(state, bar)


@kernel
def _take_stochastic(memory: Record, values: Record, bar: Record) -> None:
    push(memory.highs, bar.high)
    push(memory.lows, bar.low)
    values.k = position_in_range(memory.highs, memory.lows, bar.close, STOCHASTIC_PERIOD)
    if not np.isnan(values.k):
        push(memory.positions, values.k)
    values.d = mean_before(memory.positions, 0, STOCHASTIC_SMOOTHING)
    values.slow_d = smoothed_twice(memory.positions, STOCHASTIC_SMOOTHING)


@kernel
def _add_range(state: Record, bar: Record) -> None:
    """Parkinson 1980; Garman, Klass 1980, the practical estimator. Each is the variance of one bar's log return."""
    newest = bar.start // 60 // RANGE_TILE_MINUTES
    for skipped in range(max(state.newest_range + 1, newest - RANGE_RING + 1), newest + 1):
        tile = state.ranges[skipped % RANGE_RING]
        tile.parkinson, tile.garman_klass = 0.0, 0.0
    state.newest_range = newest
    height, change = np.log(bar.high / bar.low) ** 2, np.log(bar.close / bar.open) ** 2
    tile = state.ranges[newest % RANGE_RING]
    tile.parkinson += _PARKINSON * height
    tile.garman_klass += 0.5 * height - _GARMAN_KLASS_CLOSE * change
