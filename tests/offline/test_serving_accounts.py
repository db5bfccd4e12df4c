"""What the API tells of paper trading and of stored models: from a real journal and a real store."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from jobs.audit.log import TRADING_LOG, AuditLog
from jobs.model_aliases import aliases_of
from jobs.model_store import FolderStore
from jobs.serving.api.model_paths import ModelCards, _cards
from jobs.serving.api.paper_account import PaperAccount
from jobs.serving.api.paper_paths import PaperAnswer
from jobs.trading.gate import Order
from jobs.trading.journal import STARTED, Journal
from jobs.trading.money import money, units
from jobs.trading.portfolio import Fill
from tests.support.online_records import SECOND, START

PAID_IN = money(1000.0)


def trade(journal: Journal, number: int, symbol: str, quantity: float, price: float, fee: float = 0.0) -> None:
    """An order that is filled at once."""
    size, time = units(abs(quantity)) or 0, START + number * SECOND
    order = Order(f"o-{number}", symbol, size if quantity > 0 else -size, units(price) or 0, time)
    found = Fill(order.order_id, symbol, order.quantity, order.limit_price, money(fee), time)
    journal.note("order_sent", "a signal", asdict(order))
    journal.note("order_filled", "the market", {**asdict(found), "equity": None})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    found = Journal(AuditLog(tmp_path, TRADING_LOG))
    found.note(STARTED, "the program starts", {"paid_in": PAID_IN, "limits": {}})
    return found


def account(tmp_path: Path) -> PaperAccount:
    return PaperAccount(AuditLog(tmp_path, TRADING_LOG).path)


def look(found: PaperAccount, **prices: float) -> dict[str, Any]:
    """As the document says that it is."""
    return PaperAnswer.model_validate(found.look(prices)).model_dump()


def test_an_account_follows_its_journal(tmp_path: Path, journal: Journal) -> None:
    """Bought 10 at 20 and 5 sold at 24: half of the cost is left, and the rest is worth what the market says."""
    found = account(tmp_path)
    assert look(found)["status"] == "unknown"
    trade(journal, 1, "A", 10, 20.0, 1.0)
    journal.flush()
    first = look(found, A=21.0)
    assert (first["status"], first["cash"], first["equity"], first["profit"]) == ("live", 799.0, 1009.0, 9.0)
    trade(journal, 2, "A", -5, 24.0, 1.0)
    journal.note("order_denied", "too_large", {"symbol": "A"})
    journal.note("order_denied", "halted", {"symbol": "B"})
    journal.note("equity_mark", "a minute", {"time": START, "equity": money(1050.0), "highest_equity": money(1050.0)})
    journal.flush()
    second = look(found, A=22.0)
    (held,) = second["positions"]
    assert (held["symbol"], held["quantity"], held["cost"], held["worth"], held["unrealised"]) == ("A", 5.0, 100.0, 110.0, 10.0)
    assert (second["realised"], second["fees"], second["equity"], second["drawdown"]) == (20.0, 2.0, 1028.0, 22.0)
    assert [each["why"] for each in second["denials"]] == ["halted", "too large"]
    assert second["denied"] == {"halted": 1, "too_large": 1}
    assert [each["quantity"] for each in second["fills"]] == [-5.0, 10.0]
    assert second["marks"][0]["equity"] == 1050.0
    assert look(account(tmp_path), A=22.0) == second, "read at once or piece by piece"


def test_without_a_price_a_position_is_worth_what_it_cost(tmp_path: Path, journal: Journal) -> None:
    trade(journal, 1, "A", -10, 20.0)
    journal.flush()
    assert look(account(tmp_path), A=float("nan"))["equity"] == 1000.0


def test_a_torn_line_waits_and_another_journal_begins_anew(tmp_path: Path, journal: Journal) -> None:
    journal.flush()
    found, path = account(tmp_path), AuditLog(tmp_path, TRADING_LOG).path
    whole = path.read_bytes()
    path.write_bytes(whole + b"0" * 40)
    assert look(found)["paid_in"] == 1000.0
    for name in (TRADING_LOG + ".log", TRADING_LOG + ".head"):
        (tmp_path / name).unlink()
    other = Journal(AuditLog(tmp_path, TRADING_LOG))
    other.note(STARTED, "the program starts", {"paid_in": money(5.0), "limits": {}})
    other.flush()
    assert look(found)["paid_in"] == 5.0


def test_a_journal_that_makes_no_sense_is_said_and_the_last_good_state_stays(tmp_path: Path, journal: Journal) -> None:
    journal.note("order_filled", "the market", {"symbol": "A"})
    trade(journal, 1, "A", 10, 20.0)
    journal.flush()
    found = look(account(tmp_path))
    assert (found["status"], found["positions"], found["paid_in"]) == ("fallback", [], 1000.0)
    assert "cannot be read" in found["why"]


def card(**changes: Any) -> dict[str, Any]:
    metrics = {"calibration_error": 0.02, "coverage_90": 0.9, "log_loss": 1.0, "prior_log_loss": 1.1}
    return {
        "sha256": "aa",
        "gate": {"objections": ["not sure enough"]},
        "calibration": {"method": "curve"},
        "metrics": metrics,
        "reliability": [{"claimed": 0.4, "happened": 0.5, "rows": 10, "more": 1}],
        "importance": {"a": 0.25, "b": 0.75},
    } | changes


def test_cards_of_the_newest_models_and_of_those_with_names(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "models")
    for number in range(14):
        store.put(f"v{number:02}", b"model %d" % number, card() if number != 13 else {"words": "a model of news"})
    aliases_of(store).give("champion", "v01", "aa", START, "ann", "the first")
    found = ModelCards.model_validate({"status": "live", "why": "", "cards": _cards(store)}).cards
    assert [each.model_version for each in found] == [*(f"v{number:02}" for number in range(12, 3, -1)), "v01"]
    assert found[-1].aliases == ["champion"]
    assert list(found[0].importance.items()) == [("b", 0.75), ("a", 0.25)]
    assert found[0].objections == ["not sure enough"]
