"""Markets for backtests, written down by hand: quotes each second, signals, and a lake that holds both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pyiceberg.catalog import Catalog

from jobs.backtest.stored_signals import Signals
from jobs.backtest.tape import Tape
from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.settings import local_lake
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from jobs.recomputation.stored import frame_hash
from tests.support.control_memory import frame_of
from tests.support.feature_lake import moment
from tests.support.kernel_events import MIDNIGHT, SECOND, quote, trade
from udfs.records import SignalStatus


def tape_of(mids: list[float], half_spread: float = 0.01, size: float = 1e9, closed: tuple[int, ...] = ()) -> Tape:
    """A quote each second from midnight on, and a trade of 100 with it."""
    rows = len(mids)
    mid, time = np.array(mids), MIDNIGHT + SECOND * np.arange(rows)
    is_open = np.ones(rows, bool)
    is_open[list(closed)] = False
    sizes = np.full(rows, size)
    return Tape(time, mid - half_spread, sizes, mid + half_spread, sizes, is_open, time, 100.0 * np.arange(rows + 1))


def signals_of(*said: tuple[float, int], horizon: float = 10.0) -> Signals:
    """(second after midnight, direction) each, sure of themselves."""
    time = np.array([MIDNIGHT + round(second * SECOND) for second, _ in said], np.int64)
    direction = np.array([side for _, side in said], np.int64)
    length = np.full(time.shape[0], round(horizon * SECOND), np.int64)
    return Signals(time, length, direction, np.full(time.shape[0], 0.9), direction * 1e-4)


def market_lake(folder: Path, edge: float, seed: int, seconds: int = 7200, symbols: int = 2) -> Catalog:
    """Quotes each second, for whole minutes, of a walk whose drift within each minute is `edge` deviations in the signal's direction."""
    lake = local_lake(folder, buckets=1)
    catalog = open_catalog(lake)
    create_tables(catalog, lake.buckets)
    for number in range(symbols):
        generator = np.random.default_rng([seed, number])
        known = np.repeat(generator.choice([-1.0, 1.0], seconds // 60 + 1), 60)[:seconds]
        logs = np.cumsum(2e-5 * (edge * np.append(0.0, known[:-1]) + generator.normal(size=seconds)))
        mids = 100 * np.exp(logs)
        _store(catalog, f"S{number}", number, mids, known)
    return catalog


def _store(catalog: Catalog, symbol: str, partition: int, mids: Any, known: Any) -> None:
    frames, signals = [], []
    for first in range(0, len(mids), 60):
        at = [MIDNIGHT + second * SECOND for second in range(first, min(first + 60, len(mids)))]
        pairs = [(quote(time, mid - 0.001, mid + 0.001, 5e3, 5e3), trade(time, mid, 50.0)) for time, mid in zip(at, mids[first:].tolist())]
        place = {"topic": "market.frames", "kafka_partition": partition, "kafka_offset": first // 60}
        frame = frame_of([event for pair in pairs for event in pair], 0, symbol)
        frames.append({"symbol": symbol, "event_time": moment(at[-1]), "frame": frame, "frame_hash": frame_hash(frame)} | place)
        signals += [_signal(symbol, second, float(known[second]), first + 60 - second) | place for second in (first, first + 30)]
    append_rows(catalog, NAMESPACE, "market_frames", frames)
    append_rows(catalog, NAMESPACE, "signals", signals)


def _signal(symbol: str, second: int, side: float, horizon_seconds: int) -> dict[str, Any]:
    time = MIDNIGHT + second * SECOND + 1000
    said = {
        "direction": int(side),
        "confidence": 0.8,
        "expected_return": side * 1e-4,
        "sigma": 1e-3,
        "status": int(SignalStatus.OK),
        "code": 0,
    }
    probabilities = {"probability_down": 0.1, "probability_neutral": 0.1, "probability_up": 0.8}
    names = {"signal_id": f"{symbol}-{second}", "model_version": "m1", "model_hash": "h", "feature_hash": "f", "manifest_id": "m"}
    times = {"event_time": moment(time), "event_time_ns": time, "available_time_ns": time, "event_number": second + 1}
    rest = {"horizon_ns": horizon_seconds * SECOND, "price": 100.0, "reasons": "[]", "control_version": 0, "event_index": 0}
    return {"symbol": symbol} | times | said | probabilities | names | rest
