"""CSV and Parquet files of trades, quotes or bars by a column mapping, see `column_mapping`.

Available time is its own column, else the latest event time so far, so a file whose event times go back keeps its order. Rows of Parquet
are numbered from 1; a rejected one is kept as JSON. Where names are guessed, bars are as long as the smallest step between the first times.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jobs.gateway.market_event import Item, MarketEvent, RejectedLine
from jobs.gateway.readers.column_mapping import ColumnMapping, guessed_mapping
from jobs.gateway.readers.headed import aggressor
from jobs.gateway.readers.lines import MAXIMUM_TIME, PARSE_ERRORS, read_file
from jobs.gateway.readers.source import FileHead, SourceFile
from jobs.gateway.readers.times import NANOSECONDS_BY_UNIT, decimal_nanoseconds, written_time
from udfs.errors import SourceError
from udfs.kernels.events import NANOSECONDS_PER_SECOND, EventKind

Row: TypeAlias = Sequence[Any]
"""Cells of a row: text in CSV, typed values in Parquet."""

BATCH_ROWS = 16_384
DELIMITERS = (",", ";", "\t", "|")
MISSING = float("nan")


class Instant(int):
    """A time that is already nanoseconds since the epoch."""


def time_reader(mapping: ColumnMapping) -> Callable[[Any], int]:
    """Reads a cell as nanoseconds since the epoch."""
    unit, zone = NANOSECONDS_BY_UNIT.get(mapping.time_unit), ZoneInfo(mapping.time_zone)

    def read(cell: Any) -> int:
        if isinstance(cell, Instant):
            return int(cell)
        text = str(cell).strip().strip('"')
        return written_time(text, zone) if unit is None else decimal_nanoseconds(text, unit)

    return read


def float_of(cell: Any) -> float:
    """A number; an empty cell is NaN."""
    if isinstance(cell, str):
        text = cell.strip().strip('"')
        return float(text) if text else MISSING
    return MISSING if cell is None else float(cell)


class RowReader:
    """Turns rows into events. `names` are the columns of the file, in order."""

    def __init__(self, mapping: ColumnMapping, names: Sequence[str], symbol: str) -> None:
        self._at = {meaning: position_of(column, names) for meaning, column in mapping.columns().items()}
        self._mapping = mapping
        self._symbol = mapping.symbol_name or symbol
        self._time = time_reader(mapping)
        self._latest = 0
        self._content = {"trades": self._trade, "quotes": self._quote, "bars": self._bar}[mapping.kind]

    def __call__(self, row: Row) -> MarketEvent:
        """One row to one event."""
        at = self._at
        event_time = self._time(row[at["time"]])
        kind, payload = self._content(row)
        if kind == EventKind.BAR and self._mapping.bar_time == "start":
            event_time += round(self._mapping.bar_seconds * NANOSECONDS_PER_SECOND)
        symbol = str(row[at["symbol"]]).strip().strip('"') if "symbol" in at else self._symbol
        if not symbol:
            raise ValueError("found no symbol")
        sequence = int(row[at["sequence"]]) if "sequence" in at else 0
        available_time = self._time(row[at["available"]]) if "available" in at else max(self._latest, event_time)
        self._latest = available_time
        return MarketEvent(symbol, int(kind), event_time, available_time, sequence, 0, payload)

    def _number(self, row: Row, meaning: str) -> float:
        """0 where the file has no such column: what is weighted by size is then not valid, while prices count."""
        return float_of(row[self._at[meaning]]) if meaning in self._at else 0.0

    def _price(self, row: Row, meaning: str) -> float:
        return float_of(row[self._at[meaning]]) / self._mapping.price_scale

    def _trade(self, row: Row) -> tuple[EventKind, tuple[float, ...]]:
        side = aggressor(str(row[self._at["side"]]).strip('"').encode()) if "side" in self._at else 0.0
        return EventKind.TRADE, (self._price(row, "price"), self._number(row, "size"), side)

    def _quote(self, row: Row) -> tuple[EventKind, tuple[float, ...]]:
        bid, ask = self._price(row, "bid"), self._price(row, "ask")
        return EventKind.QUOTE, (bid, self._number(row, "bid_size"), ask, self._number(row, "ask_size"))

    def _bar(self, row: Row) -> tuple[EventKind, tuple[float, ...]]:
        prices = [self._price(row, name) for name in ("open", "high", "low", "close")]
        return EventKind.BAR, (*prices, self._number(row, "volume"), self._mapping.bar_seconds)


def position_of(column: str, names: Sequence[str]) -> int:
    """Position of a column given by name, or by number; SourceError when there is none."""
    if column in names:
        return names.index(column)
    if column.isdigit():
        return int(column)
    raise SourceError(f"column {column!r} not found; the file has {', '.join(names)}")


def header_of(head: FileHead, delimiter: str) -> tuple[str, ...]:
    """Names in the first line of a CSV file."""
    first = head.lines[0].decode("utf-8", "replace") if head.lines else ""
    return tuple(name.strip().strip('"') for name in first.split(delimiter))


def read_csv(head: FileHead, mapping: ColumnMapping) -> Iterator[Item]:
    """Items of a CSV file."""
    reader = RowReader(mapping, header_of(head, mapping.delimiter) if mapping.has_header else (), stem_of(head))
    delimiter = mapping.delimiter

    def parse(line: bytes) -> MarketEvent:
        return reader(line.decode().split(delimiter))

    return read_file(head.source, head.path, head.member, parse, skip_lines=int(mapping.has_header))


def read_parquet(head: FileHead, mapping: ColumnMapping) -> Iterator[Item]:
    """Items of a Parquet file, batch by batch."""
    with pq.ParquetFile(head.path) as file:
        reader = RowReader(mapping, file.schema_arrow.names, stem_of(head))
        number = 0
        for batch in file.iter_batches(BATCH_ROWS):
            columns = [plain_values(column, mapping.time_zone) for column in batch.columns]
            for index, row in enumerate(zip(*columns, strict=True), number + 1):
                yield row_item(head.source, index, row, reader)
            number += batch.num_rows


def plain_values(column: Any, time_zone: str) -> list[Any]:
    """Values of a column; timestamps as `Instant`, those without a zone as times of `time_zone`."""
    if not pa.types.is_timestamp(column.type):
        return list(column.to_pylist())
    instants = column.cast(pa.timestamp("ns", tz=column.type.tz))
    if column.type.tz is None:
        instants = pc.assume_timezone(instants, time_zone, ambiguous="earliest", nonexistent="earliest")
    return [None if value is None else Instant(value) for value in instants.cast(pa.int64()).to_pylist()]


def row_item(source: str, number: int, row: Row, reader: RowReader) -> Item:
    """What one row becomes."""
    try:
        event = reader(row)
        if not 0 <= event.event_time <= MAXIMUM_TIME:
            raise ValueError(f"event time {event.event_time} ns is outside 1970-2262")
    except PARSE_ERRORS as error:
        return RejectedLine(source, number, json.dumps(list(row), default=str).encode(), f"{type(error).__name__}: {error}")
    return event


def stem_of(head: FileHead) -> str:
    """Upper-case file name without its endings."""
    return head.name.partition(".")[0].upper()


def is_parquet(head: FileHead) -> bool:
    """Whether the file is Parquet, by its first bytes."""
    return not head.member and bool(head.lines) and head.lines[0].startswith(b"PAR1")


def with_mapping(head: FileHead, mapping: ColumnMapping) -> SourceFile:
    """A file as its mapping says. Raises SourceError when a column is not there."""
    names = schema_names(head) if is_parquet(head) else header_of(head, mapping.delimiter) if mapping.has_header else ()
    RowReader(mapping, names, "")
    read = partial(read_parquet if is_parquet(head) else read_csv, head, mapping)
    kind = f"generic-{'parquet' if is_parquet(head) else 'csv'}-{mapping.kind}"
    return SourceFile(head.source, kind, "generic", () if mapping.symbol else (mapping.symbol_name or stem_of(head),), read)


def guessed_bar_seconds(head: FileHead, mapping: ColumnMapping) -> float:
    """Smallest positive step between the times of the first rows; 60 where there is none."""
    position, read, times = position_of(mapping.time, header_of(head, mapping.delimiter)), time_reader(mapping), []
    for line in head.lines[1:]:
        try:
            times.append(read(line.decode().split(mapping.delimiter)[position]))
        except PARSE_ERRORS:
            continue
    steps = [later - earlier for earlier, later in pairwise(sorted(set(times)))]
    return min(steps) / NANOSECONDS_PER_SECOND if steps else 60.0


def schema_names(head: FileHead) -> tuple[str, ...]:
    """Columns of a Parquet file; none when it is broken."""
    try:
        return tuple(pq.read_schema(head.path).names)
    except (pa.ArrowInvalid, OSError):
        return ()


def recognise(head: FileHead) -> SourceFile | None:
    """A file whose columns have usual names."""
    if not head.lines:
        return None
    if is_parquet(head):
        mapping = guessed_mapping(schema_names(head))
        return None if mapping is None else with_mapping(head, mapping)
    first = head.lines[0].decode("utf-8", "replace")
    delimiter = max(DELIMITERS, key=first.count)
    mapping = guessed_mapping(tuple(first.split(delimiter)), delimiter)
    if mapping is not None and mapping.kind == "bars":
        mapping = replace(mapping, bar_seconds=guessed_bar_seconds(head, mapping))
    return None if mapping is None else with_mapping(head, mapping)
