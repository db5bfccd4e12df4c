"""Whether signals knew anything, before any trading: their expected returns against what the mid price did."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.backtest.stored_signals import Signals
from jobs.backtest.tape import Column, Tape, Times
from jobs.training.measures import as_json, correlation, interval_as_json, ranked
from jobs.training.resampling import blocks_in_time, estimate

DECAY: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Multiples of the horizon after which returns are measured."""
QUANTILES: Final = 5
_CONFIDENCES: Final = np.array([0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])


class Judged(NamedTuple):
    """Signals of all symbols with what came of them."""

    time: Times
    direction: npt.NDArray[np.int64]
    confidence: Column
    expected_return: Column
    realised: Column
    """(signals, DECAY) log return of the mid price; NaN where the market was not seen that long, or was closed or halted between."""


def judge(signals: Signals, tape: Tape) -> Judged:
    """Measure what came of one symbol's signals."""
    start = tape.place(signals.time)
    realised = np.full((signals.time.shape[0], len(DECAY)), np.nan)
    closed = np.concatenate([[0], np.cumsum(~tape.open)])
    for column, multiple in enumerate(DECAY):
        ends = signals.time + (multiple * signals.horizon).astype(np.int64)
        end = tape.place(ends)
        seen = (start >= 0) & (ends <= tape.time[-1])
        seen &= closed[end + 1] == closed[np.maximum(start, 0)]
        realised[seen, column] = np.log(tape.mid(end[seen])) - np.log(tape.mid(start[seen]))
    return Judged(signals.time, signals.direction, signals.confidence, signals.expected_return, realised)


def together(parts: list[Judged]) -> Judged:
    """Several symbols' signals, by time."""
    time, direction, confidence, expected, realised = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(time, kind="stable")
    return Judged(time[order], direction[order], confidence[order], expected[order], realised[order])


def signal_quality(judged: Judged, horizon: int) -> dict[str, Any]:
    """Correlations with decay, returns by quantile, hit rate by confidence; intervals resample stretches of two horizons."""
    at_horizon = judged.realised[:, DECAY.index(1.0)]
    return {
        "signals": int(judged.time.shape[0]),
        "with_outcome": int(np.isfinite(at_horizon).sum()),
        "correlation": [_correlations(judged, column, horizon) for column in range(len(DECAY))],
        "quantile_returns": _quantile_returns(judged.expected_return, at_horizon),
        "hit_rate_by_confidence": _hit_rates(judged, at_horizon),
    }


def _correlations(judged: Judged, column: int, horizon: int) -> dict[str, Any]:
    known = np.isfinite(judged.realised[:, column]) & np.isfinite(judged.expected_return)
    expected, realised = judged.expected_return[known], judged.realised[known, column]
    found = {"horizons": DECAY[column], "signals": int(known.sum())}
    if known.sum() < 3:
        return found | {"information_coefficient": None, "rank_information_coefficient": None, "rank_interval": None}
    blocks = blocks_in_time(judged.time[known], max(1, round(2 * max(1.0, DECAY[column]) * horizon)))
    ranks = estimate(blocks, correlation(ranked(expected), ranked(realised)))
    return found | {
        "information_coefficient": correlation(expected, realised)(blocks.ones),
        "rank_information_coefficient": as_json(ranks.value),
        "rank_interval": interval_as_json(ranks.interval),
    }


def _quantile_returns(expected: Column, realised: Column) -> list[dict[str, Any]]:
    """Mean realised return of each fifth of the signals by expected return, lowest first."""
    known = np.flatnonzero(np.isfinite(realised) & np.isfinite(expected))
    order = known[np.argsort(expected[known], kind="stable")]
    parts = np.array_split(order, QUANTILES) if order.size >= QUANTILES else []
    return [{"expected": float(expected[part].mean()), "realised": float(realised[part].mean()), "signals": part.size} for part in parts]


def _hit_rates(judged: Judged, realised: Column) -> list[dict[str, Any]]:
    """Of signals with a direction: how often the price went that way, by what was claimed."""
    chosen = (judged.direction != 0) & np.isfinite(realised) & np.isfinite(judged.confidence)
    hit = judged.direction[chosen] * realised[chosen] > 0
    bucket = np.searchsorted(_CONFIDENCES, judged.confidence[chosen], "right") - 1
    found = []
    for number in np.unique(bucket).tolist():
        inside = bucket == number
        claimed = float(judged.confidence[chosen][inside].mean())
        found.append({"claimed": claimed, "hit_rate": float(hit[inside].mean()), "signals": int(inside.sum())})
    return found
