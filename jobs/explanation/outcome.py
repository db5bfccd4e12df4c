"""What came of a signal: the symbol's first price at or after its horizon."""

from __future__ import annotations

import math
from typing import Any

from pyiceberg.catalog import Catalog

from jobs.lake.definitions import FEATURES
from jobs.lake.reading import Selection, lower_bound, planned_files, row_filter
from jobs.lake.tables import NAMESPACE

_MARGIN = 1_000_000_000
"""Nanoseconds: the tables' times are cut to milliseconds."""


def outcome_of(catalog: Catalog, stored: dict[str, Any]) -> dict[str, Any] | None:
    """Time, price and log return; None while none is stored, and where no horizon was predicted."""
    if not stored["horizon_ns"]:
        return None
    first = _first_price(catalog, stored["symbol"], stored["event_time_ns"] + stored["horizon_ns"])
    if first is None:
        return None
    time, price = first
    return {"event_time_ns": time, "price": price, "log_return": math.log(price / stored["price"])}


def _first_price(catalog: Catalog, symbol: str, due: int) -> tuple[int, float] | None:
    """The earliest (time, price) from `due` on. Files that begin after the earliest one found so far are not read."""
    table, best = catalog.load_table((NAMESPACE, FEATURES.name)), None
    wanted = row_filter(FEATURES.time_column, Selection(due - _MARGIN, None, (symbol,)))
    files = [
        (lower_bound(table, task, "event_time_ns") or 0, batches)
        for task, batches in planned_files(table, ("event_time_ns", "price"), wanted)
    ]
    for begins, batches in sorted(files, key=lambda file: file[0]):
        if best is not None and begins > best[0]:
            break
        for batch in batches:
            for time, price in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if time >= due and price == price and (best is None or (time, price) < best):
                    best = time, price
    return best
