"""The audit log of trading as the trader's memory: what it did, in batches, and what it held when it last stopped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from jobs.audit.entries import AuditDraft, AuditEntry
from jobs.audit.log import AuditLog
from jobs.trading.gate import Order, RiskState, cancelled, filled, started
from jobs.trading.limits import Denial
from jobs.trading.money import money
from jobs.trading.portfolio import Fill, opened

STARTED: Final = "paper_started"


class Journal:
    """Collects what happened and writes it at once: before it is written, no position in the log of signals is let go."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._drafts: list[AuditDraft] = []

    def note(self, kind: str, why: str, what: dict[str, Any]) -> None:
        """Take one entry."""
        self._drafts.append(AuditDraft(kind, why, what, "paper"))

    def flush(self) -> None:
        """Write what was taken. Raises AuditError; then nothing may go on."""
        self._log.append_all(self._drafts)
        self._drafts.clear()


def restored(entries: Iterable[AuditEntry], paid_in: int) -> RiskState:
    """The state that the journal tells of; `paid_in` counts when it tells of none. Orders that were open are gone with the program."""
    state = started(opened(paid_in))
    for entry in entries:
        state = _after(state, entry)
    return replace(state, open_orders={})


def _after(state: RiskState, entry: AuditEntry) -> RiskState:
    what = entry.what
    if entry.kind == STARTED and not state.portfolio.holdings:
        return started(opened(int(what["paid_in"])))
    if entry.kind == "order_sent":
        return replace(state, open_orders={**state.open_orders, what["order_id"]: Order(**what)})
    if entry.kind == "order_filled":
        return _filled(state, dict(what))
    if entry.kind == "order_cancelled":
        return cancelled(state, what["order_id"])
    if entry.kind == "loss_limit":
        return replace(state, latched=Denial[entry.why.upper()])
    if entry.kind == "loss_limit_lifted":
        return replace(state, latched=None, highest_equity=state.portfolio.cash)
    return state


def _filled(state: RiskState, what: dict[str, Any]) -> RiskState:
    equity = what.pop("equity")
    state = filled(state, Fill(**what))
    return state if equity is None else replace(state, highest_equity=max(state.highest_equity, money(equity)))
