"""The kernels as functions of Flink SQL. `sql/functions.sql` gives them their names; NULL in or not ready means NULL out.

Series are arrays of DOUBLE, oldest first: `ARRAY_AGG(close) OVER (PARTITION BY symbol ORDER BY start_time …)` gives them in order, and
`IN_ORDER(ARRAY_AGG(start_time_ns), ARRAY_AGG(close))` puts those of a GROUP BY in order. The result is the value at the newest element.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import wraps

import numpy as np
import numpy.typing as npt
from pyflink.table import DataTypes
from pyflink.table.udf import udf

from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.kernels.indicators import atr as atr_kernel
from udfs.kernels.indicators import bollinger as bollinger_kernel
from udfs.kernels.indicators import macd as macd_kernel
from udfs.kernels.indicators import moving_average
from udfs.kernels.indicators import obv as obv_kernel
from udfs.kernels.indicators import roc as roc_kernel
from udfs.kernels.indicators import rsi as rsi_kernel
from udfs.kernels.indicators import vwap as vwap_kernel

Numbers = Sequence[float]
_NUMBER = DataTypes.DOUBLE()
_NUMBERS = DataTypes.ARRAY(DataTypes.DOUBLE())
_PLACES = {name: place for place, name in enumerate(FEATURE_NAMES)}


def _or_null(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _null_in_null_out(function: Callable[..., float]) -> Callable[..., float | None]:
    """Any NULL among the arguments, or a result that is not finite, is NULL."""

    @wraps(function)
    def guarded(*arguments: object) -> float | None:
        return None if any(argument is None for argument in arguments) else _or_null(function(*arguments))

    return guarded


def _series(values: Numbers) -> npt.NDArray[np.float64]:
    """A NULL in a series is NaN, so that it shows in the result and shifts nothing."""
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _newest(values: npt.NDArray[np.float64]) -> float:
    return float(values[-1]) if len(values) else math.nan


@udf(result_type=_NUMBERS)
def in_order(keys: Sequence[object], values: Numbers) -> list[float] | None:
    """`values` sorted by `keys` (times, or numbers of events); equal keys keep their order. NULL when the lengths differ."""
    if keys is None or values is None or len(keys) != len(values):
        return None
    order = np.argsort(np.asarray(keys), kind="stable")
    return [values[place] for place in order]


def _feature(feature_values: Numbers, name: str) -> float:
    place = _PLACES.get(name.lower())
    if place is None:
        raise ValueError(f"FEATURE: no feature {name!r}; the names are those of udfs/kernels/feature_vector.py in lower case")
    value = feature_values[place]
    return math.nan if value is None else float(value)


feature = udf(_null_in_null_out(_feature), result_type=_NUMBER, name="feature")
"""FEATURE(feature_values, name): one feature of a row by its name, NULL while it is not valid."""


def _imbalance(bid_size: float, ask_size: float) -> float:
    total = bid_size + ask_size
    return (bid_size - ask_size) / total if total > 0 else math.nan


imbalance = udf(_null_in_null_out(_imbalance), result_type=_NUMBER, name="imbalance")
"""IMBALANCE(bid_size, ask_size): (bid - ask) / (bid + ask), in [-1, 1]."""


def _microprice(bid: float, bid_size: float, ask: float, ask_size: float) -> float:
    total = bid_size + ask_size
    return (bid * ask_size + ask * bid_size) / total if total > 0 else math.nan


microprice = udf(_null_in_null_out(_microprice), result_type=_NUMBER, name="microprice")
"""MICROPRICE(bid, bid_size, ask, ask_size): mid weighted by the size on the other side, Stoikov 2018 eq. 2."""


def _sma(values: Numbers, period: int) -> float:
    return _newest(moving_average.sma(_series(values), period))


sma = udf(_null_in_null_out(_sma), result_type=_NUMBER, name="sma")
"""SMA(closes, period)."""


def _ema(values: Numbers, period: int) -> float:
    return _newest(moving_average.ema(_series(values), period))


ema = udf(_null_in_null_out(_ema), result_type=_NUMBER, name="ema")
"""EMA(closes, period), seeded by the mean of the first `period` closes: give it the whole history."""


def _rsi(closes: Numbers, period: int) -> float:
    return _newest(rsi_kernel.rsi(_series(closes), period))


rsi = udf(_null_in_null_out(_rsi), result_type=_NUMBER, name="rsi")
"""RSI(closes, period), 0 to 100."""


def _macd(closes: Numbers, fast: int, slow: int) -> float:
    line, _, _ = macd_kernel.macd(_series(closes), fast, slow, 1)
    return _newest(line)


macd = udf(_null_in_null_out(_macd), result_type=_NUMBER, name="macd")
"""MACD(closes, fast, slow): the line, without its signal."""


def _macd_signal(closes: Numbers, fast: int, slow: int, signal: int) -> float:
    _, signals, _ = macd_kernel.macd(_series(closes), fast, slow, signal)
    return _newest(signals)


macd_signal = udf(_null_in_null_out(_macd_signal), result_type=_NUMBER, name="macd_signal")
"""MACD_SIGNAL(closes, fast, slow, signal)."""


def _bollinger_percent_b(closes: Numbers, period: int, width: float) -> float:
    _, _, percent_b, _ = bollinger_kernel.bollinger(_series(closes), period, float(width))
    return _newest(percent_b)


bollinger_percent_b = udf(_null_in_null_out(_bollinger_percent_b), result_type=_NUMBER, name="bollinger_percent_b")
"""BOLLINGER_PERCENT_B(closes, period, width): 0 at the lower band, 1 at the upper."""


def _atr(high: Numbers, low: Numbers, close: Numbers, period: int) -> float:
    return _newest(atr_kernel.atr(_series(high), _series(low), _series(close), period))


atr = udf(_null_in_null_out(_atr), result_type=_NUMBER, name="atr")
"""ATR(highs, lows, closes, period)."""


def _obv(closes: Numbers, volumes: Numbers) -> float:
    return _newest(obv_kernel.obv(_series(closes), _series(volumes)))


obv = udf(_null_in_null_out(_obv), result_type=_NUMBER, name="obv")
"""OBV(closes, volumes), 0 at the first bar of the series."""


def _roc(closes: Numbers, period: int) -> float:
    return _newest(roc_kernel.roc(_series(closes), period))


roc = udf(_null_in_null_out(_roc), result_type=_NUMBER, name="roc")
"""ROC(closes, period) in percent."""


def _vwap(high: Numbers, low: Numbers, close: Numbers, volume: Numbers) -> float:
    return _newest(vwap_kernel.vwap(_series(high), _series(low), _series(close), _series(volume)))


vwap = udf(_null_in_null_out(_vwap), result_type=_NUMBER, name="vwap")
"""VWAP(highs, lows, closes, volumes) from the first bar of the series on, bars at their typical price."""


def _realised_volatility(closes: Numbers) -> float:
    prices = _series(closes)
    returns = np.diff(np.log(prices[prices > 0]))
    return math.sqrt(float(np.sum(returns * returns))) if len(returns) else math.nan


realised_volatility = udf(_null_in_null_out(_realised_volatility), result_type=_NUMBER, name="realised_volatility")
"""REALISED_VOLATILITY(closes): square root of the sum of squared log returns (Andersen, Bollerslev 1998), not annualised."""
