"""The other systems' natural wire: one tick a record, as JSON; and what they must make of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from jobs.benchmark.peers.task import DISORDER_NANOSECONDS, ROW_INTERVAL_NANOSECONDS, take
from jobs.benchmark.prepared_log import PreparedLog
from jobs.gateway.market_event import BookLevels, MarketEvent, numbers_of
from udfs.kernels.events import EventKind

_NOTHING = {"price": 0.0, "size": 0.0, "side": 0, "bid": 0.0, "bid_size": 0.0, "ask": 0.0, "ask_size": 0.0}


class Wanted(NamedTuple):
    """How much there is, and how many rows must come of it."""

    ticks: int
    rows: int = 0
    """Of `task.take`."""
    windows: int = 0
    """Pairs of a symbol and a tumbling window with a tick in it."""
    closed_windows: int = 0
    """Of these, the ones that the last tick closes: a system that waits for the next tick never tells the others."""
    features: int = 0
    """Rows of Tickflow's own kernels."""


def tick_of(event: MarketEvent) -> dict[str, Any] | None:
    """A trade or a best level; None for what is neither. Nanoseconds, and the venue's units."""
    head = {"symbol": event.symbol, "time": event.event_time}
    if event.kind == EventKind.TRADE:
        price, size, side = numbers_of(event)
        return head | {"kind": "trade"} | _NOTHING | {"price": price, "size": size, "side": round(side)}
    if event.kind not in (EventKind.QUOTE, EventKind.BOOK):
        return None
    best = numbers_of(event) if event.kind == EventKind.QUOTE else cast("BookLevels", event.payload)[:, 0].tolist()
    return head | {"kind": "quote"} | _NOTHING | dict(zip(("bid", "bid_size", "ask", "ask_size"), best, strict=True))


def ticks_of(log: PreparedLog) -> Iterator[dict[str, Any]]:
    """All ticks of a log."""
    return (tick for tick in map(tick_of, log.single_events()) if tick is not None)


def encoded(tick: dict[str, Any]) -> bytes:
    """A tick as the record's value; its key is the symbol."""
    return json.dumps(tick, separators=(",", ":")).encode()


def wanted(log: PreparedLog) -> Wanted:
    """Made here, in one process, from the same ticks."""
    states: dict[str, dict[str, Any]] = {}
    ticks = rows = 0
    windows = set()
    for tick in ticks_of(log):
        states[tick["symbol"]], row = take(states.get(tick["symbol"]), tick)
        ticks, rows = ticks + 1, rows + (row is not None)
        windows.add((tick["symbol"], tick["time"] // ROW_INTERVAL_NANOSECONDS))
    last = (tick["time"] - DISORDER_NANOSECONDS) // ROW_INTERVAL_NANOSECONDS
    return Wanted(ticks, rows, len(windows), sum(window < last for _, window in windows))
