"""A table of the lake as it is at one snapshot: what is committed while a dataset is being read does not change it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, GreaterThanOrEqual, LessThan
from pyiceberg.table import Table

from jobs.lake.reading import Selection, condition, row_filter, scan_batches


class PinnedTable:
    """One table at its newest snapshot when this was made."""

    def __init__(self, catalog: Catalog, namespace: str, name: str) -> None:
        self.name = name
        self._stored: Table = catalog.load_table((namespace, name))
        snapshot = self._stored.current_snapshot()
        self.snapshot_id = snapshot.snapshot_id if snapshot else None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(field.name for field in self._stored.schema().fields)

    def selected(self, columns: Sequence[str], time_column: str, selection: Selection) -> Iterator[pa.RecordBatch]:
        """Batches of `columns`; `time_column` holds times of the lake's own kind."""
        yield from self._batches(columns, row_filter(time_column, selection))

    def between(self, columns: Sequence[str], time_column: str, from_time: int | None, to_time: int) -> Iterator[pa.RecordBatch]:
        """Batches of rows whose `time_column`, in nanoseconds, lies in [from_time, to_time)."""
        wanted = condition(LessThan, time_column, to_time)
        if from_time is not None:
            wanted = And(wanted, condition(GreaterThanOrEqual, time_column, from_time))
        yield from self._batches(columns, wanted)

    def everything(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Batches of all rows."""
        yield from self._batches(columns, AlwaysTrue())

    def _batches(self, columns: Sequence[str], wanted: BooleanExpression) -> Iterator[pa.RecordBatch]:
        if self.snapshot_id is not None:
            yield from scan_batches(self._stored, columns, wanted, self.snapshot_id)
