"""The audit log of trading as the trader's memory: what it did, in batches, and what it held when it last stopped."""

from __future__ import annotations

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from jobs.audit.entries import AuditDraft, AuditEntry, AuditError
from jobs.audit.log import AuditLog
from jobs.trading.gate import Order, RiskState, cancelled, filled, remembered, started
from jobs.trading.limits import Denial
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


@contextmanager
def held_alone(folder: Path) -> Iterator[None]:
    """Keep every other trader off the journal of a folder until the end. Raises AuditError when one has it, or nothing can be written."""
    path = folder / "paper.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = path.open("ab")
    except OSError as error:
        raise AuditError(f"the lock {path} cannot be written: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AuditError(f"another program trades on paper and holds {path}; stop it first") from None
        yield


def restored(entries: Iterable[AuditEntry], paid_in: int) -> RiskState:
    """The state that the journal tells of; `paid_in` counts when it tells of none. Orders that were open are gone with the program.

    Raises AuditError for an entry that does not follow from those before it: nobody knows what is held then.
    """
    state = started(opened(paid_in))
    for entry in entries:
        try:
            state = after(state, entry)
        except (KeyError, TypeError, ValueError) as error:
            raise AuditError(f"the trading journal does not go on at entry {entry.number} ({entry.kind}): {error!r}") from error
    return replace(state, open_orders={})


def after(state: RiskState, entry: AuditEntry) -> RiskState:
    """The state after an entry. Raises KeyError, TypeError or ValueError for one that does not follow."""
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
        state = replace(state, latched=None)
        equity = what.get("equity")
        return state if equity is None else replace(state, highest_equity=equity, equities=((what["time"], equity),))
    if entry.kind == "equity_mark":
        return remembered(state, **what)
    return state


def _filled(state: RiskState, what: dict[str, Any]) -> RiskState:
    del what["equity"]
    return filled(state, Fill(**what))
