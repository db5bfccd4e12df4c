"""Orders arrive late, fill at the touch and no more than is there, pay for it, and stop at halts and limits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.backtest.settings import BacktestSettings
from jobs.backtest.tape import TapeBuilder
from jobs.backtest.trading import Traded, frictionless, trade, values_on, wanted_positions
from tests.support.kernel_events import MIDNIGHT, SECOND, columns_of, quote, status
from tests.support.kernel_events import trade as traded_at
from tests.support.markets import signals_of, tape_of
from udfs.errors import InvalidSettings
from udfs.kernels.events import EventFlag, TradingStatus

FREE = BacktestSettings(feed_latency=0, order_latency=0, fee_basis_points=0.0, impact=0.0, participation=1.0, maximum_turnover=1e9)
"""Only the spread costs."""


def run(said: list[tuple[float, int]], tape: object = None, settings: BacktestSettings = FREE, horizon: float = 10.0) -> Traded:
    wanted = wanted_positions(signals_of(*said, horizon=horizon), 0.0)
    return trade(wanted, tape or tape_of([100.0] * 60), settings)  # type: ignore[arg-type]


def test_a_signal_is_followed_for_its_horizon() -> None:
    wanted = wanted_positions(signals_of((1, 1), (4, 1), (8, -1), (30, 1), (33, 0)), 0.0)
    seconds = (wanted.time - MIDNIGHT) // SECOND
    assert list(zip(seconds.tolist(), wanted.side.tolist(), strict=True)) == [(1, 1), (8, -1), (18, 0), (30, 1), (33, 0)]


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from([-1, 0, 1])), max_size=15), st.integers(1, 20))
def test_what_is_wanted_is_what_the_newest_signal_says(said: list[tuple[int, int]], horizon: int) -> None:
    """Law, second by second: the direction of the newest signal while it lasts, else nothing."""
    said = sorted(said, key=lambda pair: pair[0])
    wanted = wanted_positions(signals_of(*said, horizon=horizon), 0.0)
    for second in range(90):
        newest = [pair for pair in said if pair[0] <= second]
        expected = newest[-1][1] if newest and second < newest[-1][0] + horizon else 0
        place = np.searchsorted(wanted.time, MIDNIGHT + second * SECOND, "right") - 1
        assert (wanted.side[place] if place >= 0 else 0) == expected
    assert np.all(np.diff(wanted.side, prepend=0) != 0)


def test_a_signal_that_is_not_sure_enough_is_not_followed() -> None:
    assert wanted_positions(signals_of((1, 1)), 0.95).time.size == 0


def test_bought_at_the_ask_when_the_order_arrives_and_sold_at_the_bid() -> None:
    tape = tape_of([100.0 + second for second in range(30)])
    late = dataclasses.replace(FREE, feed_latency=SECOND, order_latency=2 * SECOND)
    bought, sold = run([(2, 1)], tape, late).fills
    assert (bought.time, bought.price) == (MIDNIGHT + 5 * SECOND, 105.01)
    assert bought.quantity == pytest.approx(10_000 / 102)
    assert (sold.time, sold.price, sold.quantity) == (MIDNIGHT + 15 * SECOND, 114.99, -bought.quantity)


def test_a_round_trip_in_a_still_market_loses_the_spread_and_the_fees() -> None:
    settings = dataclasses.replace(FREE, fee_basis_points=2.0)
    fills = run([(2, 1)], settings=settings).fills
    lost = sum(fill.quantity * fill.price + fill.fee for fill in fills)
    shares = 10_000 / 100
    assert lost == pytest.approx(shares * 0.02 + shares * (100.01 + 99.99) * 2e-4)


def test_an_order_larger_than_the_touch_fills_in_parts_and_never_more() -> None:
    settings = dataclasses.replace(FREE, participation=0.5)
    result = run([(2, 1)], tape_of([100.0] * 60, size=60.0), settings)
    bought = [fill.quantity for fill in result.fills if fill.quantity > 0]
    assert bought == [30.0, 30.0, 30.0, 10.0]
    assert [fill.time for fill in result.fills[:4]] == [MIDNIGHT + second * SECOND for second in (2, 3, 4, 5)]
    assert sum(fill.quantity for fill in result.fills) == 0
    assert result.counts["partial_fills"] == 6


def test_an_order_that_is_not_filled_in_time_makes_way_for_the_next() -> None:
    result = run([(2, 1), (4, -1)], tape_of([100.0] * 60, size=10.0))
    assert [fill.quantity for fill in result.fills[:3]] == [10.0, 10.0, -10.0]
    assert result.counts["unfilled_orders"] == 2


def test_nothing_fills_in_a_halt_and_a_position_waits_for_the_reopening() -> None:
    closed = tuple(range(10, 20))
    bought, sold = run([(2, 1)], tape_of([100.0] * 10 + [100.0] * 10 + [90.0] * 40, closed=closed)).fills
    assert bought.time == MIDNIGHT + 2 * SECOND
    assert (sold.time, sold.price) == (MIDNIGHT + 20 * SECOND, 89.99)


def test_the_days_turnover_is_a_limit() -> None:
    settings = dataclasses.replace(FREE, maximum_turnover=2.5)
    result = run([(1, 1), (20, 1), (40, 1)], settings=settings, horizon=5.0)
    assert sum(fill.quantity for fill in result.fills) == pytest.approx(0)
    bought = [fill.quantity * fill.price for fill in result.fills if fill.quantity > 0]
    assert bought == pytest.approx([10_001, 5_000], rel=1e-3)
    assert result.counts["refused_by_turnover"] == 2


def test_a_position_may_be_closed_beyond_the_limit() -> None:
    tight = dataclasses.replace(FREE, maximum_turnover=1.0)
    result = run([(1, 1), (5, -1)], settings=tight)
    assert [round(fill.quantity, 3) for fill in result.fills] == [99.99, -99.99]


def test_impact_grows_with_the_root_of_the_size() -> None:
    generator = np.random.default_rng(1)
    tape = tape_of((100 * np.exp(np.cumsum(generator.normal(size=400) * 1e-4))).tolist())
    costs = []
    for notional in (1_000.0, 4_000.0):
        (bought, *_) = run([(390, 1)], tape, dataclasses.replace(FREE, impact=1.0, notional=notional)).fills
        costs.append((bought.price - bought.mid - 0.01) / bought.price)
    assert costs[0] > 0
    assert costs[1] == pytest.approx(2 * costs[0], rel=1e-3)


@given(st.lists(st.tuples(st.integers(0, 50), st.sampled_from([-1, 0, 1])), min_size=1, max_size=8), st.integers(0, 99), st.integers(0, 3))
def test_the_frictionless_trader_is_never_worse(said: list[tuple[int, int]], seed: int, delay: int) -> None:
    """Law: with no latency and enough size, costs are exactly the difference; with any settings cash and position add up."""
    generator = np.random.default_rng(seed)
    tape = tape_of((100 * np.exp(np.cumsum(generator.normal(size=90) * 1e-3))).tolist())
    wanted = wanted_positions(signals_of(*sorted(said)), 0.0)
    settings = dataclasses.replace(FREE, order_latency=delay * SECOND, fee_basis_points=1.0)
    fills = trade(wanted, tape, settings).fills
    columns = [np.array(column, np.float64) for column in zip(*fills, strict=True)] if fills else [np.zeros(0)] * 5
    time, quantity, price, mid, fee = columns
    grid = MIDNIGHT + SECOND * np.arange(91)
    net = values_on(grid, tape, time.astype(np.int64), quantity, -quantity * price - fee)
    free = values_on(grid, tape, *frictionless(wanted, tape, settings))
    assert np.all(quantity * (price - mid) >= 0)
    if delay == 0:
        assert free[-1] - net[-1] == pytest.approx(float((quantity * (price - mid) + fee).sum()), abs=1e-6)


def test_a_tape_shows_the_touch_and_only_what_can_be_traded_on() -> None:
    builder = TapeBuilder(0.0)
    crossed, one_sided = quote(MIDNIGHT + 2, 102, 101), quote(MIDNIGHT + 3, 100, float("nan"))
    builder.add(columns_of([quote(MIDNIGHT, 99, 101), crossed, one_sided, status(MIDNIGHT + 4, TradingStatus.HALTED)]))
    builder.add(columns_of([quote(MIDNIGHT + 5, 98, 100), status(MIDNIGHT + 6, TradingStatus.OPEN), quote(MIDNIGHT + 7, 97, 99)]))
    tape = builder.tape()
    assert tape is not None
    assert tape.bid.tolist() == [99, 98, 97]
    assert tape.open.tolist() == [True, False, True]
    assert tape.time.tolist() == [MIDNIGHT + 1000 + at for at in (0, 5, 7)]


def test_without_a_book_the_touch_is_assumed_around_the_trades() -> None:
    builder = TapeBuilder(1e-3)
    volume_only = traded_at(MIDNIGHT + 1, 500.0, 9.0, flags=int(EventFlag.VOLUME_ONLY))
    builder.add(columns_of([traded_at(MIDNIGHT, 100.0, 7.0), volume_only]))
    tape = builder.tape()
    assert tape is not None
    assert (tape.bid.tolist(), tape.ask.tolist(), tape.bid_size.tolist()) == ([99.9], pytest.approx([100.1]), [7.0])
    assert TapeBuilder(0.0).tape() is None


def test_settings_that_cannot_work_are_all_named() -> None:
    with pytest.raises(InvalidSettings, match=r"notional must be above 0.*impact must be 0 or more"):
        BacktestSettings(notional=0, impact=-1).check()
