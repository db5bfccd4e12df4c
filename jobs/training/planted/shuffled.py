"""`infra/tickflow train --check shuffled`: on real rows with the wrong outcomes nothing is found, and folds that leak are refused.

Two ways to break what features and outcomes have to do with each other. *Dealt*: every row gets any row's outcome. *Moved*: each symbol's
outcomes stay in their order and are moved in time, so that neighbouring rows, and symbols at one moment, still tell the same story; what
takes rows for independent finds an edge there. An interval of 95 % misses now and then: of `TRIES` of each kind one may.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from jobs.training.dataset import Dataset
from jobs.training.fit import TrainingSettings
from jobs.training.labels import Labels
from jobs.training.planted.check import PeekingKFold, Say, shuffled
from jobs.training.train_model import train_model
from jobs.training.validation.spans import LeakingSplit
from udfs.kernels.feature_vector import MODEL_INPUTS

TRIES: Final = 3
MISSES: Final = 1
ROWS: Final = 20_000
"""So many rows are enough to see an edge that is not there, and are trained on in seconds."""


def check_shuffled(rows: Dataset, labels: Labels, settings: TrainingSettings, say: Say) -> dict[str, Any]:
    """The check as JSON values; `holds` says whether all of it held. Raises NotEnoughData."""
    settings = replace(settings, maximum_rows=min(settings.maximum_rows, ROWS))
    tries = [_try(kind, seed, rows, labels, settings, say) for kind in ("dealt", "moved") for seed in range(1, TRIES + 1)]
    leaking = leak_detected(rows, labels, settings)
    say(f"a splitter that leaks is {'refused' if leaking['detected'] else 'NOT refused'}")
    result = {
        "labelled_rows": int(labels.rows.shape[0]),
        "dealt_covering_zero": _covering(tries, "dealt"),
        "moved_covering_zero": _covering(tries, "moved"),
        "tries_of_each_kind": TRIES,
        "released": sum(one["released"] for one in tries),
        "leaking_splitter": leaking,
        "tries": tries,
    }
    failed = _failed(result)
    return result | {"failed": failed, "holds": not failed}


def _failed(result: dict[str, Any]) -> list[str]:
    held = {
        "dealt_covering_zero": result["dealt_covering_zero"] >= TRIES - MISSES,
        "moved_covering_zero": result["moved_covering_zero"] >= TRIES - MISSES,
        "released": result["released"] == 0,
        "leaking_splitter": result["leaking_splitter"]["detected"],
    }
    return [name for name, holds in held.items() if not holds]


def _covering(tries: list[dict[str, Any]], kind: str) -> int:
    return sum(one["covers_zero"] for one in tries if one["kind"] == kind)


def _try(kind: str, seed: int, rows: Dataset, labels: Labels, settings: TrainingSettings, say: Say) -> dict[str, Any]:
    """What is claimed of outcomes that have nothing to do with their rows."""
    broken = shuffled(labels, seed) if kind == "dealt" else moved(rows, labels, seed / (TRIES + 1))
    trained = train_model(rows, MODEL_INPUTS, settings, broken)
    low, high = trained.metrics.information_coefficient_interval
    say(f"outcomes {kind}, {seed}: IC {trained.metrics.information_coefficient:+.3f} ({low:+.3f} to {high:+.3f})")
    return {
        "kind": kind,
        "seed": seed,
        "information_coefficient": trained.metrics.information_coefficient,
        "information_coefficient_interval": [low, high],
        "covers_zero": bool(low <= 0 <= high),
        "released": not trained.objections,
    }


def moved(rows: Dataset, labels: Labels, share: float) -> Labels:
    """Each symbol's outcomes moved on by a share of how many it has, the last ones to the front; the spans stay."""
    order = np.arange(labels.rows.shape[0])
    symbol = rows.symbol[labels.rows]
    for code in np.unique(symbol):
        own = np.flatnonzero(symbol == code)
        order[own] = np.roll(own, round(share * own.shape[0]))
    return labels._replace(log_return=labels.log_return[order], side=labels.side[order])


def leak_detected(rows: Dataset, labels: Labels, settings: TrainingSettings) -> dict[str, Any]:
    """Whether training refuses folds of rows drawn at random, whose outcomes overlap those of their neighbours."""
    try:
        train_model(rows, MODEL_INPUTS, settings, labels, PeekingKFold)
    except LeakingSplit as error:
        return {"detected": True, "said": str(error)}
    return {"detected": False, "said": ""}
