"""Bars that a vendor made go in whole, come out as they were, and feed the indicators."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.kernel_events import MIDNIGHT, SECOND, Event, bar, clock, columns_of, quote, trade
from udfs.errors import Reason
from udfs.kernels.advance import Advance, KernelSettings, advance
from udfs.kernels.feature_vector import Feature
from udfs.kernels.indicators.atr import atr
from udfs.kernels.indicators.macd import macd
from udfs.kernels.indicators.moving_average import Floats, sma
from udfs.kernels.indicators.rsi import rsi
from udfs.kernels.symbol_state import new_state

SETTINGS = KernelSettings()
PRICES = ("open", "high", "low", "close")


def run(events: list[Event]) -> Advance:
    return advance(new_state(), columns_of(events), SETTINGS)


def _series(count: int) -> Floats:
    """(count, 5) open, high, low, close, volume."""
    generator = np.random.default_rng(3)
    closes = np.round(100 + np.cumsum(generator.normal(0, 0.1, count)), 2)
    opens = np.r_[100.0, closes[:-1]]
    return np.c_[opens, np.maximum(opens, closes) + 0.05, np.minimum(opens, closes) - 0.05, closes, generator.integers(1, 99, count)]


def _bars(series: Floats, length: int = 60) -> list[Event]:
    return [
        bar(MIDNIGHT + (place + 1) * length * SECOND, (row[0], row[1], row[2], row[3]), row[4], length)
        for place, row in enumerate(series.tolist())
    ]


@pytest.mark.parametrize("length", [60, 300, 3600])
def test_a_bar_comes_out_at_once_as_it_went_in(length: int) -> None:
    series = _series(30)
    result = run(_bars(series, length))
    same = result.bars[result.bars["length_seconds"] == length]
    np.testing.assert_array_equal(np.c_[tuple(same[name] for name in (*PRICES, "volume"))], series)
    assert same["start_time"].tolist() == [MIDNIGHT + place * length * SECOND for place in range(30)]
    assert same["event_index"].tolist() == list(range(30))
    assert (result.bars["length_seconds"] >= length).all()


def test_minute_bars_roll_up() -> None:
    series = _series(120)
    bars = run(_bars(series)).bars
    for length, parts in ((300, 5), (3600, 60)):
        rolled, groups = bars[bars["length_seconds"] == length], series.reshape(-1, parts, 5)
        expected = np.c_[groups[:, 0, 0], groups[:, :, 1].max(1), groups[:, :, 2].min(1), groups[:, -1, 3], groups[:, :, 4].sum(1)]
        np.testing.assert_allclose(np.c_[tuple(rolled[name] for name in (*PRICES, "volume"))], expected)


def test_minute_bars_feed_the_indicators() -> None:
    """The row of a bar knows the bar itself."""
    series = _series(60)
    result = run(_bars(series))
    close, high, low = series[:, 3], series[:, 1], series[:, 2]
    for feature, expected in (
        (Feature.SMA_20, sma(close, 20)),
        (Feature.RSI_14, rsi(close, 14)),
        (Feature.ATR_14, atr(high, low, close, 14)),
        (Feature.MACD_SIGNAL, macd(close, 12, 26, 9)[1]),
    ):
        np.testing.assert_allclose(result.row_values[:, feature], expected, rtol=1e-6)
    np.testing.assert_allclose(result.row_values[1:, Feature.RETURN_1_MINUTE], np.log(close[1:] / close[:-1]), rtol=1e-4, atol=1e-8)
    np.testing.assert_array_equal(result.row_values[:, Feature.LAST_PRICE], close.astype(np.float32))
    typical = series[:, 1:4].mean(axis=1)
    np.testing.assert_allclose(
        result.row_values[:, Feature.VWAP_SESSION], np.cumsum(typical * series[:, 4]) / np.cumsum(series[:, 4]), rtol=1e-6
    )


def test_a_bar_closes_its_time_for_trades() -> None:
    """A trade from within a bar that has come is late; the same bar again is late too."""
    minute = _bars(_series(1))[0]
    result = run([minute, trade(minute.event_time - 1, 100.0), minute, trade(minute.event_time, 100.0)])
    assert result.verdicts.tolist() == [0, Reason.LATE, Reason.LATE, 0]


def test_a_daily_bar_moves_the_price_only() -> None:
    result = run(
        [bar(MIDNIGHT, (99.0, 103.0, 98.0, 101.0), 1e6, 86_400), bar(MIDNIGHT + 86_400 * SECOND, (1.0, 9.0, 1.0, 5.0), 1e6, 86_400)]
    )
    assert result.row_price.tolist() == [101.0, 5.0]
    assert not len(result.bars)


def test_bars_of_seconds_make_minutes() -> None:
    result = run(_bars(_series(24), 5))
    minutes = result.bars[result.bars["length_seconds"] == 60]
    assert minutes["volume"].tolist() == [_series(24)[:12, 4].sum(), _series(24)[12:, 4].sum()]


def test_a_clock_closes_a_quiet_symbol() -> None:
    """Nothing but the clock says that a minute is over; the row is numbered apart from the trade's own."""
    result = run(
        [trade(MIDNIGHT + SECOND, 100.0, 3.0), clock(MIDNIGHT + 59 * SECOND), clock(MIDNIGHT + 60 * SECOND), clock(MIDNIGHT + 61 * SECOND)]
    )
    assert result.bars["length_seconds"].tolist() == [1, 60]
    assert result.bars["event_index"].tolist() == [1, 2]
    assert result.row_event_index.tolist() == [0, 1, 2]
    assert result.row_event_number.tolist() == [1, 2, 3]


def test_volume_without_a_price_takes_the_price_in_force() -> None:
    late_report, start = 1, MIDNIGHT
    events = [
        trade(start, 7.0, 5.0, 0, late_report),
        trade(start + 60 * SECOND, 100.0, 2.0),
        trade(start + 120 * SECOND, 50.0, 4.0, 0, late_report),
    ]
    bars = run([*events, clock(start + 180 * SECOND)]).bars
    minutes = bars[bars["length_seconds"] == 60]
    assert minutes["volume"].tolist() == [5.0, 2.0, 4.0]
    assert minutes["notional"].tolist() == [0.0, 200.0, 0.0]
    assert minutes["trades"].tolist() == [0, 1, 0]
    np.testing.assert_array_equal(minutes["close"], [np.nan, 100.0, 100.0])


def test_quotes_make_the_bars_of_a_symbol_until_it_trades() -> None:
    events = [
        quote(MIDNIGHT, 99.0, 101.0),
        quote(MIDNIGHT + SECOND, 100.0, 104.0),
        trade(MIDNIGHT + 60 * SECOND, 90.0),
        quote(MIDNIGHT + 61 * SECOND, 1.0, 2.0),
    ]
    bars = run([*events, clock(MIDNIGHT + 180 * SECOND)]).bars
    minutes = bars[bars["length_seconds"] == 60]
    assert [minutes[name].tolist() for name in PRICES] == [[100.0, 90.0], [102.0, 90.0], [100.0, 90.0], [102.0, 90.0]]
    assert minutes["volume"].tolist() == [0.0, 1.0]


def test_the_day_has_the_range_of_its_bars() -> None:
    """A bar's high and low count in the day that the whole bar lies in; of one that began the day before only the close does."""
    bars = [
        bar(MIDNIGHT - 3600 * SECOND, (100.0, 400.0, 50.0, 100.0), 1.0),
        bar(MIDNIGHT + 1800 * SECOND, (100.0, 300.0, 60.0, 100.0), 1.0, 3600),
    ]
    later = [bar(MIDNIGHT + 3600 * SECOND, (100.0, 200.0, 80.0, 160.0), 1.0), trade(MIDNIGHT + 3601 * SECOND, 40.0)]
    values = run([*bars, *later]).row_values
    np.testing.assert_allclose(np.exp(values[:, Feature.DAY_HIGH_DISTANCE]), [100 / 400, 1.0, 160 / 200, 40 / 200], rtol=1e-6)
    np.testing.assert_allclose(np.exp(values[:, Feature.DAY_LOW_DISTANCE]), [100 / 50, 1.0, 160 / 80, 1.0], rtol=1e-6)
