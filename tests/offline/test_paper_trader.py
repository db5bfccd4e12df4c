"""Signals to orders: only what is ok opens, halts stop everything, the journal is the memory."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.audit.entries import AuditDraft, AuditError
from jobs.audit.log import TRADING_LOG, AuditLog
from jobs.trading import drill, program
from jobs.trading.broker import MarketRow
from jobs.trading.engine import PaperTrader, Strategy
from jobs.trading.gate import RiskState
from jobs.trading.journal import STARTED, Journal, held_alone, restored
from jobs.trading.limits import SECOND, Denial, RiskLimits
from jobs.trading.loop import MarketRecord, PaperLoop
from jobs.trading.money import money
from jobs.trading.program import summary
from tests.support.control_memory import halt_entry, reduce_entry, resume_entry
from tests.support.paper_market import MODEL, START, UP, Script, held, ran, row, said
from tests.support.strategies import SIGNALS, feature_rows
from udfs.codecs.rows import encode_feature_row
from udfs.codecs.signals import encode_signal
from udfs.codecs.wire import PINNED, PINNED_IDS, SchemaIds
from udfs.records import Direction, FeatureRow, Signal, SignalCode, SignalStatus


def test_a_signal_becomes_a_position_and_the_next_one_turns_it() -> None:
    down = {"direction": Direction.DOWN}
    assert held(ran([row(0), said(0.1), row(1)])) == 100
    assert held(ran([row(0), said(0.1), row(1), said(1.1, **down), row(2)])) == 0
    assert held(ran([row(0), said(0.1), row(1), said(1.1, **down), row(2), said(2.1, **down), row(3)])) == -100
    assert held(ran([row(0), said(0.1), row(1), said(1.1, direction=Direction.NEUTRAL), row(2)])) == 0
    found = ran([row(0), said(0.1), row(1), said(1.1), row(2), row(3, 101.0)])
    assert held(found) == 100
    assert summary(found)["profit"] == pytest.approx(100 - 1.0 - 100 * (0.01 + 100 * 1e-3 * (100 / 1e5) ** 0.5), abs=0.01)
    assert summary(found)["conserved"]


@pytest.mark.parametrize("status", [SignalStatus.ABSTAINED, SignalStatus.HALTED, SignalStatus.FALLBACK, SignalStatus.REDUCING])
@pytest.mark.parametrize("code", SignalCode)
def test_only_what_is_ok_opens(status: SignalStatus, code: SignalCode) -> None:
    assert held(ran([row(0), said(0.1, status=status, code=code), row(1)])) == 0


@pytest.mark.parametrize("change", [{"status": SignalStatus.REDUCING}, {"status": SignalStatus.HALTED, "code": SignalCode.FLASH_CRASH}])
def test_reducing_and_crashing_close_what_the_signal_is_against(change: dict[str, Any]) -> None:
    opened = [row(0), said(0.1), row(1)]
    assert held(ran([*opened, said(1.1, direction=Direction.DOWN, **change), row(2)])) == 0
    assert held(ran([*opened, said(1.1, **change), row(2)])) == 100


def test_a_halt_cancels_what_is_open_and_lets_nothing_out_until_resumed() -> None:
    notes: list[tuple[str, str]] = []
    opened = [row(0), said(0.1), row(1)]
    close = said(1.1, direction=Direction.DOWN)
    loop = ran([*opened, close, row(1.15), halt_entry("A"), row(2), said(2.1, direction=Direction.DOWN), row(3)], notes)
    assert held(loop) == 100
    assert ("order_cancelled", "halted") in notes
    assert ("order_denied", "halted") in notes
    assert held(ran([*opened, close, halt_entry(), row(2), resume_entry(), said(2.1, direction=Direction.DOWN), row(3)])) == 0
    assert held(ran([*opened, halt_entry("B"), close, row(2)])) == 0
    assert held(ran([reduce_entry(), *opened])) == 0
    assert held(ran([*opened, reduce_entry(), close, row(2)])) == 0
    assert held(ran([row(0), said(0.1), reduce_entry(), row(1)])) == 0


def test_a_loss_stops_opening_until_a_person_resumes_everything() -> None:
    limits = RiskLimits(daily_loss=money(500))
    lost = [row(0), said(0.1), row(1), *[row(2 + step, 94.0) for step in range(4)]]
    again = [said(6, direction=Direction.NEUTRAL, price=94.0), row(7, 94.0), said(8, price=94.0), row(9, 94.0)]
    loop = ran([*lost, *again], limits=limits)
    assert (held(loop), loop.trader.state.latched) == (0, Denial.DAILY_LOSS)
    assert loop.trader.denied == {"daily_loss": 1}
    assert loop.trader.state.latched is ran([*lost, resume_entry("A"), *again], limits=limits).trader.state.latched
    assert held(ran([*lost, resume_entry(), *again], limits=limits)) > 0


@given(st.lists(st.one_of(SIGNALS, feature_rows(), st.binary(max_size=200)), max_size=12), st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_comes_is_taken_or_counted(records: list[Any], data: st.DataObject) -> None:
    """Any signal with any numbers, rows of any width, and bytes that are neither, under any name."""
    steps = []
    for record in records:
        raw = record
        if isinstance(record, Signal):
            raw = encode_signal(record)
        elif isinstance(record, FeatureRow):
            raw = encode_feature_row(record)
        steps.append(MarketRecord(data.draw(st.booleans()), raw))
    loop = ran([row(0), said(0.1), *steps, row(2)])
    assert loop.trader.state.portfolio.imbalance == 0
    assert all(abs(holding.quantity) <= RiskLimits().position for holding in loop.trader.state.portfolio.holdings.values())


def test_the_journal_is_the_memory(tmp_path: Path) -> None:
    """What the trader held, earned and was stopped by is there after a restart; orders that were open are not."""
    log = AuditLog(tmp_path, "trading")
    journal = Journal(log)
    journal.note(STARTED, "test", {"paid_in": Strategy().paid_in})
    trader = PaperTrader(RiskLimits(daily_loss=money(500)), MODEL, Strategy(), journal.note)
    script = Script([row(0), said(0.1), row(1), *[row(2 + step, 94.0) for step in range(3)], said(6, direction=Direction.DOWN, price=94.0)])
    PaperLoop(trader, script, script, PINNED).run(lambda: script.is_over, 0.0, lambda had_record: journal.flush())
    journal.flush()
    found = restored(log.entries(), 1)
    assert trader.state.open_orders
    assert (found.portfolio, found.latched, found.open_orders) == (trader.state.portfolio, Denial.DAILY_LOSS, {})
    assert found.until == trader.state.until == {"A": START + SECOND // 10 + UP.horizon}
    assert log.verify().holds
    assert restored([], 5).portfolio.cash == 5


def memory(state: RiskState) -> tuple[object, ...]:
    """What losses are counted from."""
    return state.latched, state.highest_equity, state.equities


LIFTED = [row(400, 96.0), resume_entry()]


@pytest.mark.parametrize(("ending", "marks"), [([], 5), (LIFTED, 2), ([*LIFTED, row(500, 94.0), row(501, 93.0)], 3)])
def test_what_losses_are_counted_from_is_there_after_a_restart(tmp_path: Path, ending: list[MarketRecord | bytes], marks: int) -> None:
    """Law: the marks of 24 hours, the highest equity and the limit are the same before and after, resumed or not."""
    log = AuditLog(tmp_path, TRADING_LOG)
    journal = Journal(log)
    journal.note(STARTED, "test", {"paid_in": Strategy().paid_in})
    trader = PaperTrader(RiskLimits(daily_loss=money(500)), MODEL, Strategy(), journal.note)
    prices = [100.0, 101.0, 104.0, 104.0, 104.0, 103.0, 102.0, 96.0, 96.0, 96.0]
    script = Script([row(0), said(0.1), *[row(1 + 31 * step, price) for step, price in enumerate(prices)], *ending])
    loop = PaperLoop(trader, script, script, PINNED)
    loop.run(lambda: script.is_over, 0.0, lambda had_record: None)
    loop.follow_control()
    trader.close_down()
    journal.flush()
    before = trader.state
    assert before.latched is (None if ending else Denial.DAILY_LOSS)
    assert before.highest_equity != before.portfolio.cash
    assert len(before.equities) == marks
    assert memory(restored(log.entries(), 1)) == memory(before)


def test_a_resume_lifts_a_loss_limit_whatever_the_registry_calls_control_events() -> None:
    """They are written with the pinned id."""
    trader = PaperTrader(RiskLimits(), MODEL, Strategy(), lambda kind, why, what: None)
    trader.state = replace(trader.state, latched=Denial.DRAWDOWN)
    script = Script([resume_entry()])
    loop = PaperLoop(trader, script, script, SchemaIds({name: 1 + number for name, number in PINNED_IDS.items()}))
    loop.follow_control()
    assert trader.state.latched is None


def test_two_programs_do_not_share_a_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TICKFLOW_AUDIT", str(tmp_path))
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr(program, "_trade", lambda *_: {})
    assert program.main([]) == program.ENDED
    with held_alone(tmp_path):
        assert program.main([]) == program.USAGE
    assert "another program trades on paper" in capsys.readouterr().err
    assert program.main([]) == program.ENDED


@pytest.mark.parametrize(
    ("kind", "why", "what"),
    [
        ("order_filled", "x", {"order_id": "1", "symbol": "A", "quantity": 1, "price": 1, "fee": 0, "time": 1, "equity": None}),
        ("loss_limit", "no such limit", {}),
        ("order_sent", "x", {"order_id": "1"}),
        ("equity_mark", "x", {}),
    ],
)
def test_a_journal_that_does_not_go_on_is_an_error_in_words(tmp_path: Path, kind: str, why: str, what: dict[str, Any]) -> None:
    log = AuditLog(tmp_path, TRADING_LOG)
    log.append(AuditDraft(kind, why, what))
    with pytest.raises(AuditError, match=f"entry 1 \\({kind}\\)"):
        restored(log.entries(), 1)


def test_an_old_signal_opens_nothing_and_still_closes() -> None:
    """Old by the symbol's own time: as when the features were read far ahead of the signals."""
    assert held(ran([row(0), row(10), said(0), row(11)])) == 100
    late = ran([row(0), row(10.1), said(0), row(11)])
    assert (held(late), late.trader.denied) == (0, {"stale_signal": 1})
    assert held(ran([row(0), row(20, symbol="B"), said(5), row(9)], limits=RiskLimits(price_age=60 * SECOND))) == 100
    assert held(ran([row(0), said(0.1), row(1), row(20), said(1.1, direction=Direction.DOWN), row(21)])) == 0


def test_a_price_that_is_no_number_neither_trades_nor_counts() -> None:
    loop = ran([row(0), said(0.1), row(1), row(2, float("nan")), said(2.1, price=float("nan"), direction=Direction.DOWN), row(3)])
    assert held(loop) == 100
    assert loop.trader.state.prices["A"].price > 0


def test_the_drill_holds_and_catches_every_planted_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert drill.main(["--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["held"]
    assert set(found["checks"]) == {
        "nan_price",
        "reset_that_does_nothing",
        "midnight",
        "one_bad_tick",
        "one_bad_high",
        "only_entries_stopped",
    }
    assert all(check["held"] and check["planted_caught"] for check in found["checks"].values())


@pytest.mark.parametrize("name", drill.CHECKS)
def test_the_drill_fails_loudly_on_a_broken_gate(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Each planted failure in the place of the gate, and a check that finds nothing."""
    broken = drill.drill(drill.CHECKS[name].planted)
    assert not broken[name]["held"]
    monkeypatch.setattr(drill, "drill", lambda: {name: broken[name]})
    assert drill.main([]) == 1
    assert "THE DRILL FAILED" in capsys.readouterr().err
    blind = drill.Check(lambda make: None, drill.CHECKS[name].planted)
    monkeypatch.undo()
    assert not drill.drill(checks={name: blind})[name]["planted_caught"]


def test_a_market_row_without_a_book_prices_and_trades_nothing() -> None:
    trader = PaperTrader(RiskLimits(), MODEL, Strategy(), lambda kind, why, what: None)
    trader.on_row(MarketRow("A", START, 100.0, float("nan"), 1.0, 1.0))
    assert trader.on_signal(UP) is None
    trader.on_row(MarketRow("A", START + SECOND, 100.0, float("nan"), 1.0, 1.0))
    assert (trader.counts.orders, trader.counts.fills) == (1, 0)
