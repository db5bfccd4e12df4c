"""Compares a rebuilt book with the venue's own best bid and ask, update by update, in bounded memory."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from jobs.gateway.market_event import MarketEvent, numbers_of
from jobs.gateway.order_book import BookRebuilder, BookState, BookUpdate, Level
from jobs.gateway.readers.times import iso_time
from udfs.kernels.events import EventFlag, EventKind

KEPT_QUOTES = 20_000
TRIMMED_QUOTES = KEPT_QUOTES // 2
Top = tuple[float, ...]
"""Best bid price and size, best ask price and size."""


def top_of(event: MarketEvent) -> Top:
    """The best bid and ask that a BOOK event carries."""
    return tuple(float(number) for number in np.asarray(event.payload)[:, 0])


@dataclass
class BookCheck:
    """One symbol: every book update after the snapshot against the last quote whose update id is not larger.

    The quote may stand in the log before or after the update. Updates that the book already contained are not compared.
    """

    compared: int = 0
    equal: int = 0
    without_quote: int = 0
    """Updates for which no quote with an id that is not larger is known."""
    first_difference: dict[str, object] | None = None
    crossed: int = 0
    """Updates after which the best bid is not below the best ask."""
    first_crossed: int = 0
    """Available time of the first of them."""
    has_books: bool = False
    _last_id: int = 0
    _ids: list[int] = field(default_factory=list)
    _quotes: list[Top] = field(default_factory=list)
    _waiting: deque[MarketEvent] = field(default_factory=deque)

    def add(self, event: MarketEvent) -> None:
        """Take the next event of the symbol, of any kind."""
        if event.kind == EventKind.QUOTE:
            self._add_quote(event)
        elif event.kind == EventKind.BOOK:
            self.has_books = True
            if not event.flags & EventFlag.UNSYNCHRONISED and event.sequence > self._last_id:
                self._last_id = event.sequence
                if not event.flags & EventFlag.SNAPSHOT:
                    self._add_update(event)

    def as_json(self) -> dict[str, object]:
        """The counts."""
        return {
            "compared": self.compared,
            "equal": self.equal,
            "without_quote": self.without_quote,
            "crossed": self.crossed,
            "first_crossed": iso_time(self.first_crossed) if self.crossed else None,
            "first_difference": self.first_difference,
        }

    def finish(self) -> BookCheck:
        """Compare what still waited for a later quote."""
        while self._waiting:
            self._compare(self._waiting.popleft())
        return self

    def _add_quote(self, event: MarketEvent) -> None:
        if self._ids and event.sequence <= self._ids[-1]:
            return
        while self._waiting and self._waiting[0].sequence < event.sequence:
            self._compare(self._waiting.popleft())
        self._ids.append(event.sequence)
        self._quotes.append(numbers_of(event))
        if len(self._ids) > KEPT_QUOTES:
            del self._ids[:TRIMMED_QUOTES], self._quotes[:TRIMMED_QUOTES]

    def _add_update(self, event: MarketEvent) -> None:
        bid, _, ask, _ = top_of(event)
        if bid >= ask:
            self.crossed += 1
            self.first_crossed = self.first_crossed or event.available_time
        if self._ids and self._ids[-1] > event.sequence:
            self._compare(event)
            return
        self._waiting.append(event)
        if len(self._waiting) > KEPT_QUOTES:
            self._compare(self._waiting.popleft())

    def _compare(self, event: MarketEvent) -> None:
        index = bisect_right(self._ids, event.sequence) - 1
        if index < 0:
            self.without_quote += 1
            return
        self.compared += 1
        book, quote = top_of(event), self._quotes[index]
        if book == quote:
            self.equal += 1
        elif self.first_difference is None:
            found = {"update_id": event.sequence, "available_time": event.available_time, "book": book, "quote": quote}
            self.first_difference = {**found, "quote_update_id": self._ids[index]}


class UnbufferedRebuilder(BookRebuilder):
    """The mistaken rebuild, to tell its effect: updates received before the snapshot are forgotten, and the numbers are not checked
    against the snapshot's. Where an update straddles the snapshot, the book goes wrong although the updates are contiguous."""

    def snapshot(self, last_id: int, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> BookState:
        """Take a full snapshot."""
        self._buffer.clear()
        return super().snapshot(last_id, bids, asks)

    def update(self, update: BookUpdate) -> BookState:
        """Take one update."""
        return super().update(update if self._last_id is None else update._replace(first_id=min(update.first_id, self._last_id + 1)))
