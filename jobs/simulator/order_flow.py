"""Order flow: limit orders, cancellations and market orders that keep a book around a latent efficient price. Compiled.

Arrivals are a Hawkes process with exponential kernel, simulated exactly (Dassios and Zhao, "Exact simulation of Hawkes process with
exponentially decaying intensity", Electron. Commun. Probab. 18, 2013). Randomness comes in as uniforms: a run is a pure function of them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple, TypeAlias, cast

import numba
import numpy as np
import numpy.typing as npt

from jobs.simulator.order_book import ASK, BID, LEVELS, Book, Integers, add, fill_up, remove
from udfs.kernels.compiled import OPTIONS, kernel, source_number
from udfs.kernels.events import BOOK_DEPTH, EventKind

UNIFORMS = 6
"""Uniforms used for one arrival."""
MESSAGES = 2 * LEVELS
"""Most messages that one arrival brings about."""
_TRADE, _QUOTE, _BOOK = int(EventKind.TRADE), int(EventKind.QUOTE), int(EventKind.BOOK)
_LIMIT_SHARE, _CANCEL_SHARE = 0.5, 0.32
_WIDEST = 4.0
"""Ticks from the efficient price beyond which nobody takes a price, and providers better it first."""
_LOT = 10.0

Floats = npt.NDArray[np.float64]


class Messages(NamedTuple):
    """What a stretch of order flow produced, one row a message; payloads in one table a kind."""

    kind: npt.NDArray[np.uint8]
    time: Floats
    """Seconds since the simulation's start."""
    trades: Floats
    """(trades, 3) price in ticks, size, side of the aggressor."""
    quotes: Floats
    """(quotes, 4) bid in ticks, size, ask in ticks, size."""
    books: Floats
    """(books, 4, BOOK_DEPTH) prices in ticks."""
    used: Integers
    """(4,) rows used of kind, trades, quotes, books."""


def room_for(arrivals: int) -> Messages:
    """Empty tables that are large enough for so many arrivals."""
    return Messages(
        np.empty(arrivals * 4 + MESSAGES, np.uint8),
        np.empty(arrivals * 4 + MESSAGES, np.float64),
        np.empty((arrivals * 2 + MESSAGES, 3), np.float64),
        np.empty((arrivals, 4), np.float64),
        np.empty((arrivals, 4, BOOK_DEPTH), np.float64),
        np.zeros(4, np.int64),
    )


@kernel
def _note(out: Messages, kind: int, time: float) -> None:
    out.kind[out.used[0]] = kind
    out.time[out.used[0]] = time
    out.used[0] += 1


@kernel
def note_quote(out: Messages, book: Book, time: float) -> None:
    """Add a QUOTE of the book's best prices."""
    row = out.quotes[out.used[2]]
    for side in range(2):
        row[2 * side] = book.prices[side, 0]
        row[2 * side + 1] = book.sizes[side, 0] * _LOT
    out.used[2] += 1
    _note(out, _QUOTE, time)


@kernel
def note_book(out: Messages, book: Book, time: float) -> None:
    """Add a BOOK of the best levels."""
    table = out.books[out.used[3]]
    for side in range(2):
        for level in range(BOOK_DEPTH):
            there = level < book.counts[side]
            table[2 * side, level] = book.prices[side, level] if there else np.nan
            table[2 * side + 1, level] = book.sizes[side, level] * _LOT if there else np.nan
    out.used[3] += 1
    _note(out, _BOOK, time)


@kernel
def _market_order(out: Messages, book: Book, side: int, size: int, fair: float, time: float) -> None:
    """Trade against `side`: `size` lots, or, with size 0, everything that is priced better than `fair`."""
    sign = 1 if side == 0 else -1
    sweep = size == 0
    while book.counts[side] > 0 and (sign * (book.prices[side, 0] - fair) > 0 if sweep else size > 0):
        filled = book.sizes[side, 0] if sweep else min(size, book.sizes[side, 0])
        row = out.trades[out.used[1]]
        row[0], row[1], row[2] = book.prices[side, 0], filled * _LOT, -sign
        out.used[1] += 1
        _note(out, _TRADE, time)
        remove(book, side, 0, filled)
        size -= filled


@kernel
def _nearest(book: Book, side: int, fair: float) -> int:
    """The best price at which a provider quotes: on its side of the efficient price, not crossing the other side."""
    if side == BID:
        price = int(np.ceil(fair)) - 1
        return min(price, book.prices[ASK, 0] - 1) if book.counts[ASK] > 0 else price
    price = int(np.floor(fair)) + 1
    return max(price, book.prices[BID, 0] + 1) if book.counts[BID] > 0 else price


@kernel
def _limit_order(book: Book, side: int, size: int, fair: float, draw: float) -> None:
    """Most orders stand close to the efficient price, fewer and fewer further away."""
    away = int(-3.5 * np.log(1.0 - draw))
    nearest = _nearest(book, side, fair)
    add(book, side, nearest - away if side == BID else nearest + away, size)


@kernel
def _act(out: Messages, book: Book, fair: float, pressure: float, draw: Floats, time: float) -> None:
    """One arrival: what kind, which side, where, how much."""
    lean = np.tanh(0.8 * pressure)
    size = 1 + int(-4.0 * np.log(1.0 - draw[3]))
    if fair > book.prices[ASK, 0] + 0.5:
        _market_order(out, book, ASK, 0, fair, time)
    elif fair < book.prices[BID, 0] - 0.5:
        _market_order(out, book, BID, 0, fair, time)
    elif book.prices[ASK, 0] - fair > _WIDEST:
        _limit_order(book, ASK, size, fair, draw[2])
    elif fair - book.prices[BID, 0] > _WIDEST:
        _limit_order(book, BID, size, fair, draw[2])
    elif draw[0] < _LIMIT_SHARE:
        _limit_order(book, BID if draw[1] < 0.5 + 0.35 * lean else ASK, size, fair, draw[2])
    elif draw[0] < _LIMIT_SHARE + _CANCEL_SHARE:
        side = ASK if draw[1] < 0.5 + 0.35 * lean else BID
        level = min(int(-3.5 * np.log(1.0 - draw[2])), book.counts[side] - 1)
        remove(book, side, level, min(size, book.sizes[side, level]))
    else:
        side = ASK if draw[1] < 0.5 + 0.25 * lean else BID
        _market_order(out, book, side, size, fair, time)
    for side in range(2):
        fill_up(book, side, _nearest(book, side, fair), size)


@kernel
def _wait(excited: float, decay: float, base: float, first: float, second: float) -> float:
    """Seconds to the next arrival of a Hawkes process with intensity base + excited exp(-decay t)."""
    wait = -np.log(1.0 - second) / base
    if excited > 0.0:
        inner = 1.0 + decay * np.log(1.0 - first) / excited
        if inner > 0.0:
            wait = min(wait, -np.log(inner) / decay)
    return float(wait)


class Span(NamedTuple):
    """The times and rates of one call; seconds since the simulation's start."""

    begin: float
    end: float
    step: float
    """Seconds for which one value of the efficient price and of the pressure holds."""
    base: float
    """Mean rate of arrivals a second."""
    branching: float
    """Share of the arrivals that follow from others."""
    book_interval: float
    halt_from: float
    halt_to: float


CLOCK_FIELDS = 4
"""Time of the next arrival, excitation then, time of the last BOOK, 1 once the book is open."""


@kernel
def _open(out: Messages, book: Book, fair: float) -> None:
    for side in range(2):
        fill_up(book, side, _nearest(book, side, fair), 5)
    note_book(out, book, 0.0)
    note_quote(out, book, 0.0)


@kernel
def _arrive(out: Messages, book: Book, clock: Floats, fair: float, pressure: float, draw: Floats, span: Span) -> None:
    """One arrival, what it changes in public, and the time of the next."""
    time = clock[0]
    before = (book.prices[BID, 0], book.sizes[BID, 0], book.prices[ASK, 0], book.sizes[ASK, 0])
    _act(out, book, fair, pressure, draw, time)
    if before != (book.prices[BID, 0], book.sizes[BID, 0], book.prices[ASK, 0], book.sizes[ASK, 0]):
        note_quote(out, book, time)
    if time - clock[2] >= span.book_interval:
        note_book(out, book, time)
        clock[2] = time
    decay = max(span.base, 1e-3)
    excited = clock[1] + span.branching * decay
    wait = _wait(excited, decay, span.base * (1.0 - span.branching), draw[4], draw[5])
    clock[1] = excited * np.exp(-decay * wait)
    clock[0] = time + wait


@kernel
def _flow(out: Messages, book: Book, clock: Floats, fair: Floats, pressure: Floats, draws: Floats, span: Span) -> bool:
    if clock[3] == 0.0:
        clock[3] = 1.0
        _open(out, book, fair[0])
    for row in range(draws.shape[0]):
        if span.halt_from <= clock[0] < span.halt_to:
            clock[0] = span.halt_to
            clock[1] = 0.0
        if clock[0] >= span.end:
            return True
        if out.used[0] + MESSAGES > out.kind.shape[0] or out.used[1] + LEVELS > out.trades.shape[0]:
            return False
        at = min(int((clock[0] - span.begin) / span.step), fair.shape[0] - 1)
        _arrive(out, book, clock, fair[at], pressure[at], draws[row], span)
    return False


Flow: TypeAlias = Callable[[Messages, Book, Floats, Floats, Floats, Floats, Span], bool]


@cache
def compiled_flow() -> Flow:
    """A function `flow(out, book, clock, fair, pressure, draws, span)`: let orders arrive, and say whether `span.end` was reached.

    When it was not, the draws (n, UNIFORMS) or the room in `out` are used up: call again with more. `clock` (CLOCK_FIELDS,) and `book`
    go on from call to call; `fair` in ticks and `pressure` hold one value for each `span.step` from `span.begin`.
    """
    sources = source_number("jobs.simulator")

    @numba.njit(cache=True, **OPTIONS)
    def flow(out, book, clock, fair, pressure, draws, span):  # type: ignore[no-untyped-def]
        return _flow(out, book, clock, fair, pressure, draws, span) if sources > 0 else False

    return cast(Flow, flow)
