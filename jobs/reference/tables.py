"""Reads small tables from CSV or Parquet, strictly: every problem is told with its row, and nothing is guessed."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from jobs.reference.sessions import sessions_of
from udfs.errors import InvalidSettings, SourceError

Row: TypeAlias = Mapping[str, str]
BeginOf: TypeAlias = Callable[[date], float]
"""Seconds since the epoch at which a date begins."""
MOST_PROBLEMS = 10
_DATE = re.compile(r"\d{4}-?\d{2}-?\d{2}")


def read_table(path: Path, needed: tuple[str, ...], optional: tuple[str, ...]) -> list[Row]:
    """Rows as texts, empty where there is nothing. Raises SourceError: not found, columns missing or unknown."""
    if not path.is_file():
        raise SourceError(f"{path}: not found; expected a CSV or Parquet file with the columns {', '.join(needed + optional)}")
    rows = _parquet_rows(path) if path.suffix == ".parquet" else _csv_rows(path)
    names = set(rows[0]) if rows else set(needed)
    problems = [f"column {name} is missing" for name in needed if name not in names]
    problems += [f"column {name} is not known" for name in sorted(names - {*needed, *optional})]
    if problems:
        raise SourceError(f"{path}: {'; '.join(problems)}; expected {', '.join(needed)} and perhaps {', '.join(optional)}")
    return rows


def _csv_rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, restkey="a column too many", restval="")
        return [{name: str(value).strip() for name, value in row.items()} for row in reader]


def _parquet_rows(path: Path) -> list[Row]:
    import pyarrow.parquet as parquet

    rows = parquet.read_table(path).to_pylist()
    return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]


def parsed(path: Path, rows: list[Row], parse: Callable[[Row], Any]) -> list[Any]:
    """Each row parsed. Raises SourceError with the first problems, by row number."""
    values, problems = [], []
    for number, row in enumerate(rows, start=2):
        try:
            values.append(parse(row))
        except ValueError as error:
            problems.append(f"row {number}: {error}")
    if problems:
        more = f"; and {len(problems) - MOST_PROBLEMS} more" if len(problems) > MOST_PROBLEMS else ""
        raise SourceError(f"{path}: {'; '.join(problems[:MOST_PROBLEMS])}{more}")
    return values


def required(row: Row, name: str) -> str:
    """A text that must be there."""
    if not row.get(name):
        raise ValueError(f"{name} is empty")
    return row[name]


def second_of(row: Row, name: str, begin_of: BeginOf, otherwise: float = math.nan) -> float:
    """Seconds since the epoch of an ISO time, UTC unless it says otherwise, or of an ISO date, which is the exchange's."""
    text = row.get(name, "")
    if not text:
        return otherwise
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}, expected an ISO date or time such as 2024-06-10 or 2024-06-10T13:30:00+00:00") from None
    if _DATE.fullmatch(text):
        return begin_of(time.date())
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def midnight(day: date) -> float:
    """When a date begins in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def day_of(calendar: str) -> BeginOf:
    """When dates begin by a calendar: not at midnight UTC, which lies in the late trading of New York in winter. Raises ValueError."""
    try:
        return sessions_of(calendar).begin_of
    except InvalidSettings as error:
        raise ValueError(str(error)) from error


def number_of(row: Row, name: str, least: float) -> float:
    """A number above `least`, NaN where there is none."""
    text = row.get(name, "")
    try:
        number = float(text) if text else math.nan
    except ValueError:
        raise ValueError(f"{name} is {text!r}, expected a number") from None
    if number <= least or math.isinf(number):
        raise ValueError(f"{name} is {text}, expected above {least:g}")
    return number


def code_of(row: Row, name: str, codes: tuple[str, ...]) -> float:
    """Place of a name in a list, NaN where there is none."""
    text = row.get(name, "").lower()
    if not text:
        return math.nan
    if text not in codes:
        raise ValueError(f"{name} is {text!r}, expected one of {', '.join(codes)}")
    return float(codes.index(text))


def newest_known(rows: Iterator[Any] | list[Any], second: float, available_second: float) -> Any | None:
    """Of rows with `valid_from` and `available_from`, the one in force: valid by then, known by then, the newest and last corrected."""
    known = [row for row in rows if row.valid_from <= second and row.available_from <= available_second]
    return max(known, key=lambda row: (row.valid_from, row.available_from), default=None)
