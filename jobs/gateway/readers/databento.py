"""CME market data in Databento's CSV schemas: mbp-1, mbp-10, tbbo, trades, ohlcv-1s/1m/1h/1d.

Times are nanoseconds since the epoch, or written out: `ts_event` is the venue's (event time), `ts_recv` the capture's (available time).
The time of an ohlcv row is the START of its bar. The symbol is the `symbol` column where there is one, else the instrument id.
A row with action T (trade) or F (fill) is a TRADE whose `side` is the aggressor: B bid = buyer, A ask = seller, N none. Other rows are
the top of the book after the change: a QUOTE, or a BOOK where the file has more levels.
A packet number may be shared by several rows; `sequence` is that number × 4096 + how many rows of the kind had it before, so it increases
within the kind and the same trade in a second file is a duplicate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeAlias

import numpy as np

from jobs.gateway.market_event import Item, MarketEvent, Payload
from jobs.gateway.readers.headed import aggressor, column_names, first_index, index_of, number_or_missing
from jobs.gateway.readers.lines import Parse, read_file
from jobs.gateway.readers.source import FileHead, SourceFile
from jobs.gateway.readers.times import written_time
from udfs.kernels.events import BOOK_DEPTH, NANOSECONDS_PER_SECOND, EventFlag, EventKind

Names: TypeAlias = tuple[str, ...]
ROWS_PER_PACKET = 4096
BAR_SECONDS = {"1s": 1, "1m": 60, "1h": 3600, "1d": 86_400}
BAR_SECONDS_BY_TYPE = {b"32": 1, b"33": 60, b"34": 3600, b"35": 86_400}
BAR_NAME = re.compile(r"ohlcv-(1[smhd])")
TRADE_ACTIONS = frozenset({b"T", b"F"})


def time_of(cell: bytes) -> int:
    """Nanoseconds since the epoch, from a number or a written time."""
    return int(cell) if cell.isdigit() else written_time(cell.decode().replace("Z", "+00:00"))


class SequenceNumbers:
    """Makes the numbers of a kind increase where several rows share a packet."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, int], tuple[int, int]] = {}

    def __call__(self, symbol: str, kind: int, packet: int) -> int:
        """Number of the next row of a kind."""
        last, count = self._last.get((symbol, kind), (-1, 0))
        count = count + 1 if last == packet else 0
        self._last[symbol, kind] = (packet, count)
        return packet * ROWS_PER_PACKET + min(count, ROWS_PER_PACKET - 1) if packet else 0


def level_columns(names: Names) -> list[list[int]]:
    """Positions of bid prices, bid sizes, ask prices and ask sizes, best first; empty for a file of trades only."""
    if first_index(names, "bid_px", "bid_px_00") is None:
        return []
    depth = min(BOOK_DEPTH, sum(name.startswith("bid_px") for name in names))
    return [
        [index_of(names, f"{column}_{level:02d}", *([column] if level == 0 else [])) for level in range(depth)]
        for column in ("bid_px", "bid_sz", "ask_px", "ask_sz")
    ]


class EventParser:
    """Parser of trades and top-of-book changes."""

    def __init__(self, names: Names) -> None:
        self._event, self._received = (
            index_of(names, "ts_event", "ts_event_ns"),
            index_of(names, "ts_recv", "ts_recv_ns", "ts_event", "ts_event_ns"),
        )
        self._symbol, self._action, self._side = (
            index_of(names, "symbol", "instrument_id"),
            index_of(names, "action"),
            index_of(names, "side"),
        )
        self._price, self._size, self._sequence = index_of(names, "price"), index_of(names, "size"), first_index(names, "sequence")
        self._levels = level_columns(names)
        self._numbers = SequenceNumbers()

    def __call__(self, line: bytes) -> MarketEvent:
        """One line to one event."""
        cells = line.split(b",")
        symbol = cells[self._symbol].decode()
        if not symbol:
            raise ValueError("found no symbol")
        event_time, available_time = time_of(cells[self._event]), time_of(cells[self._received])
        packet = 0 if self._sequence is None else int(cells[self._sequence])
        kind, flags, payload = self._content(cells)
        return MarketEvent(symbol, kind, event_time, available_time, self._numbers(symbol, kind, packet), flags, payload)

    def _content(self, cells: list[bytes]) -> tuple[int, int, Payload]:
        if cells[self._action] in TRADE_ACTIONS or not self._levels:
            return int(EventKind.TRADE), 0, (float(cells[self._price]), float(cells[self._size]), aggressor(cells[self._side]))
        values = [[number_or_missing(cells[column]) for column in row] for row in self._levels]
        if len(values[0]) == 1:
            return int(EventKind.QUOTE), 0, tuple(row[0] for row in values)
        levels = np.full((4, BOOK_DEPTH), np.nan)
        levels[:, : len(values[0])] = values
        return int(EventKind.BOOK), int(EventFlag.SNAPSHOT), levels


def bar_parser(names: Names, file_name: str) -> Parse:
    """Parser of bars; their length is told by the record type, else by the file's name, else one minute."""
    event, symbol_column, record_type = (
        index_of(names, "ts_event", "ts_event_ns"),
        index_of(names, "symbol", "instrument_id"),
        first_index(names, "rtype"),
    )
    columns = [index_of(names, name) for name in ("open", "high", "low", "close", "volume")]
    match = BAR_NAME.search(file_name)
    named = BAR_SECONDS[match[1]] if match else 60

    def parse(line: bytes) -> MarketEvent:
        cells = line.split(b",")
        seconds = named if record_type is None else BAR_SECONDS_BY_TYPE[cells[record_type]]
        end = time_of(cells[event]) + seconds * NANOSECONDS_PER_SECOND
        payload = (*(float(cells[column]) for column in columns), float(seconds))
        return MarketEvent(cells[symbol_column].decode(), int(EventKind.BAR), end, end, 0, 0, payload)

    return parse


def event_parser(names: Names, _: str) -> Parse:
    """Parser of anything but bars."""
    return EventParser(names)


def read_rows(head: FileHead, names: Names, parser: Callable[[Names, str], Parse]) -> Iterator[Item]:
    """Items of one file."""
    return read_file(head.source, head.path, head.member, parser(names, head.name), skip_lines=1)


def recognise(head: FileHead) -> SourceFile | None:
    """A file by its header."""
    names = column_names(head.lines[0]) if head.lines else ()
    if "instrument_id" not in names or first_index(names, "ts_event", "ts_event_ns") is None:
        return None
    is_bars = {"open", "high", "low", "close"} <= set(names)
    if not is_bars and not {"action", "side", "price", "size"} <= set(names):
        return None
    rows = [line.split(b",") for line in head.lines[1:]]
    column = index_of(names, "symbol", "instrument_id")
    symbols = sorted({row[column].decode() for row in rows if len(row) == len(names)})
    read = partial(read_rows, head, names, bar_parser if is_bars else event_parser)
    return SourceFile(head.source, "databento-bars" if is_bars else "databento-events", "CME Globex", tuple(symbols), read)
