"""The indicators give the values that others computed: Stock.Indicators (502 daily bars) and TA-Lib (252 bars)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import pytest

from udfs.kernels.indicators.adx import adx
from udfs.kernels.indicators.atr import atr
from udfs.kernels.indicators.bollinger import bollinger
from udfs.kernels.indicators.garch import GARCH_SEED, garch
from udfs.kernels.indicators.macd import macd
from udfs.kernels.indicators.mfi import mfi
from udfs.kernels.indicators.moving_average import Floats, ema, sma
from udfs.kernels.indicators.obv import obv
from udfs.kernels.indicators.roc import roc
from udfs.kernels.indicators.rsi import rsi
from udfs.kernels.indicators.stochastic import stochastic
from udfs.kernels.indicators.vwap import vwap

Bars: TypeAlias = pd.DataFrame
Indicator: TypeAlias = Callable[[pd.DataFrame], Floats]
MACD_BARS = "Macd__MACD.csv"
BANDS_BARS = "BollingerBands__Bollinger_Bands.csv"


def _column(bars: Bars, name: str) -> Floats:
    return bars[name].to_numpy(np.float64)


def _on(indicator: Callable[..., object], *columns: str, part: int | None = None, parameters: tuple[float, ...] = ()) -> Indicator:
    """An indicator of the named columns; `part` of it where it gives several series."""

    def computed(bars: Bars) -> Floats:
        result = indicator(*[_column(bars, name) for name in columns], *parameters)
        found = result if part is None else result[part]  # type: ignore[index]
        assert isinstance(found, np.ndarray)
        return found

    return computed


def _deviation(values: Floats, period: int) -> Floats:
    """Population deviation as the bands have it."""
    lower, upper, _, _ = bollinger(values, period, 1.0)
    return (upper - lower) / 2


def _macd(part: int) -> Indicator:
    return _on(macd, "close", part=part, parameters=(12, 26, 9))


def _bands(part: int) -> Indicator:
    return _on(bollinger, "close", part=part, parameters=(20, 2.0))


def _movement(part: int) -> Indicator:
    return _on(adx, "high", "low", "close", part=part, parameters=(14,))


def _stochastic(period: int, part: int) -> Indicator:
    return _on(stochastic, "high", "low", "close", part=part, parameters=(period, 3))


def _with_dx(bars: Bars) -> Floats:
    """DX from the two directional indexes."""
    plus, minus = _movement(0)(bars), _movement(1)(bars)
    strength: Floats = 100 * np.abs(plus - minus) / (plus + minus)
    return strength


def _from_its_first_value(bars: Bars) -> Floats:
    """VWAP of the part of a session that the sheet takes: from the first row that it has a value for."""
    begin = int(np.flatnonzero(~np.isnan(_column(bars, "VWAP")))[0])
    result = np.full(len(bars), np.nan)
    result[begin:] = vwap(*[_column(bars, name)[begin:] for name in ("high", "low", "close", "volume")])
    return result


STOCHASTIC_BARS = "Stoch__STO(14,3,3)_(2).csv"
SHORT_STOCHASTIC_BARS = "Stoch__STO(9,3,3,SMMA,5,4).csv"
ADX_BARS = "Adx__ADX.csv"
RANGES_OF_BARS = ("high", "low", "close")

STOCK_INDICATORS: list[tuple[str, str, Indicator, int]] = [
    ("Rsi__RSI.csv", "RSI(14)", _on(rsi, "close", parameters=(14,)), 14),
    (MACD_BARS, "EMA12", _on(ema, "close", parameters=(12,)), 11),
    (MACD_BARS, "EMA26", _on(ema, "close", parameters=(26,)), 25),
    (MACD_BARS, "MACD", _macd(0), 25),
    (MACD_BARS, "Signal", _macd(1), 33),
    (MACD_BARS, "Histo", _macd(2), 33),
    (BANDS_BARS, "stdev", _on(_deviation, "close", parameters=(20,)), 19),
    (BANDS_BARS, "sma", _on(sma, "close", parameters=(20,)), 19),
    (BANDS_BARS, "lower", _bands(0), 19),
    (BANDS_BARS, "upper", _bands(1), 19),
    (BANDS_BARS, "%b", _bands(2), 19),
    (BANDS_BARS, "width", _bands(3), 19),
    ("StdDev__StdDev.csv", "stddev", _on(_deviation, "close", parameters=(10,)), 9),
    ("StdDev__StdDev.csv", "mean", _on(sma, "close", parameters=(10,)), 9),
    ("Atr__ATR.csv", "TR", _on(atr, *RANGES_OF_BARS, parameters=(1,)), 1),
    ("Atr__ATR.csv", "ATR", _on(atr, *RANGES_OF_BARS, parameters=(14,)), 14),
    ("Obv__OBV.csv", "obv", _on(obv, "close", "volume"), 0),
    ("Sma__SMA_-_Close.csv", "SMA", _on(sma, "close", parameters=(20,)), 19),
    ("Sma__SMA_-_Close.csv", "SMA(O)", _on(sma, "open", parameters=(20,)), 19),
    ("Sma__SMA_-_Volume.csv", "sma", _on(sma, "volume", parameters=(20,)), 19),
    ("Ema__EMA.csv", "ema", _on(ema, "close", parameters=(20,)), 19),
    ("Ema__EMA.csv", "ema(O)", _on(ema, "open", parameters=(20,)), 19),
    ("Vwap__VWAP.csv", "VWAP", _on(vwap, *RANGES_OF_BARS, "volume"), 0),
    ("Vwap__VWAP_with_Start_Date.csv", "VWAP", _from_its_first_value, 30),
    (ADX_BARS, "+DI14", _movement(0), 14),
    (ADX_BARS, "-DI14", _movement(1), 14),
    (ADX_BARS, "DX", _with_dx, 14),
    (ADX_BARS, "ADX", _movement(2), 27),
    ("Mfi__MFI.csv", "mf", _on(mfi, *RANGES_OF_BARS, "volume", parameters=(14,)), 14),
    (STOCHASTIC_BARS, "K(14)'", _stochastic(14, 0), 13),
    (STOCHASTIC_BARS, "%K", _stochastic(14, 1), 15),
    (STOCHASTIC_BARS, "%D", _stochastic(14, 2), 17),
    (SHORT_STOCHASTIC_BARS, "K(9)'", _stochastic(9, 0), 8),
    ("WilliamsR__WilliamsR(14).csv", "%R", lambda bars: _stochastic(14, 0)(bars) - 100, 13),
]
"""File, column of it, what must give that column, index of its first value.

Left out, with the reason: `STO(9,3,3,SMMA)` beyond its K, `ADXR`, `%J`, z-scores and VWMA, which are no features; EMA(20) of RSI, likewise.
"""


@pytest.mark.parametrize(
    ("file", "column", "indicator", "warm_up"), STOCK_INDICATORS, ids=[f"{row[0]}:{row[1]}" for row in STOCK_INDICATORS]
)
def test_equals_stock_indicators(market_data: Path, file: str, column: str, indicator: Indicator, warm_up: int) -> None:
    """Every published value to 1e-9, and not a value before the first published one."""
    bars = pd.read_csv(market_data / "indicator_oracles" / "stock_indicators" / "csv" / file)
    expected, found = _column(bars, column), indicator(bars)
    assert np.isnan(found[:warm_up]).all()
    known = ~np.isnan(expected)
    known[:warm_up] = False
    assert known.sum() > len(bars) - warm_up - 3
    np.testing.assert_allclose(found[known], expected[known], rtol=1e-9, atol=1e-12)


TALIB: list[tuple[str, str, str, Indicator]] = [
    ("RSI", "period=14", "real", _on(rsi, "close", parameters=(14,))),
    ("ATR", "period=14", "real", _on(atr, *RANGES_OF_BARS, parameters=(14,))),
    ("ATR", "period=1", "real", _on(atr, *RANGES_OF_BARS, parameters=(1,))),
    ("TRANGE", "", "real", _on(atr, *RANGES_OF_BARS, parameters=(1,))),
    ("SMA", "period=2", "real", _on(sma, "close", parameters=(2,))),
    ("SMA", "period=30", "real", _on(sma, "close", parameters=(30,))),
    ("EMA", "period=2", "real", _on(ema, "close", parameters=(2,))),
    ("EMA", "period=10", "real", _on(ema, "close", parameters=(10,))),
    ("BBANDS", "period=20,up=2.0,dn=2.0", "lower", _bands(0)),
    ("BBANDS", "period=20,up=2.0,dn=2.0", "upper", _bands(1)),
    ("BBANDS", "period=20,up=2.0,dn=2.0", "middle", _on(sma, "close", parameters=(20,))),
    *[("MFI", f"period={period}", "real", _on(mfi, *RANGES_OF_BARS, "volume", parameters=(period,))) for period in (14, 49, 50, 51, 100)],
]
"""Function, parameters, output, what must give it.

Left out: KAMA and WMA, which are no features; MACD, whose convention differs (see the test below).
"""


@pytest.mark.parametrize(("function", "parameters", "output", "indicator"), TALIB, ids=[" ".join(row[:3]) for row in TALIB])
def test_equals_talib(market_data: Path, function: str, parameters: str, output: str, indicator: Indicator) -> None:
    """To the digits that TA-Lib's own regression tests print. MACD is left out: its convention differs there, as its module says."""
    folder = market_data / "indicator_oracles" / "talib"
    published = pd.read_csv(folder / "talib_expected.csv", keep_default_na=False)
    expected = published.query("function == @function and params == @parameters and output == @output")
    found = indicator(pd.read_csv(folder / "talib_bars_252.csv"))[expected["bar_index"].to_numpy()]
    assert len(expected) > 0
    np.testing.assert_allclose(found, expected["expected"].to_numpy(), atol=0.01)


def test_macd_of_talib_differs_only_in_its_first_value(market_data: Path) -> None:
    """TA-Lib starts the fast mean 14 bars later, so that both means have their first value at one bar; ours starts at its own first bar."""
    folder = market_data / "indicator_oracles" / "talib"
    published = pd.read_csv(folder / "talib_expected.csv").query("function == 'MACD' and output == 'macd'")
    close = _column(pd.read_csv(folder / "talib_bars_252.csv"), "close")
    place, expected = int(published["bar_index"].iloc[0]), float(published["expected"].iloc[0])
    fast_from_the_slow_ones_bar = ema(close[26 - 12 :], 12)[place - (26 - 12)]
    assert abs(fast_from_the_slow_ones_bar - ema(close, 26)[place] - expected) < 1e-4
    assert abs(macd(close, 12, 26, 9)[0][place] - expected) > 1e-3


QUOTES_THAT_STAND_STILL = ("zeros.csv", "_issue0859.adx.nan.csv")


@pytest.mark.parametrize("file", QUOTES_THAT_STAND_STILL)
def test_quotes_that_broke_others_give_no_value_that_is_not_a_number(market_data: Path, file: str) -> None:
    bars = pd.read_csv(market_data / "indicator_oracles" / "stock_indicators" / "_testdata" / "quotes" / file)
    bars.columns = [name.strip().lower() for name in bars.columns]
    high, low, close = (_column(bars, name) for name in RANGES_OF_BARS)
    for series, first in zip((*adx(high, low, close, 14), *stochastic(high, low, close, 14, 3)), (14, 14, 27, 13, 15, 17), strict=True):
        assert np.isnan(series[:first]).all()
        assert np.isfinite(series[first:]).all()
        assert ((series[first:] >= -1e-9) & (series[first:] <= 100 + 1e-9)).all()


def test_rate_of_change_is_percent_of_the_value_before() -> None:
    found = roc(np.array([100.0, 110.0, 121.0, 60.5]), 1)
    np.testing.assert_allclose(found[1:], [10.0, 10.0, -50.0])
    assert np.isnan(found[0])


def test_a_market_without_movement_is_neither_strong_nor_weak() -> None:
    still: Floats = np.full(40, 7.0)
    assert rsi(still, 14)[-1] == 50.0
    assert np.isnan(bollinger(still, 20, 2.0)[2]).all()
    assert (obv(still, still) == 0.0).all()
    assert [series[-1] for series in stochastic(still, still, still, 14, 3)] == [50.0, 50.0, 50.0]
    assert [series[-1] for series in adx(still, still, still, 14)] == [0.0, 0.0, 0.0]
    assert mfi(still, still, still, still, 14)[-1] == 50.0
    assert garch(still, 0.1, 0.85, 0.01)[-1] == 0.0


def test_a_simple_mean_does_not_remember_what_left_its_window() -> None:
    """A huge value that has gone leaves no rounding behind, as it would in a running sum."""
    values = np.r_[1e17, np.arange(1.0, 30.0)]
    np.testing.assert_array_equal(sma(values, 5)[5:], sma(values[1:], 5)[4:])


def test_recursive_volatility_finds_the_one_that_made_the_returns() -> None:
    """Of returns of one deviation it is that deviation on average; and it is nothing before the seed."""
    returns = np.random.default_rng(1).normal(0, 2e-3, 5000)
    closes = np.asarray(100.0 * np.exp(np.cumsum(returns)), np.float64)
    found = garch(closes, 0.1, 0.85, 2 / 121)
    assert np.isnan(found[:GARCH_SEED]).all()
    assert np.isfinite(found[GARCH_SEED:]).all()
    assert abs(np.sqrt(np.mean(found[GARCH_SEED:] ** 2)) / 2e-3 - 1) < 0.05
