"""LOBSTER pairs: `TICKER_YYYY-MM-DD_start_end_message_N.csv` and the `…_orderbook_N.csv` beside it, row by row together.

Message: `seconds after midnight in New York, type, order id, size, price × 10 000, direction`. Book row: `ask price, ask size, bid price,
bid size` for each level, best first; ±9999999999 stands where there is no level. One message is one event:
- types 1 new, 2 partial cancel, 3 deletion: BOOK from the paired row;
- type 4 visible and 5 hidden execution: TRADE. `direction` is the side of the resting order, so the aggressor is the other one. The book
  after an execution comes with the next BOOK event;
- type 6 cross (auction): TRADE with unknown aggressor;
- type 7 halt: STATUS, halted for price -1 (halted) and 0 (quoting only), open for 1.
There is no receive time: available time is event time. There are no increasing numbers.
Source: LOBSTER, "Output structure", lobsterdata.com.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from itertools import zip_longest
from pathlib import Path

import numpy as np

from jobs.gateway.market_event import BookLevels, Item, MarketEvent, Payload, RejectedLine
from jobs.gateway.readers.lines import BREAK_OFF_ERRORS, NumberedLine, Parse, iterate_lines, open_bytes, parse_lines
from jobs.gateway.readers.source import FileHead, SkippedFile, SourceFile
from jobs.gateway.readers.times import NEW_YORK, decimal_nanoseconds, midnight
from udfs.kernels.events import BOOK_DEPTH, EventFlag, EventKind, TradingStatus

PRICE_SCALE = 10_000.0
DUMMY_PRICE = 9_999_999_999
FILE_NAME = re.compile(r"(?P<symbol>[a-z0-9.\-]+)_(?P<day>\d{4}-\d{2}-\d{2})_\d+_\d+_(?P<kind>message|orderbook)_\d+\.csv(\.gz)?$")
BOOK_CHANGES = frozenset({1, 2, 3})
STATUSES = {-1: TradingStatus.HALTED, 0: TradingStatus.HALTED, 1: TradingStatus.OPEN}


def levels_of(row: bytes) -> BookLevels:
    """The best levels of a row of the book file."""
    cells = np.array(row.split(b",")[: 4 * BOOK_DEPTH], dtype=np.float64)
    table = cells.reshape(-1, 4)
    table[np.abs(table[:, 0]) == DUMMY_PRICE, 0:2] = np.nan
    table[np.abs(table[:, 2]) == DUMMY_PRICE, 2:4] = np.nan
    levels = np.full((4, BOOK_DEPTH), np.nan)
    levels[:, : len(table)] = table[:, (2, 3, 0, 1)].T / np.array([[PRICE_SCALE], [1.0], [PRICE_SCALE], [1.0]])
    return levels


def content_of(message_type: int, size: bytes, price: int, direction: int, row: bytes) -> tuple[EventKind, int, Payload]:
    """Kind, flags and payload of a message."""
    if message_type in BOOK_CHANGES:
        return EventKind.BOOK, int(EventFlag.SNAPSHOT), levels_of(row)
    if message_type in (4, 5):
        return EventKind.TRADE, 0, (price / PRICE_SCALE, float(size), float(-direction))
    if message_type == 6:
        return EventKind.TRADE, 0, (price / PRICE_SCALE, float(size), 0.0)
    if message_type == 7:
        return EventKind.STATUS, 0, (float(STATUSES[price]),)
    raise ValueError(f"found message type {message_type}, expected 1 to 7")


def pair_parser(symbol: str, day: date) -> Parse:
    """Parser of a message line and its book row, joined by a line feed."""
    day_start = midnight(day, NEW_YORK)

    def parse(pair: bytes) -> MarketEvent:
        message, separator, row = pair.partition(b"\n")
        if not message or not separator:
            raise ValueError("found a message without its book row, or a book row without its message")
        seconds, message_type, _, size, price, direction = message.split(b",")[:6]
        kind, flags, payload = content_of(int(message_type), size, int(price), int(direction), row)
        time = day_start + decimal_nanoseconds(seconds)
        return MarketEvent(symbol, int(kind), time, time, 0, flags, payload)

    return parse


def paired(messages: Iterator[NumberedLine], rows: Iterator[NumberedLine]) -> Iterator[NumberedLine]:
    """Message lines and book rows, joined; where one file is longer its lines stay alone."""
    for message, row in zip_longest(messages, rows):
        if message is None:
            yield row[0], b"\n" + row[1]
        else:
            yield message[0], message[1] if row is None else message[1] + b"\n" + row[1]


def read_pair(head: FileHead, book: Path, book_member: str, symbol: str, day: date) -> Iterator[Item]:
    """Items of a pair of files."""
    try:
        with open_bytes(head.path, head.member) as messages, open_bytes(book, book_member) as rows:
            lines = paired(iterate_lines(messages), iterate_lines(rows))
            yield from parse_lines(head.source, lines, pair_parser(symbol, day))
    except BREAK_OFF_ERRORS as error:
        yield RejectedLine(head.source, 1, b"", f"cannot be opened: {error}")


def book_of(head: FileHead) -> tuple[Path, str] | None:
    """Path and member of the book file of a message file, None when it is not there."""
    if head.member:
        return head.path, head.member.replace("_message_", "_orderbook_")
    path = head.path.with_name(head.path.name.replace("_message_", "_orderbook_"))
    alternatives = (path, path.with_name(path.name + ".gz"), path.with_name(path.name.removesuffix(".gz")))
    return next(((found, "") for found in alternatives if found.exists()), None)


def recognise(head: FileHead) -> SourceFile | SkippedFile | None:
    """A message file by its name, when its book file is beside it."""
    match = FILE_NAME.match(head.name)
    if match is None or not head.lines:
        return None
    if match["kind"] == "orderbook":
        return SkippedFile("read together with its message file")
    book = book_of(head)
    if book is None:
        return SkippedFile("its orderbook file is missing")
    symbol = match["symbol"].upper()
    read = partial(read_pair, head, *book, symbol, date.fromisoformat(match["day"]))
    return SourceFile(head.source, "lobster", "NASDAQ (LOBSTER)", (symbol,), read)
