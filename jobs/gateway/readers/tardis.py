"""Tardis CSV files: trades, quotes, book_snapshot_5/25 and incremental_book_L2 of many venues.

Times are microseconds since the epoch: `timestamp` is the venue's (event time), `local_timestamp` the collector's (available time).
`side` of a trade is the aggressor. Symbols are unique across venues: `BTCUSDT.BINANCE-FUTURES`. There are no increasing numbers.
Incremental rows with one `local_timestamp` are one change of the book: each of them becomes a BOOK event that carries the book after all.
A run of rows with `is_snapshot` true replaces the book. Sides of the book: `bid`, `ask`; amount 0 deletes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np

from jobs.gateway.market_event import Item, MarketEvent, RejectedLine
from jobs.gateway.order_book import EMPTY_LEVELS, OrderBook
from jobs.gateway.readers.headed import aggressor, column_names, index_of, number_or_missing
from jobs.gateway.readers.lines import BREAK_OFF_ERRORS, PARSE_ERRORS, Parse, iterate_lines, open_bytes, read_file
from jobs.gateway.readers.source import FileHead, SourceFile
from udfs.kernels.events import BOOK_DEPTH, EventFlag, EventKind

NANOSECONDS_PER_MICROSECOND = 1_000
MAXIMUM_GROUP_ROWS = 100_000
Names: TypeAlias = tuple[str, ...]


class Stamps:
    """Symbol and times of a row: the first four columns of every file."""

    def __init__(self) -> None:
        self._names: dict[tuple[bytes, bytes], str] = {}

    def __call__(self, cells: list[bytes]) -> tuple[str, int, int]:
        """Symbol, event time, available time. A row without a venue time has the local one."""
        key = (cells[0], cells[1])
        symbol = self._names.get(key) or self._names.setdefault(key, f"{cells[1].decode()}.{cells[0].decode()}".upper())
        local = int(cells[3]) * NANOSECONDS_PER_MICROSECOND
        return symbol, int(cells[2]) * NANOSECONDS_PER_MICROSECOND if cells[2] else local, local


def trade_parser(names: Names) -> Parse:
    """Parser of `trades`."""
    side, price, amount, stamps = index_of(names, "side"), index_of(names, "price"), index_of(names, "amount"), Stamps()

    def parse(line: bytes) -> MarketEvent:
        cells = line.split(b",")
        symbol, event_time, available_time = stamps(cells)
        payload = (float(cells[price]), float(cells[amount]), aggressor(cells[side]))
        return MarketEvent(symbol, int(EventKind.TRADE), event_time, available_time, 0, 0, payload)

    return parse


def quote_parser(names: Names) -> Parse:
    """Parser of `quotes`."""
    columns = [index_of(names, name) for name in ("bid_price", "bid_amount", "ask_price", "ask_amount")]
    stamps = Stamps()

    def parse(line: bytes) -> MarketEvent:
        cells = line.split(b",")
        symbol, event_time, available_time = stamps(cells)
        payload = tuple([number_or_missing(cells[column]) for column in columns])
        return MarketEvent(symbol, int(EventKind.QUOTE), event_time, available_time, 0, 0, payload)

    return parse


def snapshot_parser(names: Names) -> Parse:
    """Parser of `book_snapshot_N`: every row is a whole book, of which the best `BOOK_DEPTH` levels are taken."""
    depth = min(BOOK_DEPTH, sum(name.startswith("asks[") and name.endswith(".price") for name in names))
    rows = [
        [index_of(names, f"{side}[{level}].{what}") for level in range(depth)] for side in ("bids", "asks") for what in ("price", "amount")
    ]
    stamps = Stamps()

    def parse(line: bytes) -> MarketEvent:
        cells = line.split(b",")
        symbol, event_time, available_time = stamps(cells)
        levels = np.full((4, BOOK_DEPTH), np.nan)
        levels[:, :depth] = [[number_or_missing(cells[column]) for column in row] for row in rows]
        return MarketEvent(symbol, int(EventKind.BOOK), event_time, available_time, 0, int(EventFlag.SNAPSHOT), levels)

    return parse


class Row(NamedTuple):
    """One level of an incremental file."""

    symbol: str
    event_time: int
    available_time: int
    is_snapshot: bool
    is_bid: bool
    price: float
    amount: float


def row_parser(names: Names) -> Callable[[bytes], Row]:
    """Parser of rows of `incremental_book_L2`."""
    snapshot, side, price, amount = (index_of(names, name) for name in ("is_snapshot", "side", "price", "amount"))
    stamps = Stamps()

    def parse(line: bytes) -> Row:
        cells = line.split(b",")
        is_bid = {b"bid": True, b"ask": False}[cells[side]]
        return Row(*stamps(cells), cells[snapshot] == b"true", is_bid, float(cells[price]), float(cells[amount]))

    return parse


class IncrementalBook:
    """One symbol's book, changed by groups of rows."""

    def __init__(self) -> None:
        self._book = OrderBook()
        self._last_was_snapshot = False
        self._synchronised = False

    def apply(self, rows: list[Row]) -> Iterator[MarketEvent]:
        """One event a row, all with the book after the last of them."""
        replaced = False
        for row in rows:
            if row.is_snapshot and not self._last_was_snapshot:
                self._book.clear()
                self._synchronised = True
            replaced |= row.is_snapshot
            self._last_was_snapshot = row.is_snapshot
            (self._book.bids if row.is_bid else self._book.asks).apply(((row.price, row.amount),))
        flags = (EventFlag.SNAPSHOT if replaced else 0) if self._synchronised else EventFlag.UNSYNCHRONISED
        levels = self._book.levels() if self._synchronised else EMPTY_LEVELS
        for row in rows:
            yield MarketEvent(row.symbol, int(EventKind.BOOK), row.event_time, row.available_time, 0, int(flags), levels)


def grouped(source: str, head: FileHead, names: Names) -> Iterator[list[Row] | RejectedLine]:
    """Consecutive rows of one change of one book, and rejected lines between them."""
    parse = row_parser(names)
    group: list[Row] = []
    number = 0
    try:
        with open_bytes(head.path, head.member) as stream:
            for number, line in iterate_lines(stream):
                if number == 1:
                    continue
                try:
                    row = parse(line)
                except PARSE_ERRORS as error:
                    yield RejectedLine(source, number, line, f"{type(error).__name__}: {error}")
                    continue
                if group and (len(group) == MAXIMUM_GROUP_ROWS or row[:3:2] != group[-1][:3:2]):
                    yield group
                    group = []
                group.append(row)
    except BREAK_OFF_ERRORS as error:
        yield RejectedLine(source, number + 1, b"", f"the file breaks off here: {type(error).__name__}: {error}")
    if group:
        yield group


def read_incremental(head: FileHead, names: Names) -> Iterator[Item]:
    """Items of `incremental_book_L2`."""
    books: defaultdict[str, IncrementalBook] = defaultdict(IncrementalBook)
    for group in grouped(head.source, head, names):
        if isinstance(group, RejectedLine):
            yield group
        else:
            yield from books[group[0].symbol].apply(group)


def read_rows(head: FileHead, names: Names, parser: Callable[[Names], Parse]) -> Iterator[Item]:
    """Items of the other files."""
    return read_file(head.source, head.path, head.member, parser(names), skip_lines=1)


def reader_of(head: FileHead, names: Names) -> Callable[[], Iterator[Item]] | None:
    """The reader that fits the columns."""
    if "is_snapshot" in names:
        return partial(read_incremental, head, names)
    if "asks[0].price" in names:
        return partial(read_rows, head, names, snapshot_parser)
    if "bid_price" in names:
        return partial(read_rows, head, names, quote_parser)
    return partial(read_rows, head, names, trade_parser) if {"side", "price", "amount"} <= set(names) else None


def recognise(head: FileHead) -> SourceFile | None:
    """A file by its header."""
    names = column_names(head.lines[0]) if head.lines else ()
    if names[:4] != ("exchange", "symbol", "timestamp", "local_timestamp"):
        return None
    read = reader_of(head, names)
    rows = [line.split(b",", 2) for line in head.lines[1:]]
    symbols = sorted({f"{row[1].decode()}.{row[0].decode()}".upper() for row in rows if len(row) == 3})
    venues = sorted({row[0].decode() for row in rows})
    return None if read is None else SourceFile(head.source, "tardis", ", ".join(venues) or "Tardis", tuple(symbols), read)
