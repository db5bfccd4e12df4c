"""One day of the lake: its served feature rows against those that its frames make, a group of symbols at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pyiceberg.catalog import Catalog

from jobs.comparison import symbol_groups
from jobs.lake.reading import Selection, read_rows
from jobs.lake.tables import NAMESPACE
from jobs.model_store import fetch_model
from jobs.recomputation.frames import recomputed_rows, stored_control
from jobs.recomputation.rates import Rates, RowSet
from jobs.recomputation.stored import Range, checked_frames
from jobs.settings import Settings
from jobs.training.dataset import COLUMNS, from_batches
from udfs.codecs.wire import PINNED, SchemaIds
from udfs.errors import TickflowError
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET
from udfs.operators.control_state import FetchModel
from udfs.operators.symbol_processor import PricedRow

DAY = 86_400 * 1_000_000_000
Online = Callable[[Sequence[str]], dict[str, RowSet]]
"""Symbols -> the newest row that the online store has of each; symbols that it does not know are left out."""


@dataclass
class DayComparison:
    """What came out for one day."""

    rates: Rates = field(default_factory=lambda: Rates.none(len(FEATURE_NAMES)))
    online: Rates | None = None
    """The online store's newest rows of the day against the recomputed ones; None when the store is not up."""


def compare_day(
    catalog: Catalog,
    day: int,
    settings: Settings,
    schema_ids: SchemaIds = PINNED,
    online: Online | None = None,
    fetch: FetchModel = fetch_model,
) -> DayComparison:
    """Compare the rows with event time in [day, day + 24 h) nanoseconds; what came before the day is recomputed for the state's sake.

    Raises TickflowError when the day holds no rows, or rows of another feature set, and FrameChanged for a frame that was altered.
    """
    result = DayComparison(online=Rates.none(len(FEATURE_NAMES)) if online else None)
    control = stored_control(catalog)
    for group in symbol_groups(catalog, ((NAMESPACE, "market_frames"), (NAMESPACE, "features")), Selection(None, day + DAY)):
        served = _served(catalog, day, group)
        frames = checked_frames(catalog, Range(None, day + DAY, group))
        rows = recomputed_rows(frames, settings, control, schema_ids, fetch)
        recomputed = _by_symbol(row for row in rows if day <= row.row.event_time < day + DAY)
        for symbol in sorted({*served, *recomputed}):
            result.rates.add(served.get(symbol, NO_ROWS), recomputed.get(symbol, NO_ROWS))
        if online and result.online:
            _add_online(result.online, online(group), recomputed, day)
    if not result.rates.rows_served and not result.rates.rows_recomputed:
        raise TickflowError("the day holds neither served rows nor frames to recompute them from; `infra/tickflow dataset` lists the days")
    return result


def _served(catalog: Catalog, day: int, symbols: tuple[str, ...]) -> dict[str, RowSet]:
    batches = [batch for batch in read_rows(catalog, NAMESPACE, "features", COLUMNS, Selection(day, day + DAY, symbols)) if batch.num_rows]
    if not batches:
        return {}
    found = {name for batch in batches for name in batch.column("feature_set").unique().to_pylist()}
    if found != {FEATURE_SET}:
        raise TickflowError(f"the day was served with feature set {', '.join(sorted(found))}, this code computes {FEATURE_SET}")
    rows = from_batches(batches, FEATURE_NAMES)
    places = {symbol: np.flatnonzero(rows.symbol == code) for code, symbol in enumerate(rows.symbols)}
    return {symbol: RowSet(rows.event_number[own], rows.event_time[own], rows.values[own]) for symbol, own in places.items()}


def _by_symbol(rows: Iterable[PricedRow]) -> dict[str, RowSet]:
    found: dict[str, list[PricedRow]] = {}
    for row in rows:
        found.setdefault(row.row.symbol, []).append(row)
    return {symbol: _row_set(own) for symbol, own in found.items()}


def _row_set(rows: list[PricedRow]) -> RowSet:
    number = np.array([row.row.event_number for row in rows], np.int64)
    time = np.array([row.row.event_time for row in rows], np.int64)
    return RowSet(number, time, np.stack([valid_values(row.row.values, row.row.valid) for row in rows]))


def valid_values(values: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """(features,) with one NaN for everything that is not valid."""
    return np.where(valid & np.isfinite(values), values, np.float32(np.nan))


NO_ROWS = RowSet(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, len(FEATURE_NAMES)), np.float32))


def _add_online(rates: Rates, latest: dict[str, RowSet], recomputed: dict[str, RowSet], day: int) -> None:
    """The store holds one row a symbol: those of other days say nothing of this one."""
    for symbol, row in latest.items():
        if day <= row.time[0] < day + DAY:
            there = recomputed.get(symbol, NO_ROWS)
            same = (there.number == row.number[0]) & (there.time == row.time[0])
            rates.add(row, RowSet(*(column[same] for column in there)))
