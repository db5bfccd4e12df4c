"""Stored rows of the lake, a page at a time, as JSON values. Reads run beside the event loop, a few at once."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import And, EqualTo
from pyiceberg.table import Table

from jobs.lake.catalog import open_catalog
from jobs.lake.paging import Order, Place, newest_rows
from jobs.lake.reading import Selection, condition, row_filter, scan_batches
from jobs.lake.settings import LakeSettings
from jobs.lake.tables import NAMESPACE
from jobs.serving.api.clock import rfc3339
from jobs.serving.api.problems import Problem
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET
from udfs.records import Direction, SignalCode, SignalStatus

AT_ONCE, MOST_WAITING = 2, 32
TABLE_SECONDS: Final = 2.0
"""How long a table's newest state is taken for the newest."""
LONGEST_CURSOR: Final = 300
LATEST: Final = 1 << 62
"""Nanoseconds; in the year 2116."""


Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Stored:
    """A table as it is shown."""

    columns: tuple[str, ...]
    order: Order
    view: Callable[[dict[str, Any]], dict[str, Any]]


def _times(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: rfc3339(row[f"{name}_ns"]) for name in names}


def _signal(row: dict[str, Any]) -> dict[str, Any]:
    plain = (
        "signal_id",
        "event_number",
        "price",
        "confidence",
        "expected_return",
        "sigma",
        "model_version",
        "control_version",
        "manifest_id",
    )
    words = {
        "horizon_seconds": row["horizon_ns"] / 1e9,
        "direction": _name(Direction, row["direction"]),
        "status": _name(SignalStatus, row["status"]),
        "code": _name(SignalCode, row["code"]),
        "probabilities": {name: row[f"probability_{name}"] for name in ("down", "neutral", "up")},
        "reasons": json.loads(row["reasons"]),
    }
    return _times(row, "event_time", "available_time") | {name: row[name] for name in plain} | words


def _features(row: dict[str, Any]) -> dict[str, Any]:
    values = row["feature_values"]
    own = row["feature_set"] == FEATURE_SET and len(values) == len(FEATURE_NAMES)
    names = FEATURE_NAMES if own else tuple(map(str, range(len(values))))
    valid = np.unpackbits(np.frombuffer(row["feature_valid"], np.uint8), count=len(values), bitorder="little")
    shown = {name: value if bit else None for name, value, bit in zip(names, values, valid, strict=True)}
    plain = {name: row[name] for name in ("event_number", "feature_set", "price", "bar_closed")}
    return _times(row, "event_time", "available_time") | plain | {"values": shown}


def _bar(row: dict[str, Any]) -> dict[str, Any]:
    plain = ("length_seconds", "open", "high", "low", "close", "volume", "notional", "trades", "signed_volume")
    return _times(row, "start_time", "available_time") | {name: row[name] for name in plain}


def _alert(row: dict[str, Any]) -> dict[str, Any]:
    plain = ("alert_id", "rule_id", "symbol", "measure", "threshold", "value", "signal_id")
    return _times(row, "event_time") | {name: row[name] for name in plain}


def _name(members: Any, number: int) -> str:
    return str(members(number).name.lower()) if number in set(members) else str(number)


_ROW = ("event_time", "event_time_ns", "available_time_ns", "event_number")
TABLES: Final[Mapping[str, Stored]] = {
    "signals": Stored(
        (
            *_ROW,
            "signal_id",
            "horizon_ns",
            "price",
            "direction",
            "confidence",
            "probability_down",
            "probability_neutral",
            "probability_up",
            "expected_return",
            "sigma",
            "reasons",
            "status",
            "code",
            "model_version",
            "control_version",
            "manifest_id",
        ),
        Order("event_time_ns", "event_number", "event_time"),
        _signal,
    ),
    "features": Stored(
        (*_ROW, "feature_set", "feature_values", "feature_valid", "price", "bar_closed"),
        Order("event_time_ns", "event_number", "event_time"),
        _features,
    ),
    "bars": Stored(
        (
            "start_time",
            "start_time_ns",
            "available_time_ns",
            "length_seconds",
            "open",
            "high",
            "low",
            "close",
            "volume",
            "notional",
            "trades",
            "signed_volume",
        ),
        Order("start_time_ns", "length_seconds", "start_time"),
        _bar,
    ),
    "alerts": Stored(
        ("event_time", "event_time_ns", "alert_id", "rule_id", "symbol", "measure", "threshold", "value", "signal_id"),
        Order("event_time_ns", "alert_id", "event_time"),
        _alert,
    ),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a table; times of the table's own time column, `since` included, `until` not."""

    table: str
    symbol: str
    most: int
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None
    length_seconds: int | None = None
    """Of bars."""


class History:
    """Reads the lake. Raises Problem: 422 for a cursor that is none, 429 while too much waits, 503 when the lake does not answer."""

    def __init__(self, lake: LakeSettings) -> None:
        self._lake = lake
        self._catalog: Catalog | None = None
        self._tables: dict[str, tuple[Table, float]] = {}
        self._running = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._lock = threading.Lock()

    async def page(self, wanted: Wanted) -> tuple[list[dict[str, Any]], str | None, int | None]:
        """Rows as JSON values, newest first, the cursor to go on with, and the newest row's time."""
        before = None if wanted.before is None else read_cursor(wanted.before, str if wanted.table == "alerts" else int)
        rows, last = await self._beside(self._read, wanted, before)
        stored = TABLES[wanted.table]
        newest = rows[0][stored.order.time] if rows else None
        return [stored.view(row) for row in rows], None if last is None else write_cursor(last), newest

    async def has_signal(self, signal_id: str) -> bool:
        """Whether a signal of this id is stored."""
        return await self._beside(self._look_for_signal, signal_id)

    async def _beside(self, read: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs) -> Result:
        """Read in another thread, a few at once; Problem 429 while too many wait."""
        if self._waiting >= MOST_WAITING:
            raise Problem(429, "busy", "too many reads of history at once", {"Retry-After": "2"})
        self._waiting += 1
        try:
            async with self._running:
                return await asyncio.to_thread(read, *arguments, **named)
        finally:
            self._waiting -= 1

    def _look_for_signal(self, signal_id: str) -> bool:
        try:
            rows = scan_batches(self._table("signals"), ("signal_id",), condition(EqualTo, "signal_id", signal_id))
            return any(batch.num_rows for batch in rows)
        except NoSuchTableError:
            return False

    def _read(self, wanted: Wanted, before: Place | None) -> tuple[list[dict[str, Any]], Place | None]:
        stored = TABLES[wanted.table]
        try:
            table = self._table(wanted.table)
        except NoSuchTableError:
            return [], None
        until = _sooner(_nanoseconds(wanted.until), before and before[0] + 1_000)
        selection = Selection(_nanoseconds(wanted.since), until, (wanted.symbol,))
        rows = row_filter(stored.order.cut, selection)
        if wanted.length_seconds is not None:
            rows = And(rows, condition(EqualTo, "length_seconds", wanted.length_seconds))
        try:
            return newest_rows(table, stored.columns, rows, stored.order, before, wanted.most)
        except (OSError, FileNotFoundError) as error:
            self._tables.clear()
            raise Problem(503, "lake_unavailable", "the lake does not answer", {"Retry-After": "5"}) from error

    def _table(self, name: str) -> Table:
        """A table as it is now or was a moment ago. One thread at a time: the first opens the catalog, which may make its file."""
        with self._lock:
            known = self._tables.get(name)
            if known is None or time.monotonic() - known[1] >= TABLE_SECONDS:
                known = self._tables[name] = (self._load(name), time.monotonic())
            return known[0]

    def _load(self, name: str) -> Table:
        try:
            self._catalog = self._catalog or open_catalog(self._lake)
            return self._catalog.load_table((NAMESPACE, name))
        except NoSuchTableError:
            raise
        except Exception as error:  # whatever the catalog's own client raises when it is away
            self._catalog = None
            raise Problem(503, "lake_unavailable", "the lake's catalog does not answer", {"Retry-After": "5"}) from error


def write_cursor(place: Place) -> str:
    """Text for a place between rows; what is in it may change."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read_cursor(text: str, kind: type[int] | type[str]) -> Place:
    """Back again. Raises Problem."""
    try:
        time_of_row, tie = json.loads(base64.urlsafe_b64decode(text[:LONGEST_CURSOR] + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, TypeError, RecursionError):
        raise _no_cursor() from None
    numbers = (time_of_row, tie) if kind is int else (time_of_row,)
    if type(tie) is not kind or not all(type(number) is int and 0 <= number < LATEST for number in numbers):
        raise _no_cursor()
    return time_of_row, tie


def _no_cursor() -> Problem:
    return Problem(422, "invalid", "query.before: expected `next` of an earlier page")


def _nanoseconds(moment: datetime | None) -> int | None:
    return None if moment is None else min(max(round(moment.timestamp() * 1e6) * 1000, 0), LATEST)


def _sooner(first: int | None, second: int | None) -> int | None:
    given: Sequence[int] = [time for time in (first, second) if time is not None]
    return min(given) if given else None
