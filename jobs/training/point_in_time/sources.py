"""Tables beside the feature rows: reference data, fundamentals, news. Read forwards in time, holding only what can still be asked for.

Any Iceberg table with `symbol`, `event_time_ns`, `available_time_ns` (nanoseconds) and numbers can be a source. Rows with an empty symbol
speak of the whole market. Rows that correct an earlier one have its event time and a later available time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyiceberg.catalog import Catalog

from jobs.training.point_in_time.as_of import NEVER, AsOf, Known, Times, check_known, in_order, moments_within, newest_as_of, nothing_known
from jobs.training.point_in_time.pinned import PinnedTable
from udfs.errors import InvalidSettings

IDENTITY = ("symbol", "event_time_ns", "available_time_ns")
LARGEST_SKEW = 3600 * 1_000_000_000
"""Nanoseconds that a row may have been decided on before its own event time (a receiver's clock that is behind)."""
_NANOSECONDS_PER_SECOND = 1e9


@dataclass(frozen=True, slots=True)
class Source:
    """A table to join: its newest values as of each row, their age, and, with a window, how many moments it tells of."""

    table: str
    columns: tuple[str, ...] = ()
    """Columns with numbers."""
    window: int = 0
    """Nanoseconds; 0 counts nothing. News has a window, reference data has none."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what is joined."""
        counted = ("count",) if self.window else ()
        return tuple(f"{self.table}.{name}" for name in (*self.columns, "age_seconds", *counted))


class Joined(NamedTuple):
    """What a source gave to some rows of one symbol."""

    values: npt.NDArray[np.float64]
    """(rows, names) NaN where nothing was known."""
    available_time: Times
    """(rows,) of what was used; `as_of.NEVER` where nothing was."""


class SourceStream:
    """One source, read up to some moment."""

    def __init__(self, catalog: Catalog, namespace: str, source: Source, join: AsOf = newest_as_of) -> None:
        self.source = source
        self._table = PinnedTable(catalog, namespace, source.table)
        missing = sorted({*IDENTITY, *source.columns} - set(self._table.columns))
        if missing:
            raise InvalidSettings(f"table {namespace}.{source.table} cannot be joined as of a time: it has no column {', '.join(missing)}")
        self._join = join
        self._known: dict[str, Known] = {}
        self._read_to: int | None = None

    @property
    def snapshot_id(self) -> int | None:
        """Which state of the table is read."""
        return self._table.snapshot_id

    @property
    def rows_held(self) -> int:
        """How many rows are in memory."""
        return sum(known.event_time.shape[0] for known in self._known.values())

    def advance(self, from_time: int, to_time: int) -> None:
        """Be ready for rows with event time in [from_time, to_time); `from_time` never goes back."""
        for batch in self._table.between((*IDENTITY, *self.source.columns), "event_time_ns", self._read_to, to_time):
            self._add(batch)
            self._forget(from_time)
        self._read_to = to_time
        self._forget(from_time)

    def join(self, symbol: str, event_time: Times, decision_time: Times) -> Joined:
        """Join to rows of one symbol; where nothing is known of it, what is known of the market.

        Raises LookAhead when the join used what it must not.
        """
        own, market = (self._join_one(name, event_time, decision_time) for name in (symbol, ""))
        empty = own.available_time == NEVER
        values = np.where(empty[:, None], market.values, own.values)
        if self.source.window:
            values[:, -1] = own.values[:, -1] + market.values[:, -1]
        return Joined(values, np.where(empty, market.available_time, own.available_time))

    def _join_one(self, name: str, event_time: Times, decision_time: Times) -> Joined:
        columns = len(self.source.columns)
        known = self._known.get(name, nothing_known(columns))
        place = self._join(known, event_time, decision_time)
        available = check_known(self.source.table, name, event_time, decision_time, known, place)
        there = place >= 0
        values = np.full((place.shape[0], len(self.source.names)), np.nan)
        values[there, :columns] = known.values[place[there]]
        values[there, columns] = (event_time[there] - known.event_time[place[there]]) / _NANOSECONDS_PER_SECOND
        if self.source.window:
            values[:, -1] = moments_within(known, event_time, decision_time, self.source.window)
        return Joined(values, available)

    def _add(self, batch: pa.RecordBatch) -> None:
        symbols = batch.column("symbol").fill_null("").to_numpy(zero_copy_only=False).astype(str)
        rows = Known(_times(batch, IDENTITY[1]), _times(batch, IDENTITY[2]), _numbers(batch, self.source.columns))
        for symbol in np.unique(symbols).tolist():
            before = self._known.get(symbol, nothing_known(len(self.source.columns)))
            added = rows.take(symbols == symbol)
            self._known[symbol] = in_order(Known(*(np.concatenate(pair) for pair in zip(before, added, strict=True))))

    def _forget(self, from_time: int) -> None:
        """Keep what is not yet known of, what a window still counts, and the newest of the rest."""
        certain = from_time - LARGEST_SKEW
        for symbol, known in self._known.items():
            newest = newest_as_of(known, np.array([certain]), np.array([certain]))[0]
            keep = (known.event_time > certain - self.source.window) | (known.available_time > certain)
            if newest >= 0:
                keep[newest] = True
            self._known[symbol] = known.take(keep)


def _times(batch: pa.RecordBatch, name: str) -> Times:
    column = batch.column(name)
    if column.null_count:
        raise InvalidSettings(f"{column.null_count} rows of a joined table have no {name}")
    return np.asarray(column.to_numpy(), np.int64)


def _numbers(batch: pa.RecordBatch, columns: Sequence[str]) -> npt.NDArray[np.float64]:
    found = [np.asarray(batch.column(name).to_numpy(zero_copy_only=False), np.float64) for name in columns]
    return np.column_stack(found) if found else np.zeros((batch.num_rows, 0))


def parse_source(text: str, window: int = 0) -> Source:
    """`table` or `table:column,column`. Raises ValueError."""
    table, _, columns = text.partition(":")
    if not table:
        raise ValueError(f"expected TABLE or TABLE:COLUMN,COLUMN, found {text!r}")
    return Source(table, tuple(name for name in columns.split(",") if name), window)
