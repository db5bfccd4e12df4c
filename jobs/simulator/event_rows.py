"""A symbol's messages as columns, before they become `MarketEvent`s."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from jobs.simulator.order_flow import Floats, Messages
from udfs.kernels.events import EventKind, TradingStatus

_TRADE, _QUOTE, _BOOK, _STATUS = (int(kind) for kind in (EventKind.TRADE, EventKind.QUOTE, EventKind.BOOK, EventKind.STATUS))
TABLES = {_TRADE: "trades", _QUOTE: "quotes", _BOOK: "books", _STATUS: "statuses"}


@dataclass(frozen=True, slots=True)
class EventRows:
    """n messages of one symbol by time. Payloads lie in one table a kind; `row` says where."""

    kind: npt.NDArray[np.uint8]
    time: Floats
    """(n,) seconds since the simulation's start."""
    row: npt.NDArray[np.int64]
    """(n,) row in the kind's table."""
    trades: Floats
    """(trades, 3) price, size, side."""
    quotes: Floats
    """(quotes, 4) bid price, size, ask price, size."""
    books: Floats
    """(books, 4, BOOK_DEPTH)."""
    statuses: Floats
    """(statuses, 1)."""

    @staticmethod
    def of_messages(messages: Messages, ticks_per_unit: int) -> EventRows:
        """Cut to what is used, with prices in units instead of ticks."""
        count, trades, quotes, books = messages.used.tolist()
        rows = EventRows(
            kind=messages.kind[:count],
            time=messages.time[:count],
            row=_numbered(messages.kind[:count]),
            trades=messages.trades[:trades].copy(),
            quotes=messages.quotes[:quotes].copy(),
            books=messages.books[:books].copy(),
            statuses=np.empty((0, 1)),
        )
        rows.trades[:, 0] /= ticks_per_unit
        rows.quotes[:, ::2] /= ticks_per_unit
        rows.books[:, ::2] /= ticks_per_unit
        return rows

    @staticmethod
    def joined(parts: Sequence[EventRows]) -> EventRows:
        """One after the other."""
        if len(parts) == 1:
            return parts[0]
        kind = np.concatenate([part.kind for part in parts])
        return EventRows(
            kind=kind,
            time=np.concatenate([part.time for part in parts]),
            row=_numbered(kind),
            trades=np.concatenate([part.trades for part in parts]),
            quotes=np.concatenate([part.quotes for part in parts]),
            books=np.concatenate([part.books for part in parts]),
            statuses=np.concatenate([part.statuses for part in parts]),
        )

    def before(self, time: float) -> EventRows:
        """Only the messages before that time."""
        count = int(np.searchsorted(self.time, time, side="left"))
        return replace(self, kind=self.kind[:count], time=self.time[:count], row=self.row[:count])

    def with_statuses(self, changes: Sequence[tuple[float, TradingStatus]]) -> EventRows:
        """Add STATUS messages, each before what happened at its time."""
        times = np.array([time for time, _ in changes])
        at = np.searchsorted(self.time, times, side="left")
        kind = np.insert(self.kind, at, _STATUS)
        return replace(
            self,
            kind=kind,
            time=np.insert(self.time, at, times),
            row=_numbered(kind),
            statuses=np.concatenate([self.statuses, np.array([[float(status)] for _, status in changes])]),
        )


def _numbered(kind: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """(n,) how many messages of the same kind came before."""
    out = np.zeros(len(kind), np.int64)
    for one in TABLES:
        places = kind == one
        out[places] = np.arange(np.count_nonzero(places))
    return out
