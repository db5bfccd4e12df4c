"""Which column of a CSV or Parquet file means what: given by a person, or guessed from the usual names."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jobs.gateway.readers.times import NANOSECONDS_BY_UNIT
from udfs.errors import SourceError

TRADE_COLUMNS = ("price", "size")
QUOTE_COLUMNS = ("bid", "ask")
BAR_COLUMNS = ("open", "high", "low", "close")
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "time": ("time", "timestamp", "ts", "datetime", "date_time", "date", "event_time", "ts_event", "t"),
    "available": ("available_time", "receive_time", "received", "local_timestamp", "ts_recv", "ts_init"),
    "symbol": ("symbol", "ticker", "sym", "instrument", "pair", "product"),
    "price": ("price", "px", "last", "last_price", "ltp", "trade_price"),
    "size": ("size", "qty", "quantity", "amount", "volume", "vol", "last_size"),
    "side": ("side", "aggressor", "direction", "taker_side"),
    "bid": ("bid", "bid_price", "bidprice", "bid_px", "best_bid"),
    "bid_size": ("bid_size", "bidsize", "bid_sz", "bid_qty", "bid_amount", "bid_volume"),
    "ask": ("ask", "ask_price", "askprice", "ask_px", "best_ask", "offer"),
    "ask_size": ("ask_size", "asksize", "ask_sz", "ask_qty", "ask_amount", "ask_volume"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v"),
    "sequence": ("sequence", "seq", "trade_id", "update_id"),
}
BAR_TIMES = ("start", "end")


@dataclass(frozen=True)
class ColumnMapping:
    """Columns by name, or by number from 0 for a file without a header; and what the values mean.

    What the rows are follows from the columns: `price` → trades (with `size` and `side` where given); `bid` and `ask` → quotes (with
    sizes where given); `open`, `high`, `low`, `close` → bars (with `volume`).
    """

    time: str = ""
    available: str = ""
    symbol: str = ""
    price: str = ""
    size: str = ""
    side: str = ""
    bid: str = ""
    bid_size: str = ""
    ask: str = ""
    ask_size: str = ""
    open: str = ""
    high: str = ""
    low: str = ""
    close: str = ""
    volume: str = ""
    sequence: str = ""
    symbol_name: str = ""
    """Symbol of every row where no column tells it; else the file's name is used."""
    time_unit: str = ""
    """s, ms, us or ns since the epoch; empty: written out, or a number whose unit is told by its size."""
    time_zone: str = "UTC"
    """Zone of written times without an offset."""
    price_scale: float = 1.0
    """What prices are divided by."""
    bar_seconds: float = 60.0
    """Length of a bar."""
    bar_time: str = "end"
    """Whether the time of a bar is its start or its end."""
    delimiter: str = ","

    @property
    def kind(self) -> str:
        """`trades`, `quotes`, `bars`, or empty when the columns do not suffice for any."""
        if self.bid and self.ask:
            return "quotes"
        if all(getattr(self, name) for name in BAR_COLUMNS):
            return "bars"
        return "trades" if self.price else ""

    @property
    def has_header(self) -> bool:
        """False when the columns are given by number."""
        return not self.time.isdigit()

    def columns(self) -> dict[str, str]:
        """Column by meaning, those that are given."""
        return {name: getattr(self, name) for name in USUAL_NAMES if getattr(self, name)}


def parse_mapping(text: str) -> ColumnMapping:
    """A mapping from `time=ts,price=px,size=qty,symbol=ticker,time_unit=ms` or from the path of a TOML file with the same keys.

    Raises SourceError with every problem at once.
    """
    if text.endswith(".toml"):
        path = Path(text)
        if not path.is_file():
            raise SourceError(f"--columns {text}: file not found")
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        return checked_mapping(values.get("columns", values))
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    return checked_mapping({name.strip(): value.strip() for name, _, value in pairs})


def checked_mapping(values: Mapping[str, Any]) -> ColumnMapping:
    """A mapping from its values, checked."""
    known = {field.name for field in fields(ColumnMapping)}
    numbers = {"price_scale", "bar_seconds"}
    problems = [f"{name!r} is not known; known are {', '.join(sorted(known))}" for name in values if name not in known]
    settings: dict[str, Any] = {}
    for name in known & set(values):
        try:
            settings[name] = float(values[name]) if name in numbers else str(values[name])
        except (TypeError, ValueError):
            problems.append(f"{name}: found {values[name]!r}, expected a number")
    mapping = ColumnMapping(**settings)
    problems += problems_of(mapping)
    if problems:
        raise SourceError("--columns: " + "; ".join(problems))
    return mapping


def problems_of(mapping: ColumnMapping) -> list[str]:
    """What is wrong with a mapping."""
    problems = []
    if not mapping.time:
        problems.append("no `time` column")
    if not mapping.kind:
        problems.append("neither trades (price), quotes (bid, ask) nor bars (open, high, low, close)")
    if mapping.time_unit and mapping.time_unit not in NANOSECONDS_BY_UNIT:
        problems.append(f"time_unit: found {mapping.time_unit!r}, expected one of {', '.join(NANOSECONDS_BY_UNIT)}")
    if mapping.bar_time not in BAR_TIMES:
        problems.append(f"bar_time: found {mapping.bar_time!r}, expected start or end")
    if not mapping.price_scale > 0 or not mapping.bar_seconds > 0:
        problems.append("price_scale and bar_seconds must be positive")
    try:
        ZoneInfo(mapping.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        problems.append(f"time_zone: {mapping.time_zone!r} is not known")
    return problems


def guessed_mapping(names: tuple[str, ...], delimiter: str = ",") -> ColumnMapping | None:
    """A mapping from usual column names (in any case), None when they do not suffice."""
    by_lower = {name.strip().strip('"').lower(): name.strip().strip('"') for name in names}
    found: dict[str, Any] = {
        meaning: next((by_lower[name] for name in usual if name in by_lower), "") for meaning, usual in USUAL_NAMES.items()
    }
    mapping = ColumnMapping(**found, delimiter=delimiter)
    return mapping if mapping.time and mapping.kind else None
