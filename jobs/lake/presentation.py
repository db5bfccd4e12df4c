"""Shows the rows of a query: a table for people, plain values for machines."""

from __future__ import annotations

import base64
import datetime
import math
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from jobs.lake.flink_session import SqlResult

_SHOWN_DIGITS = 8
WIDE = 1000
"""Columns of a file or a pipe: nothing is folded there."""


def as_json_object(result: SqlResult) -> dict[str, object]:
    """Columns, rows, number of rows shown, and whether that is all. NaN and infinities become null, bytes base64, times ISO 8601 text."""
    rows = [[plain(value) for value in row] for row in result.rows]
    return {"columns": list(result.columns), "rows": rows, "row_count": len(rows), "is_complete": result.is_complete}


def plain(value: object) -> object:
    """A value that JSON has."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def show(result: SqlResult, console: Console | None = None) -> None:
    """Prints a table, or OK for a statement without rows."""
    console = console or Console(width=None if sys.stdout.isatty() else WIDE)
    if not result.columns:
        console.print("OK")
        return
    table = Table(*(Column(name, overflow="fold") for name in result.columns))
    for row in result.rows:
        table.add_row(*(Text(words(value)) for value in row))
    console.print(table)
    more = "" if result.is_complete else ", and more: raise --rows"
    console.print(f"{len(result.rows)} rows{more}", highlight=False)


def words(value: object) -> str:
    """A value as a person reads it; empty for NULL."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.{_SHOWN_DIGITS}g}"
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    return str(value)
