"""How many of the job's minute bars are those that the tape's own minute files give."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
from pyiceberg.catalog import Catalog

from jobs.gateway.detect import open_source
from jobs.gateway.market_event import MarketEvent
from jobs.lake.reading import read_rows
from jobs.lake.tables import NAMESPACE
from udfs.kernels.events import EventKind

SECOND = 1_000_000_000
Prices = tuple[float, ...]


class Agreement(NamedTuple):
    """Minutes of the answer key, and how many of them the job has with equal prices and with equal volume."""

    minutes: int
    equal_prices: int
    equal_volumes: int


def answers(minute_files: list[Path]) -> dict[tuple[str, int], tuple[Prices, float]]:
    """(symbol, start) -> (open, high, low, close), volume."""
    found = {}
    for file in minute_files:
        for event in open_source(file).events():
            if isinstance(event, MarketEvent) and event.kind == EventKind.BAR:
                *prices, volume, seconds = (float(value) for value in event.payload)
                found[event.symbol, event.event_time - int(seconds) * SECOND] = (tuple(prices), volume)
    return found


def job_bars(catalog: Catalog) -> dict[tuple[str, int], tuple[Prices, float]]:
    """The same of the job's stored minute bars."""
    columns = ("symbol", "start_time_ns", "length_seconds", "open", "high", "low", "close", "volume")
    rows = pa.Table.from_batches(list(read_rows(catalog, NAMESPACE, "bars", columns))).to_pylist()
    minutes = [row for row in rows if row["length_seconds"] == 60]
    return {(row["symbol"], row["start_time_ns"]): (tuple(row[name] for name in columns[3:7]), row["volume"]) for row in minutes}


def agreement(catalog: Catalog, minute_files: list[Path]) -> Agreement:
    """Compare every minute of the answer key; prices to a hundredth of a cent, in which the tape counts."""
    ours = job_bars(catalog)
    key = answers(minute_files)
    matched = [(ours.get(place, ((), -1.0)), answer) for place, answer in key.items()]
    equal_prices = sum(_ticks(found[0]) == _ticks(answer[0]) for found, answer in matched)
    return Agreement(len(key), equal_prices, sum(found[1] == answer[1] for found, answer in matched))


def _ticks(prices: Prices) -> list[int]:
    return [round(price * 10_000) for price in prices]
