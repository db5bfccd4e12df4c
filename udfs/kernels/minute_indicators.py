"""The indicators of the feature vector, moved on by each closed minute bar."""

# mypy: no-warn-return-any
from __future__ import annotations

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.indicators.atr import average_true_range
from udfs.kernels.indicators.bollinger import bands
from udfs.kernels.indicators.macd import signal_of
from udfs.kernels.indicators.moving_average import exponential_mean, mean_of_newest, push
from udfs.kernels.indicators.obv import on_balance_volume
from udfs.kernels.indicators.roc import rate_of_change
from udfs.kernels.indicators.rsi import relative_strength
from udfs.kernels.minute_trend import take_trend_bar
from udfs.kernels.symbol_state import Record


@kernel
def take_minute_bar(state: Record, settings: Record, bar: Record) -> None:
    """Move every indicator on by one bar. A bar without a price is not one."""
    if np.isnan(bar.close):
        return
    memory, values = state.indicators, state.minute_values
    push(memory.closes, bar.close)
    values.sma_5, values.sma_20 = mean_of_newest(memory.closes, 5), mean_of_newest(memory.closes, 20)
    values.ema_12, values.ema_26 = exponential_mean(memory.ema_12, bar.close, 12), exponential_mean(memory.ema_26, bar.close, 26)
    values.macd_line = values.ema_12 - values.ema_26
    values.macd_signal = signal_of(memory.macd_signal, values.macd_line, 9)
    values.rsi = relative_strength(memory.rsi, bar.close, 14)
    values.percent_b, values.bandwidth = bands(memory.closes, 20, 2.0)
    values.atr = average_true_range(memory.atr, bar.high, bar.low, bar.close, 14)
    values.obv = on_balance_volume(memory.obv, bar.close, bar.volume)
    values.roc = rate_of_change(memory.closes, 10)
    take_trend_bar(state, settings, bar)
