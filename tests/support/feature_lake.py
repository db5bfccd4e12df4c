"""A lake of synthetic feature rows, and tables beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from pyiceberg.catalog import Catalog
from pyiceberg.schema import Schema
from pyiceberg.types import DoubleType, LongType, NestedField, StringType

from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.settings import local_lake
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from jobs.training.dataset import Dataset

DELAY = 10_000_000
"""Nanoseconds from a row's event time to when it was available."""


def moment(nanoseconds: int) -> datetime:
    """As the lake stores event times: cut to milliseconds."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=nanoseconds // 1_000_000)


def lake_rows(dataset: Dataset) -> list[dict[str, Any]]:
    """The dataset as rows of the lake's table `features`."""
    packed = np.packbits(~np.isnan(dataset.values), axis=1, bitorder="little")
    shared = {"feature_set": dataset.feature_set, "bar_closed": False, "control_version": 0, "manifest_id": "manifest", "topic": "frames"}
    return [
        {
            "symbol": dataset.symbols[dataset.symbol[row]],
            "event_time": moment(int(dataset.event_time[row])),
            "event_time_ns": int(dataset.event_time[row]),
            "available_time_ns": int(dataset.event_time[row]) + DELAY,
            "event_number": int(dataset.event_number[row]),
            "feature_values": dataset.values[row].tolist(),
            "feature_valid": packed[row].tobytes(),
            "price": float(dataset.price[row]),
            "kafka_partition": int(dataset.symbol[row]),
            "kafka_offset": int(dataset.event_number[row]),
            "event_index": 0,
        }
        | shared
        for row in range(dataset.event_time.shape[0])
    ]


def feature_lake(folder: Path, rows: Sequence[dict[str, Any]], commits: int = 3) -> Catalog:
    """A lake with these feature rows, in several commits."""
    lake = local_lake(folder, buckets=2)
    catalog = open_catalog(lake)
    create_tables(catalog, lake.buckets)
    for part in range(commits):
        append_rows(catalog, NAMESPACE, "features", list(rows[part::commits]))
    return catalog


def add_table(catalog: Catalog, name: str, rows: Sequence[dict[str, Any]]) -> None:
    """A table of a person's own: symbol, two times, numbers."""
    numbers = [column for column in (rows[0] if rows else {}) if column not in ("symbol", "event_time_ns", "available_time_ns")]
    fields = [
        NestedField(1, "symbol", StringType(), required=True),
        NestedField(2, "event_time_ns", LongType(), required=True),
        NestedField(3, "available_time_ns", LongType(), required=True),
        *(NestedField(4 + k, column, DoubleType(), required=False) for k, column in enumerate(numbers)),
    ]
    catalog.create_table((NAMESPACE, name), Schema(*fields))
    append_rows(catalog, NAMESPACE, name, list(rows))
