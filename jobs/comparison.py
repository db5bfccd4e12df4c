"""Comparing what live wrote with what a replay wrote: every field of every row but the manifest, by its bits."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyiceberg.catalog import Catalog
from pyiceberg.transforms import BucketTransform
from pyiceberg.types import StringType

from jobs.lake.definitions import TABLES_BY_NAME
from jobs.lake.reading import Selection, read_rows
from jobs.lake.tables import NAMESPACE
from udfs.kernels.feature_vector import FEATURE_NAMES

NOT_COMPARED = ("manifest_id",)
"""What names the code: a replay by other code must show whether results differ, not that the code does."""
IDENTITY = ("symbol", "event_number")
"""What names a row of features or signals."""
ORDER = (("symbol", "ascending"), ("event_number", "ascending"), ("event_time_ns", "ascending"), ("event_index", "ascending"))
GROUPS = 16
"""Rows are compared in this many groups of symbols, so that memory holds one group."""


@dataclass
class TableComparison:
    """What came out for one table."""

    live_rows: int = 0
    replayed_rows: int = 0
    difference: dict[str, Any] | None = None
    """The first row that differs: symbol, position, field, both values."""
    digest: Any = field(default_factory=hashlib.sha256)

    @property
    def identical(self) -> bool:
        """Equal counts and equal bits."""
        return self.difference is None and self.live_rows == self.replayed_rows


def compare_table(catalog: Catalog, table: str, replay_namespace: str, selection: Selection) -> TableComparison:
    """Compare a table of the live namespace with that of a replay."""
    result = TableComparison()
    for group in symbol_groups(catalog, ((NAMESPACE, table), (replay_namespace, table)), selection):
        chosen = Selection(selection.from_time, selection.to_time, group)
        live, replayed = (_sorted(catalog, namespace, table, chosen) for namespace in (NAMESPACE, replay_namespace))
        result.live_rows += live.num_rows
        result.replayed_rows += replayed.num_rows
        add_to_digest(result.digest, live)
        if result.difference is None:
            result.difference = first_difference(live, replayed)
    return result


def symbol_groups(catalog: Catalog, tables: Sequence[tuple[str, str]], selection: Selection) -> Iterator[tuple[str, ...]]:
    """Symbols of tables given by namespace and name, those of one partition bucket together."""
    symbols: set[str] = set()
    for namespace, table in tables:
        for batch in read_rows(catalog, namespace, table, ("symbol",), selection):
            symbols.update(pc.unique(batch.column("symbol")).to_pylist())
    bucket = BucketTransform(GROUPS).transform(StringType())
    grouped: dict[Any, list[str]] = {}
    for symbol in sorted(symbols):
        grouped.setdefault(bucket(symbol), []).append(symbol)
    return (tuple(grouped[number]) for number in sorted(grouped))


def _sorted(catalog: Catalog, namespace: str, table: str, selection: Selection) -> pa.Table:
    columns = [name for name in TABLES_BY_NAME[table].column_names() if name not in NOT_COMPARED]
    batches = list(read_rows(catalog, namespace, table, columns, selection))
    if not batches:
        return pa.table({name: pa.array([], pa.null()) for name in columns})
    rows = pa.Table.from_batches(batches)
    return rows.take(pc.sort_indices(rows, sort_keys=list(ORDER))).combine_chunks()


def first_difference(live: pa.Table, replayed: pa.Table) -> dict[str, Any] | None:
    """The first row, in the order of symbol and event number, that is not the same to the bit; None when all are."""
    shared = min(live.num_rows, replayed.num_rows)
    firsts = [(_first_unequal(live.column(name), replayed.column(name), shared), name) for name in live.column_names] if shared else []
    row, name = min(((row, name) for row, name in firsts if row is not None), default=(shared, ""))
    keys = [_key(table, row) for table in (live, replayed)]
    if keys[0] == keys[1]:
        return _described(live, row, name, live.column(name)[row], replayed.column(name)[row]) if name else None
    only = live if replayed.num_rows == row or (live.num_rows > row and keys[0] < keys[1]) else replayed
    return _described(only, row, "row", *(pa.scalar("there" if table is only else "missing") for table in (live, replayed)))


def _key(rows: pa.Table, row: int) -> tuple[Any, ...]:
    """What names a row; empty behind the last one."""
    return tuple(rows.column(name)[row].as_py() for name in IDENTITY) if row < rows.num_rows else ()


def _described(rows: pa.Table, row: int, name: str, live: pa.Scalar, replayed: pa.Scalar) -> dict[str, Any]:
    def value(column: str) -> Any:
        return rows.column(column)[row].as_py()

    position = f"{value('topic')}/{value('kafka_partition')}/{value('kafka_offset')}/{value('event_index')}"
    left, right, name = _narrowed(live, replayed, name)
    return {
        "symbol": value("symbol"),
        "event_number": value("event_number"),
        "position": position,
        "field": name,
        "live": _shown(left),
        "replay": _shown(right),
    }


def _narrowed(live: pa.Scalar, replayed: pa.Scalar, name: str) -> tuple[Any, Any, str]:
    """For the vector of features: the first feature that differs."""
    if name != "feature_values" or len(live) != len(replayed):
        return live.as_py(), replayed.as_py(), name
    left, right = (_numpy(vector.values) for vector in (live, replayed))
    place = int(np.flatnonzero(left.view(np.uint32) != right.view(np.uint32))[0])
    return left[place], right[place], FEATURE_NAMES[place] if place < len(FEATURE_NAMES) else f"{name}[{place}]"


def _shown(value: Any) -> Any:
    """Floats as hexadecimal, NaN with its bits."""
    if isinstance(value, float | np.floating):
        bits = np.asarray(value).tobytes()[::-1].hex()
        return f"nan ({bits})" if np.isnan(value) else float(value).hex()
    return value.hex() if isinstance(value, bytes) else value if isinstance(value, int | str) else str(value)


def _first_unequal(live: pa.ChunkedArray, replayed: pa.ChunkedArray, rows: int) -> int | None:
    left, right = (_bits(column.slice(0, rows)) for column in (live, replayed))
    unequal = left != right
    return int(unequal.argmax()) if unequal.any() else None


def _bits(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """(rows,) a column as something whose equality is equality of bits; vectors as bytes."""
    array = column.combine_chunks()
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        return _vectors(array)
    if pa.types.is_floating(array.type):
        return _numpy(array).view(np.uint64)
    return _numpy(array.cast(pa.int64()) if pa.types.is_timestamp(array.type) else array)


def _vectors(array: pa.ListArray) -> npt.NDArray[Any]:
    values, ends = _numpy(array.flatten()), np.cumsum(_numpy(pc.list_value_length(array)))
    found = np.empty(len(array), object)
    found[:] = [values[start:end].tobytes() for start, end in zip((0, *ends[:-1]), ends)]
    return found


def _numpy(array: pa.Array) -> npt.NDArray[Any]:
    return np.asarray(array.to_numpy(zero_copy_only=False))


def add_to_digest(digest: Any, rows: pa.Table) -> None:
    """Add rows to a hash, column by column; numbers by their bits, texts by length and content."""
    for name in rows.column_names:
        bits = _bits(rows.column(name)) if rows.num_rows else np.zeros(0, np.uint8)
        digest.update(name.encode())
        digest.update(_texts(bits) if bits.dtype == object else np.ascontiguousarray(bits).tobytes())


def _texts(values: npt.NDArray[Any]) -> bytes:
    parts = [value if isinstance(value, bytes) else str(value).encode() for value in values]
    return b"".join(len(part).to_bytes(4, "little") + part for part in parts)
