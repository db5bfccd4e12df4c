"""Paper trading as its journal tells of it: what is held, what it is worth, how far it fell, and what the risk gate refused.

The journal is the audit log of trading. Each look reads what was added since the one before, so it costs little however long the log is.
"""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jobs.audit.chain import lines_of
from jobs.audit.entries import AuditEntry, read_line
from jobs.serving.api.clock import rfc3339
from jobs.trading.gate import RiskState, started
from jobs.trading.journal import after
from jobs.trading.money import PRICE_SCALE, SIZE_SCALE, amount, units
from jobs.trading.portfolio import Holding, opened

MOST_MARKS, MOST_SHOWN = 500, 50
NOT_BEGUN: Final = ("unknown", "nothing was traded on paper here; `infra/tickflow paper` does")


class PaperAccount:
    """Follows one journal. Threads may share it."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._begin_again()

    def _begin_again(self) -> None:
        self._state: RiskState = started(opened(0))
        self._offset = self._file = 0
        self._marks: deque[tuple[int, float]] = deque(maxlen=MOST_MARKS)
        self._fills: deque[dict[str, Any]] = deque(maxlen=MOST_SHOWN)
        self._denials: deque[dict[str, Any]] = deque(maxlen=MOST_SHOWN)
        self._denied: Counter[str] = Counter()
        self._newest = 0
        self._problem = ""

    def look(self, prices: Mapping[str, float]) -> dict[str, Any]:
        """The account now, what is held at these prices where there is one, else at what it cost."""
        with self._lock:
            self._read()
            return self._as_json(prices)

    def _read(self) -> None:
        try:
            file = self._journal.open("rb")
        except OSError:
            return
        with file:
            found = os.fstat(file.fileno())
            if found.st_ino != self._file or found.st_size < self._offset:
                self._begin_again()
                self._file = found.st_ino
            file.seek(self._offset)
            for line in lines_of(file):
                if self._problem or not line.endswith(b"\n"):
                    return
                self._take(line)
                self._offset += len(line)

    def _take(self, line: bytes) -> None:
        try:
            entry = read_line(line, "")[0]
            self._state = after(self._state, entry)
            self._note(entry)
        except (KeyError, TypeError, ValueError) as error:
            self._problem = f"the journal of trading cannot be read from byte {self._offset} on: {error!r}"

    def _note(self, entry: AuditEntry) -> None:
        what = entry.what
        self._newest = max(self._newest, int(what.get("time") or 0))
        if entry.kind == "equity_mark":
            self._marks.append((what["time"], amount(what["equity"])))
        elif entry.kind == "order_filled":
            self._fills.append({"event_time": rfc3339(what["time"]), "symbol": what["symbol"], **_traded(what)})
        elif entry.kind == "order_denied":
            self._denied[entry.why] += 1
            self._denials.append({"time": rfc3339(entry.time), "symbol": what["symbol"], "why": entry.why.replace("_", " ")})

    def _as_json(self, prices: Mapping[str, float]) -> dict[str, Any]:
        portfolio = self._state.portfolio
        worth = {symbol: _worth(portfolio.holdings[symbol], prices.get(symbol)) for symbol in sorted(portfolio.held)}
        equity = portfolio.cash + sum(worth.values())
        status, why = ("fallback", self._problem) if self._problem else ("live", "") if self._file else NOT_BEGUN
        return {
            "status": status,
            "why": why,
            "event_time": rfc3339(self._newest) if self._newest else None,
            "paid_in": amount(portfolio.paid_in),
            "cash": amount(portfolio.cash),
            "realised": amount(portfolio.realised),
            "fees": amount(portfolio.fees),
            "equity": amount(equity),
            "profit": amount(equity - portfolio.paid_in),
            "drawdown": amount(max(0, self._state.highest_equity - equity)),
            "loss_limit": self._state.latched.name.lower() if self._state.latched else "",
            "positions": [_position(symbol, portfolio.holdings[symbol], worth[symbol]) for symbol in worth],
            "marks": [{"event_time": rfc3339(time), "equity": equity} for time, equity in self._marks],
            "fills": list(reversed(self._fills)),
            "denials": list(reversed(self._denials)),
            "denied": dict(sorted(self._denied.items())),
        }


def _traded(what: Mapping[str, Any]) -> dict[str, float]:
    return {"quantity": what["quantity"] / SIZE_SCALE, "price": what["price"] / PRICE_SCALE, "fee": amount(what["fee"])}


def _worth(holding: Holding, price: float | None) -> int:
    """In units of money."""
    whole = None if price is None else units(price)
    return holding.cost if whole is None else holding.quantity * whole


def _position(symbol: str, holding: Holding, worth: int) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "quantity": holding.quantity / SIZE_SCALE,
        "cost": amount(holding.cost),
        "worth": amount(worth),
        "unrealised": amount(worth - holding.cost),
        "realised": amount(holding.realised),
        "fees": amount(holding.fees),
    }
