"""Foreign exchange quotes without sizes: two widespread CSV files.

- `timestamp,bid,ask` with a header; times are written out, in UTC unless they carry an offset.
- `YYYYMMDD HHMMSSmmm,bid,ask,volume` without a header; times are US Eastern Standard Time (UTC-5) all year.

There is no size: it is 0, so that what is weighted by size is not valid while prices count. The symbol is the currency pair that the
file's name holds (`usdjpy-ticks.csv` → USDJPY),
else the file's name. Available time is event time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta, timezone, tzinfo
from functools import partial

from jobs.gateway.market_event import Item, MarketEvent
from jobs.gateway.readers.lines import Parse, read_file
from jobs.gateway.readers.source import FileHead, SourceFile
from jobs.gateway.readers.times import compact_time, written_time
from udfs.kernels.events import EventKind

EASTERN_STANDARD = timezone(timedelta(hours=-5))
CURRENCIES = "usd|eur|gbp|jpy|chf|aud|nzd|cad|sek|nok|dkk|pln|huf|czk|try|zar|mxn|sgd|hkd|cnh|ils|xau|xag"
PAIR = re.compile(rf"(?<![a-z])({CURRENCIES})[/_-]?({CURRENCIES})(?![a-z])")
HEADER = re.compile(rb"(timestamp|time|datetime|date),bid,ask$", re.IGNORECASE)
ROW = re.compile(rb"\d{8} \d{9},[\d.]+,[\d.]+,[\d.]+$")
NO_SIZE = 0.0


def quote_parser(symbol: str, time_of: Callable[[str, tzinfo], int], zone: tzinfo) -> Parse:
    """Parser of rows that begin with time, bid, ask."""

    def parse(line: bytes) -> MarketEvent:
        stamp, bid, ask = line.split(b",")[:3]
        time = time_of(stamp.decode(), zone)
        return MarketEvent(symbol, int(EventKind.QUOTE), time, time, 0, 0, (float(bid), NO_SIZE, float(ask), NO_SIZE))

    return parse


def symbol_of(file_name: str) -> str:
    """Currency pair of a file's name, else the name without its ending."""
    match = PAIR.search(file_name)
    return (match[1] + match[2] if match else file_name.partition(".")[0]).upper()


def read_headed(head: FileHead, symbol: str) -> Iterator[Item]:
    """Items of a file with a header."""
    return read_file(head.source, head.path, head.member, quote_parser(symbol, written_time, UTC), skip_lines=1)


def read_compact(head: FileHead, symbol: str) -> Iterator[Item]:
    """Items of a file without a header."""
    return read_file(head.source, head.path, head.member, quote_parser(symbol, compact_time, EASTERN_STANDARD))


def recognise(head: FileHead) -> SourceFile | None:
    """A file by its first line."""
    if not head.lines:
        return None
    read = read_headed if HEADER.match(head.lines[0]) else read_compact if ROW.match(head.lines[0]) else None
    symbol = symbol_of(head.name)
    return None if read is None else SourceFile(head.source, "fx-quotes", "foreign exchange", (symbol,), partial(read, head, symbol))
