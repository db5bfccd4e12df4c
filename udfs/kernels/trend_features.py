"""Trend and volatility features of a row."""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.feature_vector import Feature
from udfs.kernels.hour_measures import hold_hour_values
from udfs.kernels.session_range import session_range
from udfs.kernels.symbol_state import Record


@kernel
def put_trend(values: Record, state: Record) -> None:
    """Write what the minute bars and the session's range say of the trend."""
    price, held, sma_5 = state.mark_price, state.trend_values, state.minute_values.sma_5
    values[Feature.SMA_15], values[Feature.PRICE_TO_SMA_15] = held.sma_15, price / held.sma_15 - 1.0
    values[Feature.EMA_5], values[Feature.PRICE_TO_EMA_5] = held.ema_5, price / held.ema_5 - 1.0
    values[Feature.EMA_15], values[Feature.PRICE_TO_EMA_15] = held.ema_15, price / held.ema_15 - 1.0
    values[Feature.SMA_5_TO_SMA_15], values[Feature.EMA_5_TO_EMA_15] = sma_5 / held.sma_15 - 1.0, held.ema_5 / held.ema_15 - 1.0
    values[Feature.STOCHASTIC_K_14], values[Feature.STOCHASTIC_D_3] = held.k, held.d
    values[Feature.STOCHASTIC_SLOW_D_3] = held.slow_d
    values[Feature.PLUS_DIRECTIONAL_INDEX_14], values[Feature.MINUS_DIRECTIONAL_INDEX_14] = held.plus, held.minus
    values[Feature.ADX_14], values[Feature.MFI_14] = held.adx, held.mfi
    high, low = session_range(state)
    values[Feature.DAY_HIGH_DISTANCE], values[Feature.DAY_LOW_DISTANCE] = np.log(price / high), np.log(price / low)


@kernel
def put_hour_measures(values: Record, state: Record, settings: Record) -> None:
    """Write what the newest 60 closed minutes say, and the recursive volatility."""
    hold_hour_values(state, settings.fractional_weights)
    held = state.hour_values
    values[Feature.FRACTIONAL_LOG_PRICE], values[Feature.FRACTIONAL_LOG_PRICE_RELATIVE] = held.fractional, held.fractional_relative
    values[Feature.BIPOWER_VARIATION_1_HOUR] = held.bipower
    values[Feature.RELATIVE_JUMP_1_HOUR], values[Feature.JUMP_STATISTIC_1_HOUR] = held.relative_jump, held.jump
    values[Feature.PARKINSON_VOLATILITY_1_HOUR], values[Feature.GARMAN_KLASS_VOLATILITY_1_HOUR] = held.parkinson, held.garman_klass
    values[Feature.VOLATILITY_OF_VOLATILITY_1_HOUR] = held.volatility_of_volatility
    values[Feature.GARCH_VOLATILITY] = state.trend_values.garch
