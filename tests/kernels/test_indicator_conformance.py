"""The indicators give the values that others computed: Stock.Indicators (502 daily bars) and TA-Lib (252 bars)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pytest

from udfs.kernels.indicators.atr import atr
from udfs.kernels.indicators.bollinger import bollinger
from udfs.kernels.indicators.macd import macd
from udfs.kernels.indicators.moving_average import Floats, ema, sma
from udfs.kernels.indicators.obv import obv
from udfs.kernels.indicators.roc import roc
from udfs.kernels.indicators.rsi import rsi
from udfs.kernels.indicators.vwap import vwap

Bars: TypeAlias = pd.DataFrame
MACD_BARS = "Macd__MACD.csv"
BANDS_BARS = "BollingerBands__Bollinger_Bands.csv"


def _column(bars: Bars, name: str) -> Floats:
    return bars[name].to_numpy(np.float64)


def _macd(part: int) -> Callable[[Bars], Floats]:
    return lambda bars: macd(_column(bars, "close"), 12, 26, 9)[part]


def _bands(part: int) -> Callable[[Bars], Floats]:
    return lambda bars: bollinger(_column(bars, "close"), 20, 2.0)[part]


STOCK_INDICATORS: list[tuple[str, str, Callable[[Bars], Floats], int]] = [
    ("Rsi__RSI.csv", "RSI(14)", lambda bars: rsi(_column(bars, "close"), 14), 14),
    (MACD_BARS, "MACD", _macd(0), 25),
    (MACD_BARS, "Signal", _macd(1), 33),
    (MACD_BARS, "Histo", _macd(2), 33),
    (BANDS_BARS, "lower", _bands(0), 19),
    (BANDS_BARS, "upper", _bands(1), 19),
    (BANDS_BARS, "%b", _bands(2), 19),
    (BANDS_BARS, "width", _bands(3), 19),
    ("Atr__ATR.csv", "ATR", lambda bars: atr(_column(bars, "high"), _column(bars, "low"), _column(bars, "close"), 14), 14),
    ("Obv__OBV.csv", "obv", lambda bars: obv(_column(bars, "close"), _column(bars, "volume")), 0),
    ("Sma__SMA_-_Close.csv", "SMA", lambda bars: sma(_column(bars, "close"), 20), 19),
    ("Ema__EMA.csv", "ema", lambda bars: ema(_column(bars, "close"), 20), 19),
    (
        "Vwap__VWAP.csv",
        "VWAP",
        lambda bars: vwap(_column(bars, "high"), _column(bars, "low"), _column(bars, "close"), _column(bars, "volume")),
        0,
    ),
]


@pytest.mark.parametrize(
    ("file", "column", "indicator", "warm_up"), STOCK_INDICATORS, ids=[f"{row[0]}:{row[1]}" for row in STOCK_INDICATORS]
)
def test_equals_stock_indicators(market_data: Path, file: str, column: str, indicator: Callable[[Bars], Floats], warm_up: int) -> None:
    """Every published value to 1e-9, and not a value before the first published one."""
    bars = pd.read_csv(market_data / "indicator_oracles" / "stock_indicators" / "csv" / file)
    expected, found = _column(bars, column), indicator(bars)
    assert np.isnan(found[:warm_up]).all()
    known = ~np.isnan(expected)
    known[:warm_up] = False
    assert known.sum() > len(bars) - warm_up - 3
    np.testing.assert_allclose(found[known], expected[known], rtol=1e-9, atol=1e-12)


TALIB: list[tuple[str, str, str, Callable[[Bars], Floats]]] = [
    ("RSI", "period=14", "real", lambda bars: rsi(_column(bars, "close"), 14)),
    ("ATR", "period=14", "real", lambda bars: atr(_column(bars, "high"), _column(bars, "low"), _column(bars, "close"), 14)),
    ("ATR", "period=1", "real", lambda bars: atr(_column(bars, "high"), _column(bars, "low"), _column(bars, "close"), 1)),
    ("SMA", "period=2", "real", lambda bars: sma(_column(bars, "close"), 2)),
    ("SMA", "period=30", "real", lambda bars: sma(_column(bars, "close"), 30)),
    ("EMA", "period=2", "real", lambda bars: ema(_column(bars, "close"), 2)),
    ("EMA", "period=10", "real", lambda bars: ema(_column(bars, "close"), 10)),
    ("BBANDS", "period=20,up=2.0,dn=2.0", "lower", _bands(0)),
    ("BBANDS", "period=20,up=2.0,dn=2.0", "upper", _bands(1)),
]


@pytest.mark.parametrize(("function", "parameters", "output", "indicator"), TALIB, ids=[" ".join(row[:3]) for row in TALIB])
def test_equals_talib(market_data: Path, function: str, parameters: str, output: str, indicator: Callable[[Bars], Floats]) -> None:
    """To the digits that TA-Lib's own regression tests print. MACD is left out: its convention differs there, as its module says."""
    folder = market_data / "indicator_oracles" / "talib"
    expected = pd.read_csv(folder / "talib_expected.csv").query("function == @function and params == @parameters and output == @output")
    found = indicator(pd.read_csv(folder / "talib_bars_252.csv"))[expected["bar_index"].to_numpy()]
    assert len(expected) > 0
    np.testing.assert_allclose(found, expected["expected"].to_numpy(), atol=0.01)


def test_rate_of_change_is_percent_of_the_value_before() -> None:
    found = roc(np.array([100.0, 110.0, 121.0, 60.5]), 1)
    np.testing.assert_allclose(found[1:], [10.0, 10.0, -50.0])
    assert np.isnan(found[0])


def test_a_market_without_movement_is_neither_strong_nor_weak() -> None:
    still = np.full(40, 7.0)
    assert rsi(still, 14)[-1] == 50.0
    assert np.isnan(bollinger(still, 20, 2.0)[2]).all()
    assert (obv(still, still) == 0.0).all()


def test_a_simple_mean_does_not_remember_what_left_its_window() -> None:
    """A huge value that has gone leaves no rounding behind, as it would in a running sum."""
    values = np.r_[1e17, np.arange(1.0, 30.0)]
    np.testing.assert_array_equal(sma(values, 5)[5:], sma(values[1:], 5)[4:])
