"""Bars by second, minute and day, of several publishers. `event_time` is the END of a bar, and so is `available_time`: nobody has it
before.

- Tape bars `YYYYMMDD_symbol_{second,minute}_trade.csv`: `ms since midnight in New York of the START, open, high, low, close, volume`,
  prices × 10 000.
- Tape quote bars `…_quote.csv`: `START, bid open, high, low, close, bid size, ask open, high, low, close, ask size`: a QUOTE at the
  bar's end.
- Daily bars `symbol.csv`: `YYYYMMDD HH:MM, open, high, low, close, volume`, prices × 10 000, in New York; a bar ends at the next midnight.
- `date,ToD,open,high,low,close,volume`: minute bars, the time is the END, in New York.
- `Date,Open,High,Low,Close,Adj Close,Volume`: daily bars, prices as traded; the adjusted close is not used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

from jobs.gateway.market_event import Item, MarketEvent
from jobs.gateway.readers.lines import Parse, read_file
from jobs.gateway.readers.source import FileHead, SourceFile
from jobs.gateway.readers.times import NEW_YORK, compact_date, local_second, midnight
from udfs.kernels.events import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, EventKind

PRICE_SCALE = 10_000
BAR, QUOTE = int(EventKind.BAR), int(EventKind.QUOTE)
SECONDS_BY_RESOLUTION = {"second": 1, "minute": 60, "hour": 3600}
SECONDS_PER_DAY = 86_400.0
ONE_DAY = timedelta(days=1)
TAPE_NAME = re.compile(r"(?P<day>\d{8})_(?P<symbol>[a-z0-9.\-]+?)_(?P<resolution>second|minute|hour)_(?P<kind>trade|quote)\.csv$")
DAILY_ROW = re.compile(rb"\d{8} \d\d:\d\d(,\d+){5}$")
MINUTE_HEADER = b"date,tod,open,high,low,close,volume"
DAILY_HEADER = b"date,open,high,low,close,adj close,volume"
US_VENUE = "US consolidated tape"


def tape_bar_parser(symbol: str, day: date, length_seconds: int) -> Parse:
    """Parser of trade bars of the tape."""
    end_of_zero = midnight(day, NEW_YORK) + length_seconds * NANOSECONDS_PER_SECOND

    def parse(line: bytes) -> MarketEvent:
        start, opened, high, low, close, volume = line.split(b",")
        end = end_of_zero + int(start) * NANOSECONDS_PER_MILLISECOND
        prices = (int(opened) / PRICE_SCALE, int(high) / PRICE_SCALE, int(low) / PRICE_SCALE, int(close) / PRICE_SCALE)
        return MarketEvent(symbol, BAR, end, end, 0, 0, (*prices, float(volume), float(length_seconds)))

    return parse


def tape_quote_parser(symbol: str, day: date, length_seconds: int) -> Parse:
    """Parser of quote bars of the tape: the quote that stood at the end of each bar. An empty side is NaN."""
    end_of_zero = midnight(day, NEW_YORK) + length_seconds * NANOSECONDS_PER_SECOND

    def side(price: bytes, size: bytes) -> tuple[float, float]:
        return (int(price) / PRICE_SCALE, float(size)) if price and int(price) else (float("nan"), float("nan"))

    def parse(line: bytes) -> MarketEvent:
        start, _, _, _, bid, bid_size, _, _, _, ask, ask_size = line.split(b",")
        end = end_of_zero + int(start) * NANOSECONDS_PER_MILLISECOND
        return MarketEvent(symbol, QUOTE, end, end, 0, 0, (*side(bid, bid_size), *side(ask, ask_size)))

    return parse


def daily_scaled_parser(symbol: str) -> Parse:
    """Parser of daily bars with prices × 10 000."""

    def parse(line: bytes) -> MarketEvent:
        moment, opened, high, low, close, volume = line.split(b",")
        end = midnight(compact_date(moment[:8].decode()) + ONE_DAY, NEW_YORK)
        prices = (int(opened) / PRICE_SCALE, int(high) / PRICE_SCALE, int(low) / PRICE_SCALE, int(close) / PRICE_SCALE)
        return MarketEvent(symbol, BAR, end, end, 0, 0, (*prices, float(volume), SECONDS_PER_DAY))

    return parse


def daily_parser(symbol: str) -> Parse:
    """Parser of daily bars with an adjusted close beside the others."""

    def parse(line: bytes) -> MarketEvent:
        day, opened, high, low, close, _, volume = line.split(b",")
        end = midnight(date.fromisoformat(day.decode()) + ONE_DAY, NEW_YORK)
        payload = (float(opened), float(high), float(low), float(close), float(volume), SECONDS_PER_DAY)
        return MarketEvent(symbol, BAR, end, end, 0, 0, payload)

    return parse


def minute_parser(symbol: str) -> Parse:
    """Parser of minute bars with the time of their end."""

    def parse(line: bytes) -> MarketEvent:
        day, clock, opened, high, low, close, volume = line.split(b",")
        end = local_second(f"{day.decode()} {clock.decode()}", NEW_YORK)
        return MarketEvent(symbol, BAR, end, end, 0, 0, (float(opened), float(high), float(low), float(close), float(volume), 60.0))

    return parse


def read_tape_bars(head: FileHead, symbol: str, day: date, length_seconds: int, kind: str) -> Iterator[Item]:
    """Items of a bar file of the tape."""
    parser = tape_bar_parser if kind == "trade" else tape_quote_parser
    return read_file(head.source, head.path, head.member, parser(symbol, day, length_seconds))


def recognise_tape(head: FileHead) -> SourceFile | None:
    """Bars of the tape, by name and number of columns."""
    match = TAPE_NAME.search(head.name)
    if match is None or not head.lines or head.lines[0].count(b",") + 1 != {"trade": 6, "quote": 11}[match["kind"]]:
        return None
    symbol, seconds = match["symbol"].upper(), SECONDS_BY_RESOLUTION[match["resolution"]]
    read = partial(read_tape_bars, head, symbol, compact_date(match["day"]), seconds, match["kind"])
    return SourceFile(
        head.source, f"us-tape-{match['resolution']}-bars", US_VENUE, (symbol,), read, (symbol, match["day"], match["kind"]), seconds
    )


def symbol_of(head: FileHead) -> str:
    """Symbol from a file named after it (`aapl.csv`, `BRK-A.csv.gz`)."""
    return head.name.removesuffix(".gz").removesuffix(".csv").upper()


def read_headed(head: FileHead, symbol: str, parser: str, skip_lines: int) -> Iterator[Item]:
    """Items of a file of one symbol's bars."""
    parsers = {"daily-scaled": daily_scaled_parser, "daily": daily_parser, "minute": minute_parser}
    return read_file(head.source, head.path, head.member, parsers[parser](symbol), skip_lines)


def recognise_others(head: FileHead) -> SourceFile | None:
    """Minute and daily bars, by header or by the shape of the first row."""
    if not head.lines:
        return None
    symbol, first = symbol_of(head), head.lines[0]
    if DAILY_ROW.match(first):
        return SourceFile(head.source, "us-daily-bars", US_VENUE, (symbol,), partial(read_headed, head, symbol, "daily-scaled", 0))
    parser = {MINUTE_HEADER: "minute", DAILY_HEADER: "daily"}.get(first.lower())
    if parser is None:
        return None
    return SourceFile(head.source, f"{parser}-bars", "US equities", (symbol,), partial(read_headed, head, symbol, parser, 1))
