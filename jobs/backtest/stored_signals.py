"""The signals that live really made, as columns: nothing is scored again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyiceberg.catalog import Catalog

from jobs.lake.reading import Selection, read_rows
from udfs.records import SignalStatus

Times = npt.NDArray[np.int64]
Column = npt.NDArray[np.float64]
_COLUMNS = (
    *("symbol", "event_number", "available_time_ns", "horizon_ns", "direction", "confidence", "expected_return", "status"),
    "model_version",
)


class Signals(NamedTuple):
    """One symbol's signals that could be acted on, each once, in the order of availability."""

    time: Times
    """(signals,) when each was available."""
    horizon: Times
    direction: npt.NDArray[np.int64]
    """(signals,) -1, 0, 1."""
    confidence: Column
    expected_return: Column

    def take(self, chosen: npt.NDArray[np.bool_]) -> Signals:
        """Some of them."""
        return Signals(*(column[chosen] for column in self))  # type: ignore[arg-type]


class SignalRead(NamedTuple):
    """What was read."""

    by_symbol: dict[str, Signals]
    made: int
    """Signals of any status."""
    models: tuple[str, ...]


def read_signals(catalog: Catalog, namespace: str, selection: Selection) -> SignalRead:
    """The stored signals of a range; those that abstained, were halted or fell back are counted and left out."""
    batches = [batch for batch in read_rows(catalog, namespace, "signals", _COLUMNS, selection) if batch.num_rows]
    if not batches:
        return SignalRead({}, 0, ())
    rows = pa.Table.from_batches(batches)
    symbols = rows.column("symbol").to_numpy().astype(str)
    columns = {name: rows.column(name).to_numpy() for name in _COLUMNS[1:-1]}
    models = tuple(sorted(set(rows.column("model_version").unique().to_pylist()) - {""}))
    found = {symbol: _of_symbol(columns, np.flatnonzero(symbols == symbol)) for symbol in np.unique(symbols).tolist()}
    return SignalRead({symbol: one for symbol, one in found.items() if one.time.size}, rows.num_rows, models)


def _of_symbol(columns: dict[str, npt.NDArray[np.generic]], rows: npt.NDArray[np.intp]) -> Signals:
    order = rows[np.lexsort((columns["event_number"][rows], columns["available_time_ns"][rows]))]
    once = _first_of_each(columns["event_number"][order], columns["available_time_ns"][order])
    order = order[once & (columns["status"][order] == int(SignalStatus.OK))]
    direction = columns["direction"][order].astype(np.int64)
    numbers = (columns[name][order].astype(np.float64) for name in ("confidence", "expected_return"))
    return Signals(columns["available_time_ns"][order].astype(np.int64), columns["horizon_ns"][order].astype(np.int64), direction, *numbers)


def _first_of_each(*columns: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """(rows,) false where a row repeats the one before it, as after a restart."""
    same: Sequence[npt.NDArray[np.bool_]] = [column[1:] == column[:-1] for column in columns]
    return np.concatenate([[True], ~np.all(same, axis=0)]) if columns[0].size else np.zeros(0, np.bool_)
