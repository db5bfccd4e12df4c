"""The prices around a piece of the table, by symbol: all that outcomes need, a few numbers a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.training.dataset import feature_values
from jobs.training.labelling.path import NO_BREAKS, PricePath, Times, path_of

COLUMNS = ("symbol", "event_time_ns", "event_number", "feature_values", "feature_valid", "price")
_SPREAD, _HALTED = "spread", "halted"


class Prices(NamedTuple):
    """Rows of one batch or of several; of one symbol where that is said."""

    symbol: npt.NDArray[np.str_]
    time: Times
    number: npt.NDArray[np.int64]
    price: npt.NDArray[np.float64]
    spread: npt.NDArray[np.float64]
    halted: npt.NDArray[np.bool_]

    def take(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Prices:
        """Some of the rows."""
        return Prices(
            self.symbol[chosen], self.time[chosen], self.number[chosen], self.price[chosen], self.spread[chosen], self.halted[chosen]
        )


def read_paths(
    batches: Iterable[pa.RecordBatch], feature_names: tuple[str, ...], breaks: Mapping[str, Times], longest_gap: int
) -> dict[str, PricePath]:
    """Symbol -> its rows with a price, each once, by (event time, event number). `breaks` of the symbol "" hold for all."""
    return {symbol: _path(rows, symbol, breaks, longest_gap) for symbol, rows in read_prices(batches, feature_names).items()}


def read_prices(batches: Iterable[pa.RecordBatch], feature_names: tuple[str, ...]) -> dict[str, Prices]:
    """The same rows with their event numbers, from batches of COLUMNS."""
    parts = [_prices_of(batch, feature_names) for batch in batches if batch.num_rows]
    if not parts:
        return {}
    rows = Prices(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    rows = rows.take(rows.price > 0)
    return {symbol: _in_order(rows.take(rows.symbol == symbol)) for symbol in np.unique(rows.symbol).tolist()}


def _prices_of(batch: pa.RecordBatch, feature_names: tuple[str, ...]) -> Prices:
    values = feature_values(batch, len(feature_names))
    spread = values[:, feature_names.index(_SPREAD)] if _SPREAD in feature_names else np.full(batch.num_rows, np.nan)
    halted = values[:, feature_names.index(_HALTED)] if _HALTED in feature_names else np.zeros(batch.num_rows)
    return Prices(
        batch.column("symbol").to_numpy(zero_copy_only=False).astype(str),
        batch.column("event_time_ns").to_numpy(),
        batch.column("event_number").to_numpy(),
        batch.column("price").to_numpy(zero_copy_only=False).astype(np.float64),
        spread.astype(np.float64),
        np.asarray(halted == 1, np.bool_),
    )


def _in_order(rows: Prices) -> Prices:
    """One symbol's rows, each once."""
    rows = rows.take(np.lexsort((rows.number, rows.time)))
    again = (np.diff(rows.number) == 0) & (np.diff(rows.time) == 0)
    return rows.take(np.concatenate([[True], ~again]))


def _path(rows: Prices, symbol: str, breaks: Mapping[str, Times], longest_gap: int) -> PricePath:
    own = np.concatenate([breaks.get(name, NO_BREAKS) for name in {symbol, ""}])
    return path_of(rows.time, rows.price, rows.spread, rows.halted, own, longest_gap)


def breaks_of(batches: Iterable[pa.RecordBatch]) -> dict[str, Times]:
    """Symbol -> moments that no outcome may span, from batches of `symbol` and `event_time_ns`; "" holds for all symbols."""
    found: dict[str, list[int]] = {}
    for batch in batches:
        for symbol, time in zip(*(batch.column(name).to_pylist() for name in ("symbol", "event_time_ns")), strict=True):
            found.setdefault(symbol or "", []).append(time)
    return {symbol: np.unique(np.array(times, np.int64)) for symbol, times in found.items()}


def session_ends(calendar: str, from_time: int, to_time: int) -> Times:
    """When the sessions of an exchange end in the range, one nanosecond later, so that an outcome may end with the session.

    `calendar` is a name of exchange-calendars, such as XNYS. Raises its InvalidCalendarName.
    """
    return np.array([time + 1 for time in _closes(calendar, from_time, to_time) if from_time <= time < to_time], np.int64)


def _closes(calendar: str, from_time: int, to_time: int) -> Iterator[int]:
    import exchange_calendars

    first, last = (datetime.fromtimestamp(time / 1e9, UTC).date() for time in (from_time, to_time))
    exchange = exchange_calendars.get_calendar(calendar, start=first - timedelta(days=7), end=last + timedelta(days=7))
    for close in exchange.closes:
        yield int(close.value)
