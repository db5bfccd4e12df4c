"""Feature rows as columns in memory, each once, in an order that files do not decide; `point_in_time` reads them from the lake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from udfs.errors import TickflowError

COLUMNS = ("symbol", "event_time_ns", "available_time_ns", "event_number", "feature_set", "feature_values", "feature_valid", "price")
"""Columns of the table `features` that training reads."""
_NO_TIMES: npt.NDArray[np.int64] = np.zeros(0, np.int64)


class NotEnoughData(TickflowError):
    """Rows that no model can honestly be trained from: too few, all alike, or without values."""


class Dataset(NamedTuple):
    """Feature rows by (event time, symbol, event number)."""

    symbols: tuple[str, ...]
    """Names, sorted."""
    symbol: npt.NDArray[np.int32]
    """(rows,) index into `symbols`."""
    event_time: npt.NDArray[np.int64]
    """(rows,) nanoseconds."""
    event_number: npt.NDArray[np.int64]
    price: npt.NDArray[np.float64]
    """(rows,) mid price, or last price where there is no book; NaN before the first."""
    values: npt.NDArray[np.float32]
    """(rows, features) NaN where not valid."""
    feature_names: tuple[str, ...]
    feature_set: str
    snapshot_ids: tuple[int, ...] = ()
    available_time: npt.NDArray[np.int64] = _NO_TIMES
    """(rows,) nanoseconds: when each row could be acted on. Empty where nobody asked."""

    def take(self, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Dataset:
        """The chosen rows, in the order of `rows`."""
        return self._replace(
            symbol=self.symbol[rows],
            event_time=self.event_time[rows],
            event_number=self.event_number[rows],
            price=self.price[rows],
            values=self.values[rows],
            available_time=self.available_time[rows] if self.available_time.size else self.available_time,
        )


def from_table(table: pa.Table, feature_names: tuple[str, ...]) -> Dataset:
    """A dataset from an Arrow table with the columns of the lake's table `features`."""
    return from_batches(table.to_batches(), feature_names)


def from_batches(batches: Iterable[pa.RecordBatch], feature_names: tuple[str, ...], snapshot_ids: tuple[int, ...] = ()) -> Dataset:
    """A dataset from batches with at least COLUMNS.

    Raises NotEnoughData without rows, and ValueError when the rows hold another number of features or several feature sets.
    """
    parts = list(_parts(batches, len(feature_names)))
    if not parts:
        raise NotEnoughData(
            "no feature rows in the chosen range; run `infra/tickflow demo` or `live` with a lake first, or widen --from/--to"
        )
    names, event_time, available_time, event_number, price, values, feature_sets = (list(column) for column in zip(*parts, strict=True))
    found_sets = sorted(set().union(*feature_sets))
    if len(found_sets) > 1:
        raise ValueError(f"the rows were made with {len(found_sets)} feature sets ({', '.join(found_sets)}); choose a range with one")
    symbols, symbol = np.unique(np.concatenate(names), return_inverse=True)
    rows = Dataset(
        tuple(str(name) for name in symbols),
        symbol.astype(np.int32),
        np.concatenate(event_time),
        np.concatenate(event_number),
        np.concatenate(price),
        np.concatenate(values),
        feature_names,
        found_sets[0],
        snapshot_ids,
        np.concatenate(available_time),
    )
    return _in_order_once(rows)


def _in_order_once(rows: Dataset) -> Dataset:
    """Rows in their order; a row that a restart wrote again counts once."""
    order = np.lexsort((rows.event_number, rows.symbol, rows.event_time))
    same = np.all([np.diff(column[order]) == 0 for column in (rows.event_time, rows.symbol, rows.event_number)], axis=0)
    return rows.take(order[np.concatenate([[True], ~same])])


_Times = npt.NDArray[np.int64]
_Part = tuple[npt.NDArray[np.object_], _Times, _Times, _Times, npt.NDArray[np.float64], npt.NDArray[np.float32], set[str]]


def _parts(batches: Iterable[pa.RecordBatch], features: int) -> Iterator[_Part]:
    for batch in batches:
        if batch.num_rows:
            yield (
                batch.column("symbol").to_numpy(zero_copy_only=False).astype(str),
                batch.column("event_time_ns").to_numpy(),
                batch.column("available_time_ns").to_numpy(),
                batch.column("event_number").to_numpy(),
                batch.column("price").to_numpy(zero_copy_only=False).astype(np.float64),
                feature_values(batch, features),
                set(batch.column("feature_set").unique().to_pylist()),
            )


def feature_values(batch: pa.RecordBatch, features: int) -> npt.NDArray[np.float32]:
    """(rows, features) of one batch, NaN where the row's bit says not valid."""
    lists = batch.column("feature_values")
    lengths = np.diff(lists.offsets.to_numpy())
    if np.any(lengths != features):
        raise ValueError(f"stored rows hold {sorted(set(lengths.tolist()))} features, expected {features}: another feature set made them")
    values = lists.flatten().to_numpy(zero_copy_only=False).reshape(-1, features).astype(np.float32)
    valid = _valid(batch, features)
    return np.where(valid & np.isfinite(values), values, np.float32(np.nan))


def _valid(batch: pa.RecordBatch, features: int) -> npt.NDArray[np.bool_]:
    """(rows, features) from the packed bits, lowest bit first."""
    width = (features + 7) // 8
    packed = b"".join(batch.column("feature_valid").to_pylist())
    if len(packed) != width * batch.num_rows:
        raise ValueError(f"validity takes {len(packed)} bytes in {batch.num_rows} rows, expected {width} a row for {features} features")
    bits = np.unpackbits(np.frombuffer(packed, np.uint8).reshape(-1, width), axis=1, bitorder="little")
    return bits[:, :features].astype(bool)
