"""Reading the lake from Python, a file at a time, so that memory holds some files and never a table."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog import Catalog
from pyiceberg.conversions import from_bytes
from pyiceberg.expressions import AlwaysTrue, And, BooleanExpression, EqualTo, GreaterThanOrEqual, In, LessThan, LessThanOrEqual
from pyiceberg.io.pyarrow import ArrowScan, schema_to_pyarrow
from pyiceberg.table import DataScan, FileScanTask, Table
from pyiceberg.types import PrimitiveType

from jobs.lake.definitions import MARKET_FRAMES, TABLES_BY_NAME
from udfs.records import Position

_FRAME_COLUMNS = ("symbol", "event_time", "topic", "kafka_partition", "kafka_offset", "frame", "frame_hash")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows to read: [from_time, to_time) of the table's time column, and symbols; None and empty mean all.

    Times are nanoseconds since 1970; they and the stored times are cut to microseconds before they are compared.
    """

    from_time: int | None = None
    to_time: int | None = None
    symbols: tuple[str, ...] = ()


EVERYTHING = Selection()


class StoredFrame(NamedTuple):
    """A frame as it lies in the lake."""

    symbol: str
    event_time: int
    """Nanoseconds since 1970; Kafka's CreateTime, so whole milliseconds."""
    position: Position
    frame: bytes
    frame_hash: str
    """What the job computed of the frame when it stored it."""


def read_rows(
    catalog: Catalog, namespace: str, table: str, columns: Sequence[str] = (), selection: Selection = EVERYTHING
) -> Iterator[pa.RecordBatch]:
    """Batches of the rows of `table` that `selection` asks for, `columns` of them (none named means all), in no order.

    Raises pyiceberg's NoSuchTableError, and ValueError for a column that the table does not have.
    """
    stored = catalog.load_table((namespace, table))
    yield from scan_batches(stored, columns, row_filter(TABLES_BY_NAME[table].time_column, selection))


def scan_batches(
    stored: Table, columns: Sequence[str], wanted: BooleanExpression, snapshot_id: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Batches of the rows of any table that `wanted` lets through, as of a snapshot (the newest when none is named), a file at a time."""
    for _, batches in planned_files(stored, columns, wanted, snapshot_id):
        yield from batches


def planned_files(
    stored: Table, columns: Sequence[str], wanted: BooleanExpression, snapshot_id: int | None = None
) -> Iterator[tuple[FileScanTask, Iterator[pa.RecordBatch]]]:
    """Each file that may hold such rows, and its rows, of which nothing is read before the first is asked for."""
    scan = _scan(stored, columns, wanted, snapshot_id)
    for task in scan.plan_files():
        yield task, _read_file(stored, scan, task)


def newest_time(catalog: Catalog, namespace: str, table: str) -> int | None:
    """Largest `event_time_ns` of a table; None where it has no row. Raises pyiceberg's NoSuchTableError."""
    batches = read_rows(catalog, namespace, table, ("event_time_ns",))
    return max((pc.max(batch.column("event_time_ns")).as_py() for batch in batches if batch.num_rows), default=None)


def frames_in_order(
    catalog: Catalog, namespace: str, selection: Selection = EVERYTHING, last: Position | None = None
) -> Iterator[StoredFrame]:
    """The stored frames by (topic, partition, offset), each exactly once although a file may hold it again after a restart.

    Files whose offsets overlap are merged; each is loaded when its first offset is due and dropped when it is used up. With `last`,
    nothing of its partition after it.
    """
    stored = catalog.load_table((namespace, MARKET_FRAMES.name))
    for topic, partition in _log_partitions(stored, selection):
        ends = last.offset if last and (last.topic, last.partition) == (topic, partition) else None
        yield from _frames_of_partition(stored, topic, partition, selection, ends)


def _log_partitions(stored: Table, selection: Selection) -> list[tuple[str, int]]:
    """Topics and partitions of which frames are stored. A file of one partition says so in its statistics, and is not read."""
    found: set[tuple[str, int]] = set()
    columns = ("topic", "kafka_partition")
    for task, batches in planned_files(stored, columns, row_filter(MARKET_FRAMES.time_column, selection)):
        topic, partition = (_only_value(stored, task, column) for column in columns)
        if topic is not None and partition is not None:
            found.add((topic, partition))
            continue
        for batch in batches:
            found |= set(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    return sorted(found)


def _frames_of_partition(stored: Table, topic: str, partition: int, selection: Selection, ends: int | None) -> Iterator[StoredFrame]:
    of_partition: BooleanExpression = And(condition(EqualTo, "topic", topic), condition(EqualTo, "kafka_partition", partition))
    if ends is not None:
        of_partition = And(of_partition, condition(LessThanOrEqual, "kafka_offset", ends))
    scan = _scan(stored, _FRAME_COLUMNS, And(row_filter(MARKET_FRAMES.time_column, selection), of_partition))
    files = [_LazyFile(_lowest_offset(stored, task), number, stored, scan, task) for number, task in enumerate(scan.plan_files())]
    last_offset = -1
    for frame in _merged(files):
        if frame.position.offset > last_offset:
            last_offset = frame.position.offset
            yield frame


@dataclass(order=True)
class _LazyFile:
    """A file of frames, in the order of `next_offset`: a lower bound before it is loaded, then the offset of its first unused frame."""

    next_offset: int
    number: int
    stored: Table = field(compare=False)
    scan: DataScan = field(compare=False)
    task: FileScanTask = field(compare=False)
    frames: Iterator[StoredFrame] | None = field(compare=False, default=None)
    head: StoredFrame | None = field(compare=False, default=None)

    def take(self) -> StoredFrame | None:
        """The frame at the head (None on the first call, which loads the file) and steps on; `head` is None when it is used up."""
        taken = self.head
        if self.frames is None:
            self.frames = _sorted_frames(pa.Table.from_batches(_read_file(self.stored, self.scan, self.task), _arrow_schema(self.scan)))
        self.head = next(self.frames, None)
        self.next_offset = self.head.position.offset if self.head else self.next_offset
        return taken


def _merged(files: list[_LazyFile]) -> Iterator[StoredFrame]:
    heapq.heapify(files)
    while files:
        first = files[0]
        taken = first.take()
        if first.head is None:
            heapq.heappop(files)
        else:
            heapq.heapreplace(files, first)
        if taken is not None:
            yield taken


def _sorted_frames(rows: pa.Table) -> Iterator[StoredFrame]:
    ordered = rows.take(pc.sort_indices(rows, sort_keys=[("kafka_offset", "ascending")]))
    times = ordered.column("event_time").cast(pa.int64())
    for batch in ordered.set_column(1, "event_time", times).to_batches(max_chunksize=4096):
        for symbol, microseconds, topic, partition, offset, frame, frame_hash in zip(
            *(column.to_pylist() for column in batch.columns), strict=True
        ):
            yield StoredFrame(symbol, microseconds * 1000, Position(topic, partition, offset), frame, frame_hash)


def _lowest_offset(stored: Table, task: FileScanTask) -> int:
    lowest = lower_bound(stored, task, "kafka_offset")
    return -1 if lowest is None else int(lowest)


def lower_bound(stored: Table, task: FileScanTask, column: str) -> Any:
    """A value that no row of the file is below; None where its statistics have none. Of a long text it may be the beginning."""
    return _bound(stored, task.file.lower_bounds, column)


def _only_value(stored: Table, task: FileScanTask, column: str) -> Any:
    """The value that every row of the file has; None where there may be more. Bounds that were cut short are never equal."""
    lowest, highest = lower_bound(stored, task, column), _bound(stored, task.file.upper_bounds, column)
    return lowest if lowest == highest else None


def _bound(stored: Table, bounds: Mapping[int, bytes] | None, column: str) -> Any:
    field = stored.schema().find_field(column)
    bound = (bounds or {}).get(field.field_id)
    return from_bytes(field.field_type, bound) if bound is not None and isinstance(field.field_type, PrimitiveType) else None


def _scan(stored: Table, columns: Sequence[str], wanted: BooleanExpression, snapshot_id: int | None = None) -> DataScan:
    return stored.scan(row_filter=wanted, selected_fields=tuple(columns) or ("*",), snapshot_id=snapshot_id)


def _read_file(stored: Table, scan: DataScan, task: FileScanTask) -> Iterator[pa.RecordBatch]:
    """Batches of one file, cast to one schema: writers differ in how wide their strings are."""
    schema = _arrow_schema(scan)
    for batch in ArrowScan(stored.metadata, stored.io, scan.projection(), scan.row_filter).to_record_batches([task]):
        yield from pa.Table.from_batches([batch]).select(schema.names).cast(schema).to_batches()


def _arrow_schema(scan: DataScan) -> pa.Schema:
    return schema_to_pyarrow(scan.projection(), include_field_ids=False)


def row_filter(time_column: str, selection: Selection) -> BooleanExpression:
    """What a selection asks of the rows of a table."""
    wanted: BooleanExpression = AlwaysTrue()
    if selection.from_time is not None:
        wanted = And(wanted, condition(GreaterThanOrEqual, time_column, _iceberg_time(selection.from_time)))
    if selection.to_time is not None:
        wanted = And(wanted, condition(LessThan, time_column, _iceberg_time(selection.to_time)))
    return And(wanted, condition(In, "symbol", selection.symbols)) if selection.symbols else wanted


def condition(kind: Callable[..., BooleanExpression], column: str, value: object) -> BooleanExpression:
    """A comparison of a column with a value."""
    return kind(column, value)


def _iceberg_time(nanoseconds: int) -> str:
    seconds, microseconds = divmod(nanoseconds // 1000, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{microseconds:06d}+00:00"
