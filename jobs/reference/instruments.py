"""Reference data of instruments: sector, size, calendar, listing, each from when it held and from when it was known.

A table has the columns symbol, valid_from, available_from, sector, market_cap_bucket, calendar, listed_on, delisted_on; all but the
symbol may be empty. A row holds from `valid_from` until the symbol's next one; nobody is told of it before `available_from`. What is
delisted keeps its rows: history never forgets it. A date is a day of the row's calendar, or of the default one, and begins with its
session's day; at midnight UTC where there is neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jobs.reference.tables import Row, code_of, day_of, midnight, newest_known, parsed, read_table, required, second_of

SECTORS = (
    "communication services",
    "consumer discretionary",
    "consumer staples",
    "energy",
    "financials",
    "health care",
    "industrials",
    "information technology",
    "materials",
    "real estate",
    "utilities",
    "crypto",
    "currencies",
    "commodities",
    "rates",
    "index",
)
"""Their places are the codes in rows of features: never change or reuse one; add at the end."""
BUCKETS = ("nano", "micro", "small", "mid", "large", "mega")
"""Market capitalisation, smallest first."""
_NEEDED = ("symbol",)
_OPTIONAL = ("valid_from", "available_from", "sector", "market_cap_bucket", "calendar", "listed_on", "delisted_on")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One row. Times are seconds since the epoch; NaN where nothing is known."""

    symbol: str
    valid_from: float
    available_from: float
    sector: float
    """Place in `SECTORS`."""
    market_cap_bucket: float
    """Place in `BUCKETS`."""
    calendar: str
    """Name of exchange-calendars; empty: the default."""
    listed: float
    delisted: float


class Instruments:
    """A table of instruments, asked point in time."""

    def __init__(self, rows: list[Instrument]) -> None:
        self._rows: dict[str, list[Instrument]] = {}
        for row in rows:
            self._rows.setdefault(row.symbol, []).append(row)

    def at(self, symbol: str, second: float, available_second: float) -> Instrument | None:
        """What held at a time as far as it was known by another; None where nothing was."""
        return newest_known(self._rows.get(symbol, []), second, available_second)

    def next_change(self, symbol: str, second: float) -> float:
        """The next second at which another row may hold or be known; infinite when none is to come."""
        times = (time for row in self._rows.get(symbol, []) for time in (row.valid_from, row.available_from))
        return min((time for time in times if time > second), default=math.inf)

    @property
    def calendars(self) -> tuple[str, ...]:
        """Every calendar that a row names."""
        return tuple(sorted({row.calendar for rows in self._rows.values() for row in rows if row.calendar}))

    def calendar_at(self, symbol: str, second: float) -> str:
        """The calendar that was known at a time, empty where none was."""
        found = self.at(symbol, second, second)
        return found.calendar if found else ""

    def sector_at(self, symbol: str, second: float) -> int:
        """The sector that was known at a time, -1 where none was."""
        found = self.at(symbol, second, second)
        return -1 if found is None or math.isnan(found.sector) else int(found.sector)


def read_instruments(path: Path, default_calendar: str = "") -> Instruments:
    """The table of a CSV or Parquet file. Raises SourceError with every problem."""
    return Instruments(parsed(path, read_table(path, _NEEDED, _OPTIONAL), partial(_instrument, default_calendar)))


def _instrument(default_calendar: str, row: Row) -> Instrument:
    calendar = row.get("calendar", "") or default_calendar
    begin_of = day_of(calendar) if calendar else midnight
    valid_from = second_of(row, "valid_from", begin_of, -math.inf)
    listed, delisted = second_of(row, "listed_on", begin_of), second_of(row, "delisted_on", begin_of)
    if delisted < listed:
        raise ValueError(f"delisted_on {row['delisted_on']} lies before listed_on {row['listed_on']}")
    return Instrument(
        symbol=required(row, "symbol"),
        valid_from=valid_from,
        available_from=second_of(row, "available_from", begin_of, valid_from),
        sector=code_of(row, "sector", SECTORS),
        market_cap_bucket=code_of(row, "market_cap_bucket", BUCKETS),
        calendar=row.get("calendar", ""),
        listed=listed,
        delisted=delisted,
    )
