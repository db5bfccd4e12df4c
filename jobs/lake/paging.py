"""The newest rows of a table, a page at a time: files are read from the newest on, and no further than the page needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.conversions import from_bytes
from pyiceberg.expressions import BooleanExpression
from pyiceberg.table import FileScanTask, Table
from pyiceberg.types import TimestamptzType

from jobs.lake.reading import planned_files

Place = tuple[int, "int | str"]
"""What orders rows: a time in nanoseconds, and what tells rows of one time apart."""


@dataclass(frozen=True, slots=True)
class Order:
    """Columns by which a table's rows are told apart and ordered, and the column of microseconds that its files are cut by."""

    time: str
    """Nanoseconds since 1970."""
    tie: str
    cut: str


def newest_rows(
    stored: Table, columns: Sequence[str], wanted: BooleanExpression, order: Order, before: Place | None, most: int
) -> tuple[list[dict[str, Any]], Place | None]:
    """At most `most` rows, newest first, all of them before `before`; and from where to go on, None when there are no more.

    Rows that were stored twice are given once, so a page may be shorter than `most` while there is more.
    """
    kept: pa.Table | None = None
    for newest, batches in _files(stored, columns, wanted, order):
        if kept is not None and kept.num_rows == most and newest < kept.column(order.time)[-1].as_py() // 1000:
            break
        for batch in batches:
            rows = pa.Table.from_batches([batch])
            rows = rows if before is None else rows.filter(_is_before(rows, order, before))
            kept = _first(rows if kept is None else pa.concat_tables([kept, rows]), order, most)
    found = [] if kept is None else kept.to_pylist()
    last = (found[-1][order.time], found[-1][order.tie]) if len(found) == most else None
    return list(_once(found, order)), last


def _files(stored: Table, columns: Sequence[str], wanted: BooleanExpression, order: Order) -> list[tuple[int, Iterator[pa.RecordBatch]]]:
    """Each file's rows with a bound on its newest, microseconds; the newest file first."""
    field = stored.schema().find_field(order.cut).field_id
    found = [(_bound(task, field), batches) for task, batches in planned_files(stored, columns, wanted)]
    return sorted(found, key=lambda each: -each[0])


def _bound(task: FileScanTask, field: int) -> int:
    bound = (task.file.upper_bounds or {}).get(field)
    return (1 << 62) if bound is None else int(from_bytes(TimestamptzType(), bound))


def _is_before(rows: pa.Table, order: Order, before: Place) -> pa.ChunkedArray:
    time, tie = rows.column(order.time), rows.column(order.tie)
    same = pc.and_(pc.equal(time, before[0]), pc.less(tie, before[1]))
    return pc.or_(pc.less(time, before[0]), same)


def _first(rows: pa.Table, order: Order, most: int) -> pa.Table:
    if not rows.num_rows:
        return rows
    keys = [(order.time, "descending"), (order.tie, "descending")]
    return rows.take(pc.select_k_unstable(rows, min(most, rows.num_rows), keys))


def _once(rows: Sequence[dict[str, Any]], order: Order) -> Iterator[dict[str, Any]]:
    last: Place | None = None
    for row in rows:
        place = (row[order.time], row[order.tie])
        if place != last:
            yield row
        last = place
