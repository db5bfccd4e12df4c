"""When book features may be used, and from when on again."""

from __future__ import annotations

import math

import pytest

from tests.support.kernel_events import MIDNIGHT, SECOND, Event, book, columns_of, quote, status, trade
from udfs.kernels.advance import Advance, KernelSettings, advance
from udfs.kernels.events import EventFlag, TradingStatus
from udfs.kernels.feature_vector import Feature
from udfs.kernels.outputs import RowFlag
from udfs.kernels.symbol_state import new_state

NOW = MIDNIGHT + 3600 * SECOND
EVERY_EVENT = KernelSettings(row_interval_nanoseconds=0)
GAP, SNAPSHOT, UNSYNCHRONISED = int(EventFlag.SEQUENCE_GAP), int(EventFlag.SNAPSHOT), int(EventFlag.UNSYNCHRONISED)
CROSSED = ([101.0], [100.0])
GOOD = ([99.0, 98.0], [101.0, 103.0])


def run(events: list[Event]) -> Advance:
    """One row an accepted event."""
    return advance(new_state(), columns_of(events), EVERY_EVENT)


def last(events: list[Event]) -> tuple[bool, bool, bool]:
    """Of the last row: quarantined, mid price valid, depth imbalance valid."""
    result = run([trade(NOW - SECOND, 100.0), *events])
    valid = result.row_valid[-1]
    quarantined = bool(result.row_flags[-1] & RowFlag.BOOK_QUARANTINED)
    return quarantined, bool(valid[Feature.MID_PRICE]), bool(valid[Feature.IMBALANCE_5_LEVELS])


def at(seconds: float, sides: tuple[list[float], list[float]], flags: int = 0, sequence: int = 0) -> Event:
    """A BOOK some time after NOW."""
    return book(NOW + int(seconds * SECOND), *sides, flags=flags, sequence=sequence)


FINE, NOTHING, LEVEL_1_ONLY, NOT_READY = (False, True, True), (True, False, False), (True, True, False), (False, False, False)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([at(0, GOOD)], FINE),
        ([at(0, GOOD), at(1, CROSSED), trade(NOW + SECOND, 100.0)], NOTHING),
        ([at(0, GOOD), at(1, CROSSED), at(1.5, GOOD)], NOTHING),
        ([at(0, GOOD), at(1, CROSSED), at(1.5, CROSSED), at(2.4, GOOD)], NOTHING),
        ([at(0, GOOD), at(1, CROSSED), at(1.5, CROSSED), at(2.5, GOOD)], FINE),
        ([at(0, GOOD), at(1, CROSSED), at(1.1, GOOD, SNAPSHOT)], FINE),
        ([at(0, GOOD), at(1, GOOD, GAP), at(9, GOOD)], NOTHING),
        ([at(0, GOOD), at(1, GOOD, GAP), at(9, GOOD), at(9, GOOD, SNAPSHOT)], FINE),
        ([at(0, GOOD), at(1, GOOD, GAP), at(2, CROSSED), at(9, GOOD)], NOTHING),
        ([at(0, GOOD), at(1, ([], []), UNSYNCHRONISED)], NOT_READY),
        ([at(0, GOOD), at(1, ([], []), UNSYNCHRONISED), at(2, GOOD)], FINE),
        ([at(0, GOOD), quote(NOW + SECOND, 101.0, 100.0), trade(NOW + SECOND, 100.0)], (True, True, True)),
        ([quote(NOW, 99.0, 101.0), quote(NOW + SECOND, 101.0, 100.0), trade(NOW + SECOND, 100.0)], NOTHING),
        ([quote(NOW, 99.0, 101.0), quote(NOW + SECOND, 101.0, 100.0), quote(NOW + SECOND, 99.0, 101.0)], (False, True, False)),
        ([at(0, GOOD), at(1, CROSSED), quote(NOW + SECOND, 99.0, 101.0)], LEVEL_1_ONLY),
        ([quote(NOW, 99.0, math.nan, 1.0, math.nan)], NOT_READY),
    ],
)
def test_quarantine(events: list[Event], expected: tuple[bool, bool, bool]) -> None:
    """A crossing or a gap takes the book's features away; a snapshot, or a second without crossing after a crossing, gives them back."""
    assert last(events) == expected


def test_an_older_update_does_not_move_the_best_level() -> None:
    """Quotes and books share the venue's numbering; a book that is behind still brings its depth."""
    result = run([quote(NOW, 99.0, 101.0, sequence=50), at(1, ([90.0, 89.0], [110.0, 111.0]), sequence=49)])
    assert result.row_values[-1, Feature.MID_PRICE] == 100.0
    assert result.row_values[-1, Feature.SPREAD] == 2.0
    assert result.row_valid[-1, Feature.IMBALANCE_5_LEVELS]
    newer = run([quote(NOW, 99.0, 101.0, sequence=50), at(1, ([90.0, 89.0], [112.0, 113.0]), sequence=51)])
    assert newer.row_values[-1, Feature.MID_PRICE] == 101.0


def test_without_numbering_an_older_quote_does_not_move_the_best_level() -> None:
    result = run([quote(NOW + SECOND, 99.0, 101.0), quote(NOW, 9.0, 11.0)])
    assert result.row_price.tolist() == [100.0, 100.0]


def test_a_book_that_nothing_renews_goes_stale() -> None:
    result = run([quote(NOW, 99.0, 101.0), trade(NOW + 60 * SECOND, 90.0), trade(NOW + 60 * SECOND + 1, 90.0)])
    assert result.row_valid[:, Feature.MID_PRICE].tolist() == [True, True, False]
    assert [bool(flags & RowFlag.STALE) for flags in result.row_flags] == [False, False, True]
    assert result.row_price.tolist() == [100.0, 100.0, 90.0]


def test_order_flow_does_not_cross_a_quarantine() -> None:
    """The first book after it is compared with nothing, or the jump would count as flow."""
    warm = [quote(NOW - 100 * SECOND, 99.0, 101.0)]
    jump = [quote(NOW, 99.0, 101.0, 5.0, 5.0), quote(NOW, 200.0, 100.0), quote(NOW, 150.0, 151.0, 9.0, 9.0)]
    result = run([*warm, *jump])
    assert result.row_values[-1, Feature.ORDER_FLOW_10_SECONDS] == (5 - 1) - (5 - 1)
    straight = run([*warm, jump[0], jump[2]])
    assert straight.row_values[-1, Feature.ORDER_FLOW_10_SECONDS] == 9 + 5


@pytest.mark.parametrize("halted", [TradingStatus.HALTED, TradingStatus.CLOSED, TradingStatus.DELISTED])
def test_a_halt_shows_in_every_row_until_trading_opens(halted: TradingStatus) -> None:
    events = [trade(NOW, 100.0), status(NOW, halted), trade(NOW, 100.0), status(NOW, TradingStatus.OPEN), trade(NOW, 100.0)]
    assert [bool(flags & RowFlag.TRADING_HALTED) for flags in run(events).row_flags] == [False, True, False]
