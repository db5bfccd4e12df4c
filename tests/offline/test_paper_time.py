"""What time and the venue do to paper trading: halts, horizons, and a clock for each symbol."""

from __future__ import annotations

from jobs.trading.limits import SECOND
from jobs.trading.loop import MarketRecord
from tests.support.control_memory import halt_entry, resume_entry
from tests.support.paper_market import held, ran, row, said
from udfs.records import SignalStatus


def test_nothing_is_filled_sent_or_left_open_while_the_venue_has_halted_trading() -> None:
    """The row says so before any signal does; what was open is gone when trading opens again."""
    notes: list[tuple[str, str]] = []
    halted = [row(0), said(0.1), row(1, halted=True), said(1.1, 1), row(2, halted=True)]
    assert held(ran([*halted, row(3)], notes)) == 0
    assert [note for note in notes if note[0] != "equity_mark"] == [
        ("order_sent", "signal"), ("order_cancelled", "halted"), ("order_denied", "halted")
    ]  # fmt: skip
    assert held(ran([*halted, row(3), said(3.1), row(4)])) == 100
    assert held(ran([row(0), said(0.1), row(1, symbol="B", halted=True), row(1)])) == 100


def test_a_position_is_closed_at_the_end_of_its_signals_horizon() -> None:
    """Of the newest that wanted it: another of the same direction prolongs it, one that abstains does not."""
    short, notes = {"horizon": 10 * SECOND}, list[tuple[str, str]]()
    opened = [row(0), said(0.1, **short), row(1), row(9)]
    assert held(ran([*opened, row(10.05), row(11)])) == 100
    assert held(ran([*opened, row(10.2), row(11)], notes)) == 0
    assert ("order_sent", "the horizon ends") in notes
    assert held(ran([*opened, said(9.1, **short), row(10.2), row(11)])) == 100
    assert held(ran([*opened, said(9.1, **short), row(10.2), row(11), row(20), row(21)])) == 0
    assert held(ran([*opened, said(9.1, status=SignalStatus.ABSTAINED, **short), row(10.2), row(11)])) == 0


def test_a_position_that_could_not_be_closed_at_its_horizon_is_closed_as_soon_as_it_can_be() -> None:
    opened: list[MarketRecord | bytes] = [row(0), said(0.1, horizon=10 * SECOND), row(1), row(2), halt_entry("A"), row(11), row(12)]
    assert held(ran(opened)) == 100
    assert held(ran([*opened, resume_entry(), row(13), row(14)])) == 0
    assert held(ran([row(0), said(0.1, horizon=10 * SECOND), row(1), row(11, 100.0), row(12, 99.0), row(18, 99.0), row(19, 99.0)])) == 0


def test_each_symbol_has_a_clock_of_its_own() -> None:
    """Its partition may be read behind the others': nothing of it is old or expires by their time, until it fell silent."""
    ahead = row(40, symbol="B")
    assert held(ran([ahead, row(0), said(0.1), ahead, row(1)])) == 100
    notes: list[tuple[str, str]] = []
    assert held(ran([row(0), said(0.1), row(61, symbol="B"), row(1)], notes)) == 0
    assert ("order_cancelled", "nothing comes of the symbol") in notes
    assert ran([row(0), row(60.2, symbol="B"), said(0.1)]).trader.denied == {"stale_price": 1}
    assert ran([row(0), said(10.1)]).trader.denied == {"stale_price": 1}
    assert held(ran([row(0), said(0.1), row(40, symbol="B"), row(6), row(6.1)])) == 0
