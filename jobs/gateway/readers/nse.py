"""NSE ticks: `timestamp (IST, seconds), ltp, volume (cumulative for the day)`, one file a symbol and day (`LT2021-06-02_.csv`,
`MM_2021-06-02_.csv`).

The size of a tick is what it adds to the highest volume so far, so the sizes of a day add up to its volume. The first tick carries what
was traded before it. A tick of size 0 still tells the last price; one whose volume fell is older than what was already told, so it is
marked VOLUME_ONLY and changes neither price nor volume. Event times may go back by a second; available time is the latest event time so
far.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from jobs.gateway.market_event import Item, MarketEvent
from jobs.gateway.readers.lines import Parse, read_file
from jobs.gateway.readers.source import FileHead, SourceFile
from jobs.gateway.readers.times import KOLKATA, local_second
from udfs.kernels.events import EventFlag, EventKind

HEADER = re.compile(rb"timestamp,(ltp|last_price|price),volume$", re.IGNORECASE)
FILE_NAME = re.compile(r"(?P<symbol>[a-z0-9&\-_.]+?)_?(?P<day>\d{4}-\d{2}-\d{2})", re.IGNORECASE)
TRADE = int(EventKind.TRADE)
VOLUME_ONLY = int(EventFlag.VOLUME_ONLY)


def tick_parser(symbol: str) -> Parse:
    """Parser of one symbol's day."""
    highest_volume = 0.0
    latest_time = 0

    def parse(line: bytes) -> MarketEvent:
        nonlocal highest_volume, latest_time
        timestamp, price, cumulative = line.split(b",")
        time = local_second(timestamp.decode(), KOLKATA)
        volume, last_price = float(cumulative), float(price)
        size = max(0.0, volume - highest_volume)
        flags = VOLUME_ONLY if volume < highest_volume else 0
        highest_volume += size
        latest_time = max(latest_time, time)
        return MarketEvent(symbol, TRADE, time, latest_time, 0, flags, (last_price, size, 0.0))

    return parse


def read_ticks(head: FileHead, symbol: str) -> Iterator[Item]:
    """Items of one file."""
    return read_file(head.source, head.path, head.member, tick_parser(symbol), skip_lines=1)


def recognise(head: FileHead) -> SourceFile | None:
    """A tick file by its header; the symbol is in the file's name."""
    match = FILE_NAME.match(head.name)
    if match is None or not head.lines or not HEADER.match(head.lines[0]):
        return None
    symbol = match["symbol"].upper()
    return SourceFile(head.source, "nse-ticks", "National Stock Exchange of India", (symbol,), partial(read_ticks, head, symbol))
