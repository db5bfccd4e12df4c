"""A full order book and its rebuild from numbered updates and snapshots."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np

from jobs.gateway.market_event import BookLevels
from udfs.kernels.events import BOOK_DEPTH, EventFlag

Level: TypeAlias = tuple[float, float]
"""Price and quantity. Decimal prices of up to 15 digits and doubles map one to one, so equal prices are equal keys."""

MISSING = float("nan")
SNAPSHOT, UNSYNCHRONISED, SEQUENCE_GAP = int(EventFlag.SNAPSHOT), int(EventFlag.UNSYNCHRONISED), int(EventFlag.SEQUENCE_GAP)
MAXIMUM_BUFFERED_UPDATES = 10_000
EMPTY_LEVELS: BookLevels = np.full((4, BOOK_DEPTH), np.nan)
EMPTY_LEVELS.setflags(write=False)


class BookSide:
    """One side of a book: quantities by price, and the prices sorted, best first."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._quantities: dict[float, float] = {}
        self._keys: list[float] = []

    def apply(self, levels: Iterable[Level]) -> None:
        """Set the quantity at each price; 0 removes the level."""
        sign, keys, quantities = self._sign, self._keys, self._quantities
        for price, quantity in levels:
            key = sign * price
            if quantity:
                if key not in quantities:
                    insort(keys, key)
                quantities[key] = quantity
            elif quantities.pop(key, None) is not None:
                del keys[bisect_left(keys, key)]

    def clear(self) -> None:
        """Remove every level."""
        self._quantities.clear()
        self._keys.clear()

    def top(self) -> tuple[list[float], list[float]]:
        """Prices and quantities of the best `BOOK_DEPTH` levels, padded with NaN."""
        sign, quantities = self._sign, self._quantities
        keys = self._keys[:BOOK_DEPTH]
        missing = [MISSING] * (BOOK_DEPTH - len(keys))
        return [sign * key for key in keys] + missing, [quantities[key] for key in keys] + missing

    def __len__(self) -> int:
        return len(self._keys)


class OrderBook:
    """Both sides of a book at full depth."""

    def __init__(self) -> None:
        self.bids = BookSide(-1)
        self.asks = BookSide(1)

    def clear(self) -> None:
        """Remove every level."""
        self.bids.clear()
        self.asks.clear()

    def apply(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Set levels; quantity 0 removes one."""
        self.bids.apply(bids)
        self.asks.apply(asks)

    def levels(self) -> BookLevels:
        """The best levels as (4, BOOK_DEPTH)."""
        return np.array((*self.bids.top(), *self.asks.top()))


class BookUpdate(NamedTuple):
    """A numbered change of a book."""

    first_id: int
    last_id: int
    previous_id: int | None
    """`last_id` of the update before this one where the venue tells it, else None."""
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    def follows(self, last_id: int) -> bool:
        """Whether nothing is missing between an update (or snapshot) that ended at `last_id` and this one."""
        return self.first_id <= last_id + 1 or (self.previous_id is not None and self.previous_id <= last_id)


class BookState(NamedTuple):
    """The book after a message: `sequence` is 0 while it is not synchronised."""

    sequence: int
    flags: int
    levels: BookLevels


class BookRebuilder:
    """Rebuilds one book by the venue's documented procedure: buffer updates, load a snapshot, replay what is newer, then follow the
    numbers.

    An update that skips numbers desynchronises the book (SEQUENCE_GAP) until the next snapshot. An update that the book already contains
    changes nothing and carries its own, old number, which marks it as a duplicate.
    Source: Binance API documentation, "How to manage a local order book correctly" (spot and USD-M futures).
    """

    def __init__(self) -> None:
        self._book = OrderBook()
        self._last_id: int | None = None
        self._buffer: deque[BookUpdate] = deque(maxlen=MAXIMUM_BUFFERED_UPDATES)

    @property
    def synchronised(self) -> bool:
        """Whether the levels may be used."""
        return self._last_id is not None

    def update(self, update: BookUpdate) -> BookState:
        """Take one update."""
        if self._last_id is None:
            self._buffer.append(update)
            return self._unsynchronised(0)
        if update.last_id <= self._last_id:
            return BookState(update.last_id, 0, self._book.levels())
        if not update.follows(self._last_id):
            self._last_id = None
            self._buffer.clear()
            self._buffer.append(update)
            return self._unsynchronised(SEQUENCE_GAP)
        self._apply(update)
        return BookState(update.last_id, 0, self._book.levels())

    def snapshot(self, last_id: int, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> BookState:
        """Take a full snapshot. One that is older than the book changes nothing; one that is too old for the buffer stays unusable."""
        if self._last_id is not None and last_id <= self._last_id:
            return BookState(last_id, 0, self._book.levels())
        self._book.clear()
        self._book.apply(bids, asks)
        self._last_id = last_id
        while self._buffer:
            update = self._buffer[0]
            if update.last_id > self._last_id:
                if not update.follows(self._last_id):
                    self._last_id = None
                    return self._unsynchronised(SNAPSHOT | SEQUENCE_GAP)
                self._apply(update)
            self._buffer.popleft()
        return BookState(self._last_id, SNAPSHOT, self._book.levels())

    def _apply(self, update: BookUpdate) -> None:
        self._book.apply(update.bids, update.asks)
        self._last_id = update.last_id

    def _unsynchronised(self, flags: int) -> BookState:
        return BookState(0, flags | UNSYNCHRONISED, EMPTY_LEVELS)
