"""A small limit order book in whole ticks and whole lots: price levels with their sizes, best first. Compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.kernels.compiled import kernel

LEVELS = 24
"""Price levels a side can have; the worst is dropped when a better one needs its place."""
FEWEST_LEVELS = 12
BID, ASK = 0, 1

Integers = npt.NDArray[np.int64]


class Book(NamedTuple):
    """Row 0 holds bids, row 1 asks."""

    prices: Integers
    """(2, LEVELS) in ticks."""
    sizes: Integers
    """(2, LEVELS) in lots."""
    counts: Integers
    """(2,) levels in use."""


def empty_book() -> Book:
    """A book without orders."""
    return Book(np.zeros((2, LEVELS), np.int64), np.zeros((2, LEVELS), np.int64), np.zeros(2, np.int64))


@kernel
def add(book: Book, side: int, price: int, size: int) -> None:
    """Put an order into its level; ignored when it is worse than a full side's worst. It must not cross the other side."""
    sign = 1 if side == 0 else -1
    count = book.counts[side]
    level = 0
    while level < count and sign * (book.prices[side, level] - price) > 0:
        level += 1
    if level < count and book.prices[side, level] == price:
        book.sizes[side, level] += size
    elif level < LEVELS:
        for moved in range(min(count, LEVELS - 1), level, -1):
            book.prices[side, moved] = book.prices[side, moved - 1]
            book.sizes[side, moved] = book.sizes[side, moved - 1]
        book.prices[side, level] = price
        book.sizes[side, level] = size
        book.counts[side] = min(count + 1, LEVELS)


@kernel
def remove(book: Book, side: int, level: int, size: int) -> None:
    """Take size from a level; an empty level disappears."""
    book.sizes[side, level] -= size
    if book.sizes[side, level] > 0:
        return
    book.counts[side] -= 1
    for moved in range(level, book.counts[side]):
        book.prices[side, moved] = book.prices[side, moved + 1]
        book.sizes[side, moved] = book.sizes[side, moved + 1]


@kernel
def fill_up(book: Book, side: int, nearest: int, size: int) -> None:
    """Liquidity providers see to it that a side has at least FEWEST_LEVELS levels; `nearest` is the best price they would give."""
    sign = 1 if side == 0 else -1
    while book.counts[side] < FEWEST_LEVELS:
        price = nearest if book.counts[side] == 0 else book.prices[side, book.counts[side] - 1] - sign
        add(book, side, price, size + book.counts[side])
