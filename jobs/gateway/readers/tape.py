"""The consolidated US tape, as ticks: `YYYYMMDD_symbol_Trade_Tick.csv` and `YYYYMMDD_symbol_Quote_Tick.csv`, usually zipped.

Times are milliseconds since midnight in New York, prices are multiplied by 10 000. There is no receive time: available time is event time.
At equal times the file name decides, so quotes come before trades.

Trades: `ms, price, size, exchange, condition, suspicious`; `condition` is a hexadecimal bit set. A trade counts for open, high, low and
close when it is a regular trade (bit 0), an opening or closing print (0x40, 0x80) or one of the extended hours (0x2000); others
(intermarket sweeps, average price, derivatively priced, sold out of sequence, cash and next-day settlement …) and suspicious ones count
in volume only. The aggressor is not reported.

Quotes: `ms, bid price, bid size, ask price, ask size, exchange, condition, suspicious`; a price of 0 means that the row is about the
other side. Two kinds of such files exist, told apart by their first rows:
- consolidated: a row is the new national best on its side (the exchange only says who sets it). Known by: kept per exchange and
  maximised, the book would be crossed most of the time.
- per exchange: a row is the new best of one exchange; the best across exchanges is rebuilt, with the sizes at the best price added up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path

from jobs.gateway.market_event import Item, MarketEvent, numbers_of
from jobs.gateway.readers.lines import Parse, iterate_lines, open_bytes, read_file
from jobs.gateway.readers.source import FileHead, SourceFile
from jobs.gateway.readers.times import NEW_YORK, compact_date, midnight
from udfs.kernels.events import NANOSECONDS_PER_MILLISECOND, EventFlag, EventKind

PRICE_SCALE = 10_000
COUNTS_FOR_PRICE = 0x1 | 0x40 | 0x80 | 0x2000
TRADE, QUOTE = int(EventKind.TRADE), int(EventKind.QUOTE)
VOLUME_ONLY = int(EventFlag.VOLUME_ONLY)
MISSING = float("nan")
NO_QUOTE = (MISSING, MISSING)
SAMPLED_ROWS = 20_000
CROSSED_SHARE = 0.05
FILE_NAME = re.compile(r"(?P<day>\d{8})_(?P<symbol>[a-z0-9.\-]+?)_(?P<kind>trade|quote)_tick\.csv$")
OUTER_NAME = re.compile(r"(?P<symbol>[a-z0-9.\-]+?)_(?P<day>\d{8})_(?P<kind>trade|quote)\.(zip|csv|csv\.gz)$")
VENUE = "US consolidated tape"


def nanoseconds_of(line_milliseconds: bytes, day_start: int) -> int:
    """Event time of a row."""
    return day_start + int(line_milliseconds) * NANOSECONDS_PER_MILLISECOND


def trade_parser(symbol: str, day: date) -> Parse:
    """Parser of a trade file."""
    day_start = midnight(day, NEW_YORK)

    def parse(line: bytes) -> MarketEvent:
        milliseconds, price, size, _, condition, suspicious = line.split(b",")
        flags = 0 if int(condition, 16) & COUNTS_FOR_PRICE and suspicious == b"0" else VOLUME_ONLY
        time = nanoseconds_of(milliseconds, day_start)
        return MarketEvent(symbol, TRADE, time, time, 0, flags, (int(price) / PRICE_SCALE, float(size), 0.0))

    return parse


@dataclass
class ExchangeQuotes:
    """One side of the market by exchange. `sign` is 1 for bids, where the highest price is best, and -1 for asks."""

    sign: int
    quotes: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def update(self, exchange: bytes, price: int, size: int) -> tuple[int, int] | None:
        """The best price and the size there over all exchanges after one exchange's quote; None when nobody quotes. Size 0 withdraws it."""
        if size:
            self.quotes[exchange] = (self.sign * price, size)
        else:
            self.quotes.pop(exchange, None)
        if not self.quotes:
            return None
        best = max(self.quotes.values())[0]
        return self.sign * best, sum(quantity for key, quantity in self.quotes.values() if key == best)


class QuoteParser:
    """Parser of a quote file: every row becomes the best bid and offer after it. A suspicious row changes nothing."""

    def __init__(self, symbol: str, day: date, per_exchange: bool) -> None:
        self._symbol = symbol
        self._day_start = midnight(day, NEW_YORK)
        self._sides = (ExchangeQuotes(1), ExchangeQuotes(-1)) if per_exchange else None
        self._bid: tuple[float, float] = NO_QUOTE
        self._ask: tuple[float, float] = NO_QUOTE

    def __call__(self, line: bytes) -> MarketEvent:
        """One line to one event."""
        milliseconds, bid_price, bid_size, ask_price, ask_size, exchange, _, suspicious = line.split(b",")
        time = nanoseconds_of(milliseconds, self._day_start)
        bid, bid_quantity, ask, ask_quantity = int(bid_price), int(bid_size), int(ask_price), int(ask_size)
        if suspicious == b"0":
            if bid:
                self._bid = self._best(0, exchange, bid, bid_quantity)
            if ask:
                self._ask = self._best(1, exchange, ask, ask_quantity)
        return MarketEvent(self._symbol, QUOTE, time, time, 0, 0, (*self._bid, *self._ask))

    def _best(self, side: int, exchange: bytes, price: int, size: int) -> tuple[float, float]:
        if self._sides is None:
            return (price / PRICE_SCALE, float(size)) if size else NO_QUOTE
        best = self._sides[side].update(exchange, price, size)
        return NO_QUOTE if best is None else (best[0] / PRICE_SCALE, float(best[1]))


def is_per_exchange(path: Path, member: str) -> bool:
    """Whether keeping quotes by exchange and taking the best gives a sane market (crossed in less than 5 % of the first rows)."""
    parse = QuoteParser("", date(2000, 1, 1), per_exchange=True)
    rows = crossed = 0
    with open_bytes(path, member) as stream:
        for _, line in islice(iterate_lines(stream), SAMPLED_ROWS):
            try:
                bid, _, ask, _ = numbers_of(parse(line))
            except ValueError:
                continue
            rows += 1
            crossed += bool(bid > ask)
    return rows > 0 and crossed < CROSSED_SHARE * rows


def read_quotes(head: FileHead, symbol: str, day: date) -> Iterator[Item]:
    """Items of a quote file of either kind."""
    parse = QuoteParser(symbol, day, is_per_exchange(head.path, head.member))
    return read_file(head.source, head.path, head.member, parse)


def read_trades(head: FileHead, symbol: str, day: date) -> Iterator[Item]:
    """Items of a trade file."""
    return read_file(head.source, head.path, head.member, trade_parser(symbol, day))


def recognise(head: FileHead) -> SourceFile | None:
    """A tick file of the tape, by name and number of columns."""
    match = FILE_NAME.search(head.name) or OUTER_NAME.search(head.name) or OUTER_NAME.search(head.path.name.lower())
    if match is None or not head.lines:
        return None
    cells = head.lines[0].split(b",")
    if len(cells) != {"trade": 6, "quote": 8}[match["kind"]] or cells[3].isdigit() != (match["kind"] == "quote"):
        return None
    symbol, day = match["symbol"].upper(), compact_date(match["day"])
    read = read_quotes if match["kind"] == "quote" else read_trades
    return SourceFile(
        head.source, "us-tape-ticks", VENUE, (symbol,), partial(read, head, symbol, day), (symbol, match["day"], match["kind"])
    )
