"""What a signal costs: one row in, scored by the ONNX model, judged, explained, and out as a signal. No service takes part.

The model is a LightGBM of 300 rounds for each class, the expected return and its spread, or the network, trained here on simulated rows; it
scores rows of a stretch that it has not seen.
"""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from jobs.benchmark.machine import description, stolen_seconds
from jobs.benchmark.trained import MARKET, rows_of
from jobs.training.dataset import Dataset, from_table
from jobs.training.export_onnx import export_model
from jobs.training.fit import Learner, TrainingSettings
from jobs.training.flatten_trees import flatten
from jobs.training.neural.network import NetworkSettings
from jobs.training.prepare import prepare
from jobs.training.train_model import train_model
from jobs.training.validation.splitters import PurgedKFold
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET, MODEL_INPUTS
from udfs.kernels.symbol_state import new_state
from udfs.operators.control_log import ControlLogSettings
from udfs.operators.control_state import ControlSnapshot
from udfs.operators.row_scoring import RowScoring
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import Direction, FeatureRow, Position, Signal
from udfs.scoring.onnx_model import Scorer, load_model
from udfs.scoring.trees import encode_trees

ROUNDS = 300
PERCENTILES = (50, 90, 99, 99.9, 100)
LIMITS_P99_MICROSECONDS = {"trees": 200.0, "neural": 5000.0}
REASONS_LIMIT_P99_MICROSECONDS = 1000.0
_SETTINGS = {"trees": TrainingSettings(rounds=ROUNDS), "neural": TrainingSettings(network=NetworkSettings(epochs=1), maximum_rows=20_000)}
_POSITION = Position("bench", 0, 0)


def measure_score(rows: int, runs: int, model: str = "trees") -> dict[str, Any]:
    """Microseconds a row in each of several runs over the same rows, and of the reasons of those that are explained."""
    scorer = trained_scorer(_dataset(rows_of(MARKET)), _SETTINGS[model])
    unseen = feature_rows_of(_dataset(rows_of(replace(MARKET, seed=MARKET.seed + 1, seconds=MARKET.seconds / 4))), rows)
    score_all(scorer, unseen)
    began, stolen = time.monotonic(), stolen_seconds()
    found = [score_all(scorer, unseen) for _ in range(runs)]
    spreads = [_spread(microseconds) for microseconds, _ in found]
    signals = found[0][1]
    explained = [(row, signal.direction) for row, signal in zip(unseen, signals, strict=True) if signal.reasons]
    reasons = [_spread(explain_all(scorer, explained)) for _ in range(runs)] if explained else []
    least = {name: min((spread["p99"] for spread in found), default=0.0) for name, found in (("row", spreads), ("reasons", reasons))}
    limit = LIMITS_P99_MICROSECONDS[model]
    return {
        "model": model,
        "trees": scorer.trees.roots.shape[0],
        "inputs": len(scorer.metadata.feature_names),
        "rows": len(unseen),
        "explained": len(explained),
        "microseconds_a_row": spreads,
        "least_p99_microseconds": least["row"],
        "limit_p99_microseconds": limit,
        "reasons_microseconds": reasons,
        "reasons_limit_p99_microseconds": REASONS_LIMIT_P99_MICROSECONDS,
        "holds": least["row"] <= limit and least["reasons"] <= REASONS_LIMIT_P99_MICROSECONDS,
        "stolen_share": round((stolen_seconds() - stolen) / (time.monotonic() - began) / (os.cpu_count() or 1), 4),
        "machine": description(),
    }


def trained_scorer(dataset: Dataset, settings: TrainingSettings) -> Scorer:
    """A model with all its rounds of trees: training keeps only those that help, of which a made-up market has few."""
    trained = train_model(dataset, MODEL_INPUTS, settings)
    scorer = load_model(trained.data, FEATURE_NAMES, trained.sha256)
    if settings.network is not None:
        return scorer
    prepared = prepare(dataset, MODEL_INPUTS, settings, None, PurgedKFold)
    part = prepared.part(prepared.split.train)
    grown = flatten(Learner(part, settings, prepared.folds.split(part.inputs)).fit((settings.rounds,) * 3).parts)
    data = export_model(grown, replace(scorer.metadata, trees=encode_trees(grown)))
    return load_model(data, FEATURE_NAMES, hashlib.sha256(data).hexdigest())


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


def explain_all(scorer: Scorer, explained: list[tuple[FeatureRow, Direction]]) -> list[float]:
    """Microseconds that the reasons of each row take."""
    microseconds = []
    for row, direction in explained:
        begin = time.perf_counter_ns()
        scorer.reasons(row.values, direction)
        microseconds.append((time.perf_counter_ns() - begin) / 1000)
    return microseconds


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
