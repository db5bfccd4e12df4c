"""What the firewall does not believe in the light of what came before, and when it believes it after all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.kernel_events import MIDNIGHT, SECOND, Event, book, clock, columns_of, quote, status, trade
from udfs.errors import Reason
from udfs.kernels.advance import Advance, KernelSettings, advance
from udfs.kernels.events import EventFlag, TradingStatus
from udfs.kernels.feature_vector import Feature
from udfs.kernels.outputs import RowFlag
from udfs.kernels.symbol_state import new_state

NOW = MIDNIGHT + 12 * 3600 * SECOND
EVERY_EVENT = KernelSettings(row_interval_nanoseconds=0)
OK, JUMP, FROZEN = Reason.ACCEPTED, Reason.PRICE_JUMP, Reason.FROZEN_QUOTE
LOCKED, SKEW = Reason.LOCKED_BOOK, Reason.CLOCK_SKEW


def quiet(best: bool = True, tick: float = 0.0) -> list[Event]:
    """A minute of trades that alternate by a tick, and of quotes or books around them."""
    times = [NOW - step * SECOND for step in range(60, 0, -2)]
    trades = [trade(time, 100.0 + tick * (number % 2)) for number, time in enumerate(times)]
    return [event for one in trades for event in ((one, quote(one.event_time, 99.9, 100.1)) if best else (one,))]


def after_quiet(events: list[Event], before: list[Event] | None = None) -> tuple[list[Reason], Advance]:
    """Reasons of the events that follow a quiet minute, and the result of both."""
    first = quiet() if before is None else before
    result = advance(new_state(), columns_of([*first, *events]), EVERY_EVENT)
    assert (result.verdicts[: len(first)] == 0).all()
    return [Reason(int(verdict)) for verdict in result.verdicts[len(first) :]], result


def trades(*prices: float) -> list[Event]:
    """A trade a tenth of a second each."""
    return [trade(NOW + number * SECOND // 10, price) for number, price in enumerate(prices)]


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ((110.0, 100.0, 100.01), (JUMP, OK, OK)),
        ((110.0, 110.1, 109.9, 110.0), (JUMP, JUMP, OK, OK)),
        ((110.0, 120.0, 110.0, 120.0), (JUMP, JUMP, JUMP, JUMP)),
        ((110.0, 120.0, 120.5, 120.2), (JUMP, JUMP, JUMP, OK)),
        ((110.0, 110.0, 100.0, 110.0, 110.0, 110.0), (JUMP, JUMP, OK, JUMP, JUMP, OK)),
        ((110.0, 110.0, 110.0, 100.0, 110.0), (JUMP, JUMP, OK, OK, JUMP)),
        ((0.01, 0.01, 0.01), (JUMP, JUMP, OK)),
        ((1e9, 1e9, 1e9), (JUMP, JUMP, OK)),
    ],
)
def test_the_third_trade_that_agrees_is_believed(prices: tuple[float, ...], expected: tuple[Reason, ...]) -> None:
    assert tuple(after_quiet(trades(*prices))[0]) == expected


def test_a_jump_changes_no_price_and_no_bar() -> None:
    _, result = after_quiet([trade(NOW, 110.0), clock(NOW + 60 * SECOND)])
    assert result.bars["high"].max() == 100.0
    assert (result.row_values[:, Feature.LAST_PRICE] == 100.0).all()


def test_how_far_depends_on_how_much_the_price_moves() -> None:
    """Prints that alternate by 1 % have a sigma of 0.6 %, and a distance of 5 % is no jump; prints that stand still have the floor."""
    lively = quiet(best=False, tick=1.0)
    assert after_quiet(trades(105.0), lively)[0] == [OK]
    assert after_quiet(trades(115.0), lively)[0] == [JUMP]
    assert after_quiet(trades(105.0), quiet(best=False))[0] == [JUMP]


def test_one_wild_print_does_not_open_the_gate() -> None:
    """The scale is a quantile: what was once believed by confirmation raises it by 4.5 % only."""
    wild = [110.0, 110.0, 110.0, *[110.0] * 5, 121.0]
    assert after_quiet(trades(*wild))[0][-1] == JUMP


@pytest.mark.parametrize(
    ("between", "expected"),
    [
        ([quote(NOW, 109.9, 110.1), quote(NOW, 109.9, 110.2), quote(NOW, 109.9, 110.1)], OK),
        ([quote(NOW, 109.9, 110.1), quote(NOW, 109.9, 110.2)], JUMP),
        ([quote(NOW, 90.0, 130.0)], JUMP),
        ([status(NOW, TradingStatus.HALTED), status(NOW, TradingStatus.OPEN)], OK),
        ([status(NOW, TradingStatus.OPEN)], OK),
        ([book(NOW, [109.9], [110.1], int(EventFlag.SNAPSHOT))], OK),
        ([book(NOW, [99.9, 99.0], [100.1, 110.0])], OK),
        ([book(NOW, [99.9, 99.0], [100.1, 109.9])], JUMP),
        ([book(NOW, [99.9, 99.0], [100.1, 112.0]), book(NOW, [99.9], [112.0], int(EventFlag.SEQUENCE_GAP))], JUMP),
        ([clock(NOW)], JUMP),
    ],
    ids=[
        "three quotes there",
        "two quotes there",
        "a wide quote",
        "halt and re-opening",
        "first status",
        "snapshot there",
        "levels there",
        "no levels there",
        "levels and a gap",
        "clock",
    ],
)
def test_what_else_releases_a_trade(between: list[Event], expected: Reason) -> None:
    """A book that is there already, and a re-opening; a wide or doubtful quote does not."""
    assert after_quiet([*between, trade(NOW + SECOND, 110.0)])[0][-1] == expected


def test_ten_minutes_without_a_trade_are_a_re_opening() -> None:
    assert after_quiet([trade(NOW + 598 * SECOND, 150.0)])[0] == [JUMP]
    assert after_quiet([trade(NOW + 599 * SECOND, 150.0)])[0] == [OK]


def test_a_quote_that_jumps_takes_the_best_level_away_until_one_is_believed() -> None:
    reasons, result = after_quiet([quote(NOW, 110.0, 110.2), trade(NOW, 100.0), quote(NOW, 99.9, 100.1)])
    assert reasons == [JUMP, OK, OK]
    assert result.row_valid[-2:, Feature.MID_PRICE].tolist() == [False, True]
    assert [bool(flags & RowFlag.BOOK_QUARANTINED) for flags in result.row_flags[-2:]] == [True, False]


def test_a_true_change_of_the_book_costs_two_books() -> None:
    books = [book(NOW + step * SECOND // 2, [109.9], [110.1]) for step in range(4)]
    before = [book(event.event_time, [99.9], [100.1]) for event in quiet(best=False)]
    reasons, result = after_quiet(books, before)
    assert reasons == [JUMP, JUMP, OK, OK]
    assert result.row_valid[-2:, Feature.MID_PRICE].all()
    assert result.row_valid[-2:, Feature.IMBALANCE_10_LEVELS].all()


BESIDE = [trade(NOW + (6 + step) * SECOND, 100.9) for step in range(3)]
SAME, OTHER = quote(NOW + 9 * SECOND, 99.9, 100.1), quote(NOW + 9 * SECOND, 100.8, 101.0)
STILL = [trade(event.event_time, 100.0 + 0.5 * (number % 2)) for number, event in enumerate(quiet(best=False))]
STILL.append(quote(NOW, 99.9, 100.1))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([*BESIDE, SAME], FROZEN),
        ([*BESIDE, SAME, SAME], FROZEN),
        ([*BESIDE[:2], SAME], OK),
        ([*BESIDE[:2], trade(NOW + 8 * SECOND, 100.2), BESIDE[2], SAME], OK),
        ([BESIDE[0], quote(NOW + 6 * SECOND, 99.9, 100.1, 2.0), *BESIDE[1:], SAME], OK),
        ([trade(NOW + step * SECOND, 100.9) for step in (1, 2, 4)] + [SAME], OK),
        ([*BESIDE, OTHER], OK),
        ([*BESIDE, SAME, OTHER, SAME], OK),
        ([*BESIDE, book(NOW + 9 * SECOND, [99.9], [100.1])], FROZEN),
        ([*BESIDE, book(NOW + 9 * SECOND, [99.8], [100.1])], OK),
    ],
    ids=["three", "again", "two", "one inside", "size changed", "too soon", "another", "released", "as a book", "another book"],
)
def test_a_frozen_best_level(events: list[Event], expected: Reason) -> None:
    """Five seconds unchanged and three trades in a row beyond it; the first that differs releases it."""
    assert after_quiet(events, STILL)[0][-1] == expected


def test_a_frozen_best_level_is_used_for_nothing() -> None:
    """From the trade that shows it until another best level is told."""
    _, result = after_quiet([*BESIDE, SAME, trade(NOW + 9 * SECOND, 100.9), OTHER], STILL)
    assert result.row_valid[-5:, Feature.MID_PRICE].tolist() == [True, True, False, False, True]
    assert [bool(flags & RowFlag.BOOK_QUARANTINED) for flags in result.row_flags[-5:]] == [False, False, True, True, False]


def lock(seconds: float) -> Event:
    """A locked quote."""
    return quote(NOW + int(seconds * SECOND), 100.0, 100.0, 1 + seconds)


def test_a_locked_best_level_is_used_for_a_minute() -> None:
    reasons, result = after_quiet([lock(1), lock(30), lock(60.9), lock(61), lock(70), quote(NOW + 71 * SECOND, 99.9, 100.1), lock(72)])
    assert reasons == [OK, OK, OK, LOCKED, LOCKED, OK, OK]
    assert result.row_values[-5:, Feature.SPREAD].tolist() == pytest.approx([0, 0, 0, 0.2, 0], abs=1e-5)


def test_a_locked_book_is_quarantined_like_a_crossed_one() -> None:
    books = [book(NOW + seconds * SECOND, [100.0], [100.0 + (seconds > 61)]) for seconds in (0, 60, 62)]
    reasons, result = after_quiet([*books[:2], trade(NOW + 60 * SECOND, 100.0), books[2]])
    assert reasons == [OK, LOCKED, OK, OK]
    assert result.row_valid[-3:, Feature.MID_PRICE].tolist() == [True, False, True]


def ahead(seconds: float, time: float) -> Event:
    """A trade whose time is ahead of its arrival."""
    return trade(NOW + int((time + seconds) * SECOND), 100.0)._replace(delay=-int(seconds * SECOND))


def test_one_event_from_the_future_does_not_make_the_next_ones_late() -> None:
    reasons, _ = after_quiet([ahead(50, 0), ahead(0, 0.1), ahead(0, 0.2), ahead(2, 0.3), ahead(0, 0.4)])
    assert reasons == [SKEW, OK, OK, OK, OK]


def test_a_feed_whose_clock_is_ahead_is_believed_from_the_eighth_event_on() -> None:
    reasons, _ = after_quiet([ahead(5 + step % 2, step / 10) for step in range(12)])
    assert reasons == [SKEW] * 7 + [OK] * 5
    reasons, _ = after_quiet([ahead(5 if step % 2 else 30, step / 10) for step in range(40)])
    assert reasons == [SKEW] * 40


def test_clocks_from_the_future_make_nothing_of_the_future_believable() -> None:
    """The gateway's clock tells nothing of the feed's: however often it is ahead, the feed's events are doubted as before."""
    clocks = [clock(ahead(5, step / 10).event_time)._replace(delay=-5 * SECOND) for step in range(12)]
    reasons, _ = after_quiet([*clocks, ahead(5, 2)])
    assert reasons == [SKEW] * 13


def test_how_far_a_feed_is_ahead_is_forgotten() -> None:
    """A 64th with each event that is not: after 100 of them 5 s are too far again, after 10 they are not."""
    learned = [ahead(5, step / 10) for step in range(8)]
    for events, expected in ((10, OK), (100, SKEW)):
        on_time = [ahead(0, 6 + step / 100) for step in range(events)]
        assert after_quiet([*learned, *on_time, ahead(5, 7)])[0][-1] == expected


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.001, 1e6), st.integers(0, 20)), max_size=40),
    st.floats(0.01, 1e4),
    st.lists(st.integers(0, 20), min_size=6, max_size=6),
)
def test_no_price_is_refused_for_ever(past: list[tuple[float, int]], price: float, steps: list[int]) -> None:
    """Whatever came before, the third trade at one price is believed, and so are all after it."""
    events, time = [], NOW
    for one, step in [*past, *((price, step) for step in steps)]:
        time += step * SECOND
        events.append(trade(time, one))
    reasons, _ = after_quiet(events)
    assert reasons[-4:] == [OK] * 4
