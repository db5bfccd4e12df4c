"""The answer of each report over the sample lake, worked out with plain loops."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np

from tests.sql import sample_lake
from tests.sql.obvious_indicators import exponential_mean, relative_strength, smoothed
from tests.sql.sample_lake import HORIZON_NS, Row
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET
from udfs.records import Direction, SignalCode, SignalStatus

Answer = list[tuple[Any, ...]]


def bars_1_minute() -> Answer:
    rows = sorted((row for row in sample_lake.bars() if row["length_seconds"] == 60), key=lambda row: (row["symbol"], row["start_time"]))
    names = ("symbol", "start_time", "open", "high", "low", "close", "volume", "trades")
    return [(*(row[name] for name in names), row["signed_volume"] / row["volume"]) for row in rows]


def named(row: Row, name: str) -> float | None:
    value: float = row["feature_values"][FEATURE_NAMES.index(name)]
    return None if math.isnan(value) else value


def newest_features() -> list[Row]:
    newest: dict[str, Row] = {}
    for row in sample_lake.features():
        if row["feature_set"] == FEATURE_SET:
            newest[row["symbol"]] = row
    return [newest[symbol] for symbol in sorted(newest)]


SHOWN_FEATURES = (
    *("spread_basis_points", "imbalance_level_1", "imbalance_5_levels", "order_flow_per_depth_1_minute"),
    *("return_1_minute", "return_5_minutes", "rsi_14", "realised_volatility_5_minutes"),
)


def latest_features() -> Answer:
    return [
        (row["symbol"], row["event_time"], row["event_number"], row["price"], *(named(row, name) for name in SHOWN_FEATURES))
        for row in newest_features()
    ]


def price_at(symbol: str, time_ns: int) -> float | None:
    """Price in force, None beyond the last priced row."""
    rows = [row for row in sample_lake.features() if row["symbol"] == symbol and row["price"] > 0]
    if max(row["event_time_ns"] for row in rows) < time_ns:
        return None
    return next(float(row["price"]) for row in reversed(rows) if row["event_time_ns"] <= time_ns)


def outcome(signal: Row) -> tuple[float | None, float | None, bool | None]:
    """Price at the end of the horizon, log return, and whether the direction was right."""
    end = price_at(signal["symbol"], signal["event_time_ns"] + HORIZON_NS)
    if end is None:
        return None, None, None
    realised = math.log(end / signal["price"])
    if signal["direction"] == 0:
        return end, realised, abs(realised) <= 0.43 * signal["sigma"]
    return end, realised, signal["direction"] * realised > 0


def direction_name(signal: Row) -> str:
    return Direction(signal["direction"]).name.lower()


def good_signals() -> list[Row]:
    return [signal for signal in sample_lake.signals() if signal["status"] == SignalStatus.OK]


def signals_with_outcome() -> Answer:
    answer = []
    for signal in sorted(good_signals(), key=lambda row: (-row["event_time_ns"], row["symbol"])):
        end, realised, hit = outcome(signal)
        basis_points = None if realised is None else realised * 10_000
        head = (signal["symbol"], signal["event_time"], direction_name(signal), signal["confidence"], signal["expected_return"] * 10_000)
        answer.append((*head, basis_points, signal["price"], end, hit, signal["signal_id"]))
    return answer


def hit_rate_by_confidence() -> Answer:
    buckets: dict[float, list[tuple[bool, float]]] = defaultdict(list)
    for signal in sample_lake.signals():
        _, _, hit = outcome(signal)
        if hit is not None and not math.isnan(signal["confidence"]):
            buckets[math.floor(signal["confidence"] * 10) / 10].append((hit, signal["confidence"]))
    answer = []
    for bucket, members in sorted(buckets.items()):
        rate, confidence = float(np.mean([hit for hit, _ in members])), float(np.mean([confidence for _, confidence in members]))
        answer.append((bucket, len(members), rate, confidence, rate - confidence))
    return answer


def most_imbalanced_books() -> Answer:
    rows = []
    for row in newest_features():
        level_1 = named(row, "imbalance_level_1")
        levels_5 = named(row, "imbalance_5_levels")
        shown = level_1 if levels_5 is None else levels_5
        if shown is not None:
            rows.append((row["symbol"], row["event_time"], shown, level_1, named(row, "spread_basis_points"), row["price"]))
    return sorted(rows, key=lambda row: (-abs(row[2]), row[0]))


def volatility_ranking() -> Answer:
    names = ("realised_volatility_5_minutes", "realised_volatility_1_hour", "realised_volatility_24_hours")
    rows = [(row["symbol"], row["event_time"], *(named(row, name) for name in names)) for row in newest_features()]
    ranked = sorted((row for row in rows if row[2] is not None), key=lambda row: (-row[2], row[0]))
    return [
        (place, symbol, time, *(None if value is None else value * 10_000 for value in values))
        for place, (symbol, time, *values) in enumerate(ranked, start=1)
    ]


def vwap_slippage() -> Answer:
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for signal in good_signals():
        slippage = _slippage(signal)
        if signal["direction"] != 0 and slippage is not None:
            found[signal["symbol"], direction_name(signal)].append(slippage)
    return [(*key, len(values), float(np.mean(values)), max(values)) for key, values in sorted(found.items())]


def _slippage(signal: Row) -> float | None:
    end = signal["event_time_ns"] + HORIZON_NS
    rows = [row for row in sample_lake.features() if row["symbol"] == signal["symbol"] and row["feature_set"] == FEATURE_SET]
    if rows[-1]["event_time_ns"] < end:
        return None
    average = named(next(row for row in reversed(rows) if row["event_time_ns"] <= end), "vwap_5_minutes")
    return None if average is None else float(signal["direction"] * (average / signal["price"] - 1) * 10_000)


def late_and_rejected_by_symbol() -> Answer:
    groups: dict[tuple[str, int, str], list[Row]] = defaultdict(list)
    for row in sample_lake.rejects():
        groups[row["symbol"], row["reason"], row["reason_name"]].append(row)
    return sorted(((*key, *_rejected(rows)) for key, rows in groups.items()), key=lambda row: (-row[3], row[0], row[1]))


def _rejected(rows: list[Row]) -> tuple[int, int, int, int, str]:
    offsets = [row["kafka_offset"] for row in rows]
    return len(rows), sum(len(row["raw"]) for row in rows), min(offsets), max(offsets), max(row["detail"] for row in rows)


def signal_history_of_a_symbol() -> Answer:
    rows = sorted(sample_lake.signals(), key=lambda row: (row["event_time"], row["event_number"]), reverse=True)
    answer = []
    for row in rows[:100]:
        status, code = SignalStatus(row["status"]).name.lower(), SignalCode(row["code"]).name.lower()
        said = (row["event_time"], row["symbol"], row["price"], direction_name(row), row["confidence"], status, code)
        measured = (row["expected_return"] * 10_000, row["sigma"] * 10_000, row["reasons"], row["model_version"])
        answer.append((*said, *measured, row["topic"], row["kafka_partition"], row["kafka_offset"], row["event_index"], row["signal_id"]))
    return answer


def data_coverage_by_day() -> Answer:
    tables = (sample_lake.market_frames(), sample_lake.features(), sample_lake.signals(), sample_lake.rejects())
    days = sorted({row["event_time"].date() for rows in tables for row in rows})
    answer = []
    for day in days:
        of_day = [[row for row in rows if row["event_time"].date() == day] for rows in tables]
        times = [row["event_time"] for rows in of_day for row in rows]
        symbols = {row["symbol"] for rows in of_day for row in rows}
        answer.append((day, len(symbols), min(times), max(times), *(len(rows) for rows in of_day)))
    return answer


def alerts_by_rule() -> Answer:
    answer = []
    for rule in ("calm", "storm"):
        rows = [row for row in sample_lake.alerts() if row["rule_id"] == rule]
        times, values = [row["event_time"] for row in rows], [abs(row["value"]) for row in rows]
        symbols = len({row["symbol"] for row in rows})
        answer.append((rule, "price_move", len(rows), symbols, min(times), max(times), 0.5, max(values)))
    return sorted(answer, key=lambda row: -row[2])


def abstentions_by_code() -> Answer:
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in sample_lake.signals():
        groups[SignalStatus(row["status"]).name.lower(), SignalCode(row["code"]).name.lower()].append(row)
    total = len(sample_lake.signals())
    answer = [
        (*key, len(rows), len(rows) / total, len({row["symbol"] for row in rows}), max(row["event_time"] for row in rows))
        for key, rows in groups.items()
    ]
    return sorted(answer, key=lambda row: (-row[2], row[0], row[1]))


def freshness() -> Answer:
    last = {name: _last_times(rows) for name, rows in sample_lake.all_rows().items() if name in ("market_frames", "features", "signals")}
    newest = max(last["market_frames"].values())
    answer = []
    for symbol, frame in last["market_frames"].items():
        of_symbol = [row for row in sample_lake.features() if row["symbol"] == symbol]
        delays = [(row["available_time_ns"] - row["event_time_ns"]) / 1e6 for row in of_symbol]
        behind, features_behind = int((newest - frame).total_seconds()), int((frame - last["features"][symbol]).total_seconds())
        times = (frame, last["features"][symbol], last["signals"][symbol])
        answer.append((symbol, *times, behind, features_behind, float(np.mean(delays)), max(delays)))
    return sorted(answer, key=lambda row: (-row[4], row[0]))


def _last_times(rows: list[Row]) -> dict[str, datetime]:
    return {symbol: max(row["event_time"] for row in rows if row["symbol"] == symbol) for symbol in sample_lake.SYMBOLS}


def run_history() -> Answer:
    begun, ended, other = sample_lake.runs()
    rows = ((other, None, "{}"), (begun, ended["finished_at"], ended["counts"]))
    names = ("verb", "run_id", "manifest_id", "code_hash", "feature_set")
    return [(row["started_at"], finished, *(row[name] for name in names), counts) for row, finished, counts in rows]


def indicators_from_bars() -> Answer:
    answer = []
    for symbol in sorted(sample_lake.SYMBOLS):
        rows = [row for row in sample_lake.bars() if row["symbol"] == symbol and row["length_seconds"] == 60]
        closes = [row["close"] for row in rows]
        for count, row in enumerate(rows, start=1):
            answer.append((symbol, row["start_time"], row["close"], *_indicators(closes[:count], rows[:count])))
    return answer


def _indicators(closes: list[float], rows: list[Row]) -> tuple[float | None, ...]:
    fast, slow = exponential_mean(closes, 12), exponential_mean(closes, 26)
    line = None if fast is None or slow is None else fast - slow
    return (
        relative_strength(closes, 14),
        float(np.mean(closes[-20:])) if len(closes) >= 20 else None,
        fast,
        line,
        smoothed([_true_range(row, before) for before, row in pairwise(rows)], 14),
    )


def _true_range(row: Row, before: Row) -> float:
    return float(max(row["high"], before["close"]) - min(row["low"], before["close"]))


ANSWERS: dict[str, Callable[[], Answer]] = {
    answer.__name__: answer
    for answer in (
        bars_1_minute,
        latest_features,
        signals_with_outcome,
        hit_rate_by_confidence,
        most_imbalanced_books,
        volatility_ranking,
        vwap_slippage,
        late_and_rejected_by_symbol,
        signal_history_of_a_symbol,
        data_coverage_by_day,
        alerts_by_rule,
        abstentions_by_code,
        freshness,
        run_history,
        indicators_from_bars,
    )
}
