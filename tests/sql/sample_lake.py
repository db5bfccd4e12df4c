"""A small lake whose answers can be worked out by hand: three symbols, twenty minutes around midnight, every kind of row."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.settings import LakeSettings, local_lake
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from udfs.errors import Reason
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET
from udfs.records import Direction, SignalCode, SignalStatus

Row = dict[str, Any]

SYMBOLS = ("AAA", "BBB", "C'C")
START = datetime(2024, 3, 1, 23, 50, tzinfo=UTC)
STEP_SECONDS = 10
STEPS = 121
HORIZON_NS = 300_000_000_000
MANIFEST = "manifest-1"


def moment(step: float, symbol: str) -> datetime:
    return START + timedelta(seconds=step * STEP_SECONDS, milliseconds=SYMBOLS.index(symbol))


def nanoseconds(time: datetime) -> int:
    return int((time - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 1000


def price(step: int, symbol: str) -> float:
    """Goes up for the first symbol, down for the second, and round for the third."""
    place = SYMBOLS.index(symbol)
    return (100.0 + step, 200.0 - step, 50.0 + 5 * math.sin(step / 4))[place]


def feature_vector(step: int, symbol: str) -> list[float]:
    """Any numbers, float32, with gaps; imbalances within [-1, 1]."""
    place = SYMBOLS.index(symbol)
    values = np.array([((step * 7 + number * 3 + place * 5) % 19) / 10 - 0.9 for number in range(len(FEATURE_NAMES))], dtype=np.float32)
    values[[number for number in range(len(FEATURE_NAMES)) if (step + number + place) % 6 == 0]] = np.nan
    values[FEATURE_NAMES.index("vwap_5_minutes")] = math.nan if step % 12 == 0 else price(step, symbol) * 1.001
    return [float(value) for value in values]


def _position(step: int, symbol: str) -> Row:
    return {"topic": "market.frames", "kafka_partition": SYMBOLS.index(symbol), "kafka_offset": step, "event_index": 0}


def _identity(step: int, symbol: str) -> Row:
    time = moment(step, symbol)
    return {
        "symbol": symbol,
        "event_time": time,
        "event_time_ns": nanoseconds(time) + 7,
        "available_time_ns": nanoseconds(time) + 7 + 1_000_000 * (1 + step % 4),
        "event_number": step + 1,
    }


def _grid() -> list[tuple[int, str]]:
    return [(step, symbol) for step in range(STEPS) for symbol in SYMBOLS]


def market_frames() -> list[Row]:
    return [_frame(step, symbol) for step, symbol in _grid()]


def _frame(step: int, symbol: str) -> Row:
    frame = f"{symbol}{step}".encode()
    place = _without(_position(step, symbol), "event_index")
    return {"symbol": symbol, "event_time": moment(step, symbol), "frame": frame, "frame_hash": f"hash of {frame!r}"} | place


def _without(row: Row, *names: str) -> Row:
    return {name: value for name, value in row.items() if name not in names}


def features() -> list[Row]:
    current = [_feature_row(step, symbol, FEATURE_SET) for step, symbol in _grid() if step < STEPS - 3 or symbol != "BBB"]
    return [*current, _feature_row(STEPS + 5, "AAA", "another-feature-set") | {"price": math.nan}]


def _feature_row(step: int, symbol: str, feature_set: str) -> Row:
    values = feature_vector(step, symbol)
    valid = np.packbits(np.isfinite(values), bitorder="little").tobytes()
    known = {"feature_set": feature_set, "feature_values": values, "feature_valid": valid, "price": price(step, symbol)}
    rest = {"bar_closed": step % 6 == 0, "control_version": 1, "manifest_id": MANIFEST}
    return _identity(step, symbol) | known | rest | _position(step, symbol)


def bars() -> list[Row]:
    minutes = [_bar(minute, symbol, 60) for minute in range(40) for symbol in SYMBOLS]
    return [*minutes, _bar(0, "AAA", 300), _bar(0, "BBB", 1) | {"volume": 0.0, "trades": 0}]


def _bar(minute: int, symbol: str, length_seconds: int) -> Row:
    start = START + timedelta(minutes=minute)
    close = price(minute, symbol)
    known = {"open": close - 0.5, "high": close + 1.0, "low": close - 1.0, "close": close, "volume": 10.0 + minute}
    rest = {"notional": close * (10.0 + minute), "trades": minute + 1, "signed_volume": 5.0 - minute % 7, "manifest_id": MANIFEST}
    times = {"start_time": start, "start_time_ns": nanoseconds(start), "available_time_ns": nanoseconds(start) + length_seconds * 10**9}
    return {"symbol": symbol, "length_seconds": length_seconds} | times | known | rest | _position(minute, symbol)


def signals() -> list[Row]:
    return [_signal(step, symbol) for step, symbol in _grid() if step % 6 == 0]


def _signal(step: int, symbol: str) -> Row:
    ordinal = step // 6
    status, code = (SignalStatus.ABSTAINED, SignalCode.LOW_CONFIDENCE) if ordinal % 5 == 4 else (SignalStatus.OK, SignalCode.NONE)
    if ordinal == 0:
        status, code = SignalStatus.ABSTAINED, SignalCode.WARMING_UP
    confidence = math.nan if ordinal == 0 else 0.35 + (ordinal * 13 % 60) / 100
    direction = (Direction.UP, Direction.DOWN, Direction.NEUTRAL)[ordinal % 3]
    said = {"direction": int(direction), "confidence": confidence, "expected_return": 0.001 * int(direction), "sigma": 0.05}
    model = {
        "model_version": f"m{ordinal % 2}",
        "model_hash": "h",
        "feature_hash": f"f{step}",
        "control_version": 1,
        "manifest_id": MANIFEST,
    }
    rest = {"probability_down": 0.2, "probability_neutral": 0.3, "probability_up": 0.5, "status": int(status), "code": int(code)}
    reasons = json.dumps([{"feature": "spread", "contribution": 0.1, "words": "the spread; it is narrow"}])
    named = {"signal_id": f"{symbol}-{step}", "horizon_ns": HORIZON_NS, "price": price(step, symbol), "reasons": reasons}
    return _identity(step, symbol) | named | said | model | rest | _position(step, symbol)


def alerts() -> list[Row]:
    return [_alert(step, symbol) for step, symbol in _grid() if step % 20 == 3]


def _alert(step: int, symbol: str) -> Row:
    rule = "calm" if symbol == "AAA" else "storm"
    named = {"alert_id": f"{rule}-{symbol}-{step}", "rule_id": rule, "measure": "price_move", "threshold": 0.5, "signal_id": ""}
    return _identity(step, symbol) | named | {"value": -step / 10, "manifest_id": MANIFEST} | _position(step, symbol)


def rejects() -> list[Row]:
    late = [_reject(step, "AAA", Reason.LATE, bytes([0, 200, step])) for step in (5, 6, 9)]
    return [*late, _reject(8, "AAA", Reason.DUPLICATE, b"x"), _reject(7, "BBB", Reason.NOT_A_NUMBER, b"\xff\xfe\x00\x80")]


def _reject(step: int, symbol: str, reason: Reason, raw: bytes) -> Row:
    named = {"reason": int(reason), "reason_name": reason.name.lower(), "detail": f"at step {step}", "raw": raw, "manifest_id": MANIFEST}
    return _without(_identity(step, symbol), "event_number") | named | _position(step, symbol)


def runs() -> list[Row]:
    shared = {"manifest_id": MANIFEST, "settings": "{}", "code_hash": "c0de", "feature_set": FEATURE_SET}
    begun = {"run_id": "r1", "verb": "live", "started_at": START, "finished_at": None, "counts": "{}"} | shared
    ended = begun | {"finished_at": START + timedelta(hours=1), "counts": '{"frames": 3}'}
    return [begun, ended, begun | {"run_id": "r2", "verb": "replay", "started_at": START + timedelta(hours=2)}]


def control_events() -> list[Row]:
    return [{"version": 1, "event_time": START, "event_time_ns": nanoseconds(START), "kind": "model", "payload": b"\0"}]


def consistency() -> list[Row]:
    day = START.replace(hour=0, minute=0)
    counts = {"rows_served": 200, "rows_recomputed": 200, "served": 100, "recomputed": 100, "mismatched": 0, "missing": 0, "extra": 0}
    rates = {"mismatched_rate": 0.0, "missing_rate": 0.0, "extra_rate": 0.0, "feature_set": FEATURE_SET, "manifest_id": MANIFEST}
    return [{"day": day, "checked_at": START, "served_from": "lake", "feature": name} | counts | rates for name in FEATURE_NAMES[:3]]


def trials() -> list[Row]:
    made = {"trial_id": "t1", "made_at": START, "verb": "backtest", "subject": "m0", "settings": '{"grid_seconds": 60}'}
    return [made | {"periods": 100, "sharpe": 0.01}]


def all_rows() -> dict[str, list[Row]]:
    """Rows of every table by its name."""
    makers = (market_frames, features, bars, signals, alerts, rejects, runs, control_events, consistency, trials)
    return {maker.__name__: maker() for maker in makers}


def written_to(folder: Path) -> LakeSettings:
    """A lake in a folder that holds all of it."""
    lake = local_lake(folder, buckets=2)
    catalog = open_catalog(lake)
    create_tables(catalog, lake.buckets)
    for table, rows in all_rows().items():
        append_rows(catalog, NAMESPACE, table, rows)
    return lake
