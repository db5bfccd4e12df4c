"""A file of news."""

from __future__ import annotations

import csv
import io
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq

from jobs.gateway.market_event import Item, RejectedLine
from jobs.gateway.news.news_events import news_events
from jobs.gateway.readers.generic import Instant, plain_values
from jobs.gateway.readers.lines import BREAK_OFF_ERRORS, MAXIMUM_TIME, PARSE_ERRORS, open_bytes
from jobs.gateway.readers.times import NANOSECONDS_BY_UNIT, decimal_nanoseconds, written_time
from udfs.errors import SourceError
from udfs.records import NewsItem

USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("published", "published_at", "event_time", "time", "timestamp", "datetime", "date", "ts"),
    "available": ("available_time", "available", "received", "receive_time", "ts_init"),
    "symbols": ("symbols", "symbol", "tickers", "ticker", "instrument"),
    "headline": ("headline", "title", "text", "sentence"),
    "body": ("body", "content", "summary"),
    "identity": ("news_id", "id", "guid", "url"),
}
NEEDED = ("time", "symbols", "headline")


@dataclass(frozen=True)
class NewsMapping:
    """Columns by name, and what their values mean."""

    time: str = ""
    """When the item was published."""
    available: str = ""
    """When it could be known; the time of publication where there is none."""
    symbols: str = ""
    headline: str = ""
    body: str = ""
    identity: str = ""
    separator: str = ";"
    """Between the symbols of one item."""
    time_unit: str = ""
    """s, ms, us or ns since the epoch; empty: written out, or a number whose unit is told by its size."""
    time_zone: str = "UTC"
    """Zone of written times without an offset."""


def parse_news_mapping(text: str) -> NewsMapping:
    """A mapping from `time=ts,symbols=ticker,headline=title` or from a TOML file with the same keys. Raises SourceError."""
    if text.endswith(".toml"):
        try:
            values: dict[str, Any] = tomllib.loads(Path(text).read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise SourceError(f"--news-columns {text}: {error}") from error
    else:
        pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
        values = {name.strip(): value.strip() for name, _, value in pairs}
    known = [field.name for field in fields(NewsMapping)]
    problems = [f"{name!r} is not known; known are {', '.join(known)}" for name in values if name not in known]
    if values.get("time_unit") and values["time_unit"] not in NANOSECONDS_BY_UNIT:
        problems.append(f"time_unit: found {values['time_unit']!r}, expected one of {', '.join(NANOSECONDS_BY_UNIT)}")
    if problems:
        raise SourceError("--news-columns: " + "; ".join(problems))
    return NewsMapping(**{name: str(value) for name, value in values.items()})


def read_news_file(path: Path, mapping: NewsMapping | None = None) -> list[Item]:
    """The items of a CSV, Parquet or JSON-lines file (gzip or not) by available time, each once for every symbol that it names.

    The whole file is read: about a kilobyte an item. Columns that the mapping does not give are found by their usual names. Raises
    SourceError when the file cannot be read or lacks a column; a row that cannot be read is a rejected line.
    """
    try:
        rows = _parquet_rows(path, mapping) if path.suffix.lower() in (".parquet", ".pq") else _text_rows(path)
        reader: _Reader | None = None
        items: list[tuple[int, list[Item]]] = []
        for number, row in rows:
            if isinstance(row, RejectedLine):
                items.append((0, [row]))
                continue
            reader = reader or _Reader(path, mapping or NewsMapping(), list(row))
            items.append(reader.read(number, row))
    except BREAK_OFF_ERRORS as error:
        raise SourceError(f"{path}: {error}") from error
    if reader is None:
        raise SourceError(f"{path}: holds no news")
    return [item for _, found in sorted(items, key=lambda one: one[0]) for item in found]


class _Reader:
    """Turns the rows of one file into items."""

    def __init__(self, path: Path, mapping: NewsMapping, names: Sequence[str]) -> None:
        by_lower = {name.strip().lower(): name for name in reversed(names)}
        self._columns = {
            meaning: getattr(mapping, meaning) or next((by_lower[name] for name in usual if name in by_lower), "")
            for meaning, usual in USUAL_NAMES.items()
        }
        missing = [meaning for meaning in NEEDED if self._columns[meaning] not in names]
        if missing:
            raise SourceError(f"{path}: found columns {', '.join(names)}; none for {', '.join(missing)}; name them with --news-columns")
        self._name, self._mapping, self._zone = path.name, mapping, ZoneInfo(mapping.time_zone)

    def read(self, number: int, row: Mapping[str, Any]) -> tuple[int, list[Item]]:
        """(available time, items) of one row."""
        try:
            item = self._item(row)
            events = news_events(item, item.available_time)
            if not events:
                raise ValueError("names no symbol")
        except PARSE_ERRORS as error:
            return 0, [RejectedLine(self._name, number, json.dumps(dict(row), default=str).encode(), f"{type(error).__name__}: {error}")]
        return item.available_time, list(events)

    def _item(self, row: Mapping[str, Any]) -> NewsItem:
        published = self._time(row[self._columns["time"]])
        available = self._time(row[self._columns["available"]]) if self._text(row, "available") else published
        symbols = row[self._columns["symbols"]]
        names = symbols if isinstance(symbols, list | tuple) else str(symbols or "").split(self._mapping.separator)
        return NewsItem(
            news_id=self._text(row, "identity"),
            event_time=published,
            available_time=available,
            symbols=tuple(str(name).strip() for name in names),
            headline=self._text(row, "headline"),
            body=self._text(row, "body"),
            source=self._name,
        )

    def _text(self, row: Mapping[str, Any], meaning: str) -> str:
        value = row.get(self._columns[meaning])
        return "" if value is None else str(value)

    def _time(self, value: Any) -> int:
        if isinstance(value, Instant):
            found = int(value)
        elif self._mapping.time_unit:
            found = decimal_nanoseconds(str(value), NANOSECONDS_BY_UNIT[self._mapping.time_unit])
        else:
            found = written_time(str(value), self._zone)
        if not 0 <= found <= MAXIMUM_TIME:
            raise ValueError(f"time {found} ns is outside 1970-2262")
        return found


def _text_rows(path: Path) -> Iterator[tuple[int, dict[str, Any] | RejectedLine]]:
    """Rows of a CSV file with a header, or of one JSON object a line."""
    with open_bytes(path) as stream, io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline="") as text:
        first = text.readline()
        if not first.lstrip().startswith("{"):
            names = next(csv.reader([first]), [])
            for number, row in enumerate(csv.DictReader(text, names), 2):
                yield number, {name: value for name, value in row.items() if name is not None}
            return
        for number, line in enumerate(chain((first,), text), 1):
            if line.strip():
                yield number, _json_row(path.name, number, line)


def _json_row(name: str, number: int, line: str) -> dict[str, Any] | RejectedLine:
    try:
        row = json.loads(line)
    except ValueError as error:
        return RejectedLine(name, number, line.encode(), f"{type(error).__name__}: {error}")
    return row if isinstance(row, dict) else RejectedLine(name, number, line.encode(), "found no JSON object")


def _parquet_rows(path: Path, mapping: NewsMapping | None) -> Iterator[tuple[int, dict[str, Any]]]:
    zone = (mapping or NewsMapping()).time_zone
    with pq.ParquetFile(path) as file:
        number = 0
        for batch in file.iter_batches():
            columns = [plain_values(column, zone) for column in batch.columns]
            for row in zip(*columns, strict=True):
                number += 1
                yield number, dict(zip(batch.schema.names, row, strict=True))
