"""Microstructure, quality and bars in small cases that can be worked out by hand, and in bad ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.kernel_events import MIDNIGHT, SECOND, Event, bar, book, clock, columns_of, quote, status, trade
from udfs.kernels.advance import Advance, KernelSettings, advance
from udfs.kernels.events import BOOK_DEPTH, EventFlag, EventKind, TradingStatus
from udfs.kernels.feature_vector import Feature
from udfs.kernels.symbol_state import new_state

NOW = MIDNIGHT + 12 * 3600 * SECOND
EVERY_EVENT = KernelSettings(row_interval_nanoseconds=0)
GAP, SNAPSHOT = int(EventFlag.SEQUENCE_GAP), int(EventFlag.SNAPSHOT)


def run(events: list[Event]) -> Advance:
    """One row an accepted event."""
    return advance(new_state(), columns_of(events), EVERY_EVENT)


def last(events: list[Event], feature: Feature) -> float:
    """Value in the last row."""
    return float(run(events).row_values[-1, feature])


def at(seconds: float) -> int:
    """Nanoseconds."""
    return NOW + int(seconds * SECOND)


WARM = [trade(at(-100), 100.0), quote(at(-100), 99.9, 100.1)]
"""Enough for every window of a minute, and out of it."""


@pytest.mark.parametrize(
    ("before", "price", "side"),
    [
        ([quote(at(-1), 99.0, 101.0)], 100.5, 1),
        ([quote(at(-1), 99.0, 101.0)], 99.5, -1),
        ([quote(at(-1), 99.0, 101.0), trade(at(-1), 99.8, 0.0)], 100.0, 1),
        ([quote(at(-1), 99.0, 101.0), trade(at(-1), 100.3, 0.0)], 100.0, -1),
        ([quote(at(-1), 99.0, 101.0), trade(at(-1), 99.8, 0.0), trade(at(-1), 100.0, 0.0)], 100.0, 1),
        ([quote(at(-1), 99.0, 101.0), trade(at(-1), 100.2, 0.0), trade(at(-1), 100.0, 0.0)], 100.0, -1),
        ([quote(at(-1), 99.0, 101.0), quote(at(-1), 101.0, 99.0)], 99.5, -1),
        ([quote(at(-1), 99.0, 101.0), quote(at(-1), 99.0, math.nan)], 100.5, 1),
        ([], 100.0, 0),
    ],
    ids=["above", "below", "uptick", "downtick", "zero uptick", "zero downtick", "crossed", "no ask", "nothing"],
)
def test_the_side_of_a_trade_that_the_feed_does_not_name(before: list[Event], price: float, side: int) -> None:
    """Lee and Ready: quotes first, then ticks."""
    silent = [event._replace(numbers=(*event.numbers[:2], 0.0)) if event.kind == EventKind.TRADE else event for event in before]
    events = [trade(at(-100), 100.0), *silent, trade(NOW, price, 4.0, 0)]
    assert last(events, Feature.TRADE_IMBALANCE_10_SECONDS) == side


def test_the_side_that_the_feed_names_is_kept() -> None:
    assert last([*WARM, quote(NOW, 99.0, 101.0), trade(NOW, 100.9, 4.0, -1)], Feature.TRADE_IMBALANCE_10_SECONDS) == -1


def test_effective_spread() -> None:
    """Twice the distance from the mid price before each trade, by size: (3 * 0.4 + 1 * 1.0) / 4."""
    events = [*WARM, quote(NOW, 99.5, 100.5), trade(NOW, 100.2, 3.0), trade(NOW, 99.5, 1.0), quote(NOW, 90.0, 110.0)]
    assert last(events, Feature.EFFECTIVE_SPREAD_1_MINUTE) == pytest.approx(0.55)
    assert last(events, Feature.EFFECTIVE_SPREAD_BASIS_POINTS_1_MINUTE) == pytest.approx(1e4 * 0.55 / 99.5)
    assert last(events, Feature.QUOTED_SPREAD_1_MINUTE) == pytest.approx((1 + 20) / 2)


WINDOWED = (
    Feature.LEVEL_FLOW_1_SECOND,
    Feature.LEVEL_FLOW_10_SECONDS,
    Feature.LEVEL_FLOW_1_MINUTE,
    Feature.FLOW_LEVEL_1_PER_DEPTH_1_MINUTE,
    Feature.CANCEL_RATIO_1_MINUTE,
)


def sized(time: int, bid_sizes: list[float], ask_sizes: list[float]) -> Event:
    """A book with levels a unit apart around 100."""
    empty = [math.nan] * (BOOK_DEPTH - len(bid_sizes))
    bids, asks = [99.0 - level for level in range(len(bid_sizes))], [101.0 + level for level in range(len(ask_sizes))]
    no_asks = [math.nan] * (BOOK_DEPTH - len(ask_sizes))
    return Event(EventKind.BOOK, time, (*bids, *empty, *bid_sizes, *empty, *asks, *no_asks, *ask_sizes, *no_asks))


def test_book_shape() -> None:
    """Bids 8 and 4, asks 2: (12 - 2) / 14; weighted (8 + 2 - 2) / 12; slopes (8 * 100 + 12 * 200) / 50000 and 2 * 100 / 10000."""
    events = [sized(NOW, [8.0, 4.0], [2.0])]
    assert last(events, Feature.IMBALANCE_10_LEVELS) == pytest.approx(10 / 14)
    assert last(events, Feature.IMBALANCE_DEPTH_WEIGHTED) == pytest.approx(8 / 12)
    assert last(events, Feature.BOOK_SLOPE) == pytest.approx((0.064 + 0.02) / 2)
    assert last(events, Feature.BOOK_SLOPE_RELATIVE) == pytest.approx((0.064 / 12 + 0.01) / 2)


def test_flow_by_level_and_cancels() -> None:
    """Level 1 gains 5 bid and level 2 loses 4; of the asks level 1 loses 3, of which 1 was traded."""
    first, second = sized(at(-100), [10.0, 10.0], [10.0, 10.0]), sized(NOW, [15.0, 6.0], [7.0, 10.0])
    events = [trade(at(-100), 100.0), first, trade(NOW, 101.0, 1.0), second]
    assert last(events, Feature.LEVEL_FLOW_1_MINUTE) == 5 - 4 + 3
    assert last(events, Feature.LEVEL_FLOW_1_SECOND) == 5 - 4 + 3
    assert last(events, Feature.LEVEL_FLOW_PER_DEPTH_1_MINUTE) == pytest.approx(4 / 19)
    assert last(events, Feature.FLOW_LEVEL_1_PER_DEPTH_1_MINUTE) == pytest.approx(8 / (19 / 5))
    assert last(events, Feature.FLOW_LEVEL_2_PER_DEPTH_1_MINUTE) == pytest.approx(-4 / (19 / 5))
    assert last(events, Feature.CANCEL_RATIO_1_MINUTE) == pytest.approx(1 - 1 / 7)


def test_books_are_not_compared_across_a_gap() -> None:
    """Nor is what a gap hides counted as cancelled."""
    first = sized(at(-100), [10.0], [10.0])
    lost = sized(NOW, [1.0], [1.0])._replace(flags=GAP)
    mended = sized(NOW, [500.0], [1.0])._replace(flags=SNAPSHOT)
    events = [trade(at(-100), 100.0), first, lost, mended, *[mended._replace(event_time=at(later)) for later in (40, 80)]]
    assert last(events, Feature.LEVEL_FLOW_1_MINUTE) == 0
    assert math.isnan(last(events, Feature.CANCEL_RATIO_1_MINUTE))


@pytest.mark.parametrize(
    "outage",
    [
        [sized(at(-1), [10.0], [10.0])._replace(flags=GAP), sized(NOW, [10.0], [10.0])._replace(flags=SNAPSHOT)],
        [book(at(-1), [], [], int(EventFlag.UNSYNCHRONISED)), sized(NOW, [10.0], [10.0])],
        [book(at(-1), [101.0], [99.0]), sized(NOW, [10.0], [10.0])],
    ],
    ids=["gap", "unsynchronised", "crossed"],
)
def test_flows_warm_up_again_after_a_book_outage(outage: list[Event]) -> None:
    """A window that reaches into the outage would miss what changed in it."""
    before = [trade(at(-200), 100.0), *[sized(at(second), [10.0 + second % 2], [10.0]) for second in range(-200, 0, 10)]]
    after = [sized(at(second), [10.0 + second % 2], [10.0]) for second in range(1, 90)]
    result = run([*before, *outage, *after])
    valid = result.row_valid[-len(after) :]
    since = [int(valid[:, feature].argmax()) + 1 for feature in WINDOWED]
    assert run([*before, *outage[-1:], *after]).row_valid[-len(after) :, list(WINDOWED[:-1])].all()
    assert since == [2, 11, 70, 70, 70]
    assert not [feature for feature, first in zip(WINDOWED, since, strict=True) if valid[: first - 1, feature].any()]


def test_a_level_that_moves_out_of_sight_is_not_cancelled() -> None:
    """Ten bids, then a better one: the tenth is gone from view, not from the market."""
    bids = [99.0 - level for level in range(10)]
    first = book(at(-100), bids, [101.0], size=3.0)
    second = book(NOW, [99.5, *bids[:9]], [101.0], size=3.0)
    assert math.isnan(last([trade(at(-100), 100.0), first, second], Feature.CANCEL_RATIO_1_MINUTE))


def test_intensity_decays_by_event_time() -> None:
    """One trade a second for ten minutes is one a second with either memory; a minute later a part of it is left."""
    steady = [trade(at(step), 100.0) for step in range(600)]
    later = [*steady, quote(at(659), 99.0, 101.0)]
    assert last(steady, Feature.TRADE_INTENSITY_10_SECONDS) == pytest.approx(1, rel=0.06)
    assert last(steady, Feature.TRADE_INTENSITY_60_SECONDS) == pytest.approx(1, rel=0.01)
    assert last(later, Feature.TRADE_INTENSITY_60_SECONDS) == pytest.approx(last(steady, Feature.TRADE_INTENSITY_60_SECONDS) / math.e)
    assert last(later, Feature.TRADE_INTENSITY_RATIO) == pytest.approx(math.exp(-5), rel=0.06)


def test_price_impact_of_a_market_that_moves_a_cent_a_unit() -> None:
    """Each ten seconds one trade of k units moves the price by k cents."""
    sizes = np.random.default_rng(3).integers(1, 9, 400).astype(float)
    sides = np.random.default_rng(4).choice([-1, 1], 400)
    prices = 100 + np.cumsum(sizes * sides) / 100
    events = [trade(at(10 * step), float(prices[step]), float(sizes[step]), int(sides[step])) for step in range(400)]
    assert last(events, Feature.KYLE_LAMBDA) == pytest.approx(0.01, rel=1e-5)
    assert last(events, Feature.KYLE_LAMBDA_RELATIVE) == pytest.approx(1e4 * 0.01 * 5 / 100, rel=0.3)
    assert last(events, Feature.AMIHUD_ILLIQUIDITY) > 0


def test_quality() -> None:
    """Gaps of both kinds are counted for an hour, a halt shows, and a cold start ends after half an hour."""
    gaps = [trade(at(0), 100.0, flags=GAP), book(at(1), [99.0], [101.0], GAP), trade(at(2), 100.0)]
    assert last(gaps, Feature.SEQUENCE_GAPS_1_HOUR) == 2
    assert last([*gaps, trade(at(3599), 100.0)], Feature.SEQUENCE_GAPS_1_HOUR) == 2
    assert last([*gaps, trade(at(3900), 100.0)], Feature.SEQUENCE_GAPS_1_HOUR) == 0
    assert last([*gaps, status(at(3), TradingStatus.HALTED), trade(at(4), 100.0)], Feature.HALTED) == 1
    assert [last([*gaps, trade(at(later), 100.0)], Feature.COLD_START) for later in (1799, 1800)] == [1, 0]
    assert last([*gaps, clock(at(62))], Feature.SECONDS_SINCE_EVENT) == 60
    result = run(gaps)
    others = result.row_valid[-1, : Feature.SECONDS_SINCE_EVENT]
    assert result.row_values[-1, Feature.WARMING_UP_SHARE] == pytest.approx((~others).mean())


@pytest.mark.parametrize("length", [1, 60, 300, 3600])
def test_a_bar_with_trades_holds_trade_prices_only(length: int) -> None:
    """Mid prices make bars until the first trade, and leave the bar that it lies in, wherever they lie in it."""
    mids = [quote(at(0.1), 89.0, 91.0), quote(at(0.3), 109.0, 111.0), quote(at(0.5), 99.0, 101.0)]
    trades = [trade(at(0.4), 100.2), trade(at(0.45), 100.1)]
    after = [quote(at(0.6), 79.0, 81.0), clock(at(7200))]
    bars = run([*mids, *trades, *after]).bars
    found = bars[bars["length_seconds"] == length]
    assert found[["open", "high", "low", "close"]].tolist() == [(100.2, 100.2, 100.1, 100.1)]


def test_a_minute_whose_trades_come_after_seconds_of_mid_prices_holds_trade_prices_only() -> None:
    """Nor do mid prices of seconds after that of a first trade that came out of order."""
    events = [quote(at(1), 89.0, 91.0), quote(at(3), 109.0, 111.0), trade(at(2), 100.0), clock(at(120))]
    bars = run(events).bars
    minute = bars[bars["length_seconds"] == 60]
    assert minute[["open", "high", "low", "close"]].tolist() == [(100.0, 100.0, 100.0, 100.0)]
    assert bars[bars["length_seconds"] == 1]["close"].tolist() == [90.0, 100.0, 110.0]


def test_vendor_bars_and_trades_share_a_bar() -> None:
    """Both count for the price; mid prices before them do not."""
    events = [quote(at(1), 49.0, 51.0), bar(at(60), (100.0, 103.0, 99.0, 101.0), 5.0), trade(at(70), 104.0), clock(at(400))]
    bars = run(events).bars
    five = bars[bars["length_seconds"] == 300]
    assert five[["open", "high", "low", "close"]].tolist() == [(100.0, 104.0, 99.0, 104.0)]


def million_in_a_second() -> list[Event]:
    """A crowded second, thinned to what a test can afford."""
    return [trade(NOW + step * 10_000, 100.0 + step % 7 / 100, 1.0, step % 3 - 1) for step in range(20_000)]


BAD = {
    "one tick in a day": [trade(NOW, 100.0), clock(NOW + 86_400 * SECOND), trade(NOW + 90_000 * SECOND, 100.0)],
    "zero volume": [trade(at(step), 100.0 + step % 3, 0.0) for step in range(0, 8000, 20)],
    "constant prices": [trade(at(step), 100.0, 5.0) for step in range(0, 8000, 20)],
    "constant signed size": [trade(at(step), 100.0 + step / 1000, 0.1, 1) for step in range(0, 8000, 10)],
    "a crowded second": million_in_a_second(),
    "tiny prices": [trade(at(step), 1e-9 * (1 + step % 5 / 1e3), 1e12) for step in range(0, 8000, 20)],
    "huge prices": [trade(at(step), 1e9 * (1 + step % 5 / 1e3), 1e12) for step in range(0, 8000, 20)],
    "one-sided books": [book(at(step), [99.0, 98.0], []) for step in range(0, 8000, 20)] + [trade(at(8000), 100.0)],
    "empty books": [trade(NOW, 100.0)] + [book(at(step), [], []) for step in range(0, 8000, 20)],
    "books of no size": [book(at(step), [99.0], [101.0], size=0.0) for step in range(0, 8000, 20)],
    "locked books of one level": [book(at(step), [100.0], [100.0]) for step in range(0, 50, 2)],
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_has_a_defined_result(name: str) -> None:
    """Every event is accepted, every valid value is finite, and what has no value is not valid."""
    result = run(BAD[name])
    assert not result.verdicts.any()
    assert np.isfinite(result.row_values[result.row_valid]).all()
    assert np.isnan(result.row_values[~result.row_valid]).all()
    assert result.row_valid[:, Feature.WARMING_UP_SHARE].all()


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("zero volume", (Feature.KYLE_LAMBDA, Feature.AMIHUD_ILLIQUIDITY, Feature.EFFECTIVE_SPREAD_1_MINUTE)),
        ("constant prices", (Feature.EFFECTIVE_SPREAD_1_MINUTE, Feature.QUOTED_SPREAD_1_MINUTE)),
        ("constant signed size", (Feature.KYLE_LAMBDA,)),
        ("one-sided books", (Feature.IMBALANCE_10_LEVELS, Feature.IMBALANCE_DEPTH_WEIGHTED, Feature.BOOK_SLOPE)),
        ("empty books", (Feature.IMBALANCE_10_LEVELS, Feature.BOOK_SLOPE, Feature.LEVEL_FLOW_PER_DEPTH_1_MINUTE)),
        ("books of no size", (Feature.IMBALANCE_10_LEVELS, Feature.BOOK_SLOPE_RELATIVE, Feature.CANCEL_RATIO_1_MINUTE)),
        ("locked books of one level", (Feature.BOOK_SLOPE,)),
    ],
)
def test_what_has_no_value_is_missing(name: str, missing: tuple[Feature, ...]) -> None:
    assert not run(BAD[name]).row_valid[-1, list(missing)].any()


def test_constant_prices_have_no_impact() -> None:
    """0, not missing: the price could have moved and did not."""
    alternating = [trade(at(step), 100.0, 1.0 + step % 3, step // 10 % 2 * 2 - 1) for step in range(0, 8000, 10)]
    result = run(alternating)
    assert result.row_values[-1, [Feature.KYLE_LAMBDA, Feature.AMIHUD_ILLIQUIDITY, Feature.AMIHUD_ILLIQUIDITY_RELATIVE]].tolist() == [
        0,
        0,
        0,
    ]
