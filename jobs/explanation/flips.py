"""What would have changed a signal: for each input alone, the nearest value usual in training at which the direction is another one."""

from __future__ import annotations

from typing import Any

import numpy as np

from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.records import Direction, FeatureRow
from udfs.scoring.onnx_model import Scorer


def nearest_flips(scorer: Scorer, row: FeatureRow) -> list[dict[str, Any]]:
    """One entry an input that can change the most probable direction, those first that need the smallest step among its quantiles."""
    places, levels, steps = _trials(scorer, row)
    if not places:
        return []
    values = np.repeat(row.values[None, :], len(places), axis=0)
    values[np.arange(len(places)), places] = levels
    directions = scorer.score(values, ~np.isnan(values)).probabilities.argmax(axis=1) - 1
    now = int(scorer.score(row.values[None, :], ~np.isnan(row.values[None, :])).probabilities.argmax()) - 1
    nearest: dict[int, tuple[int, int]] = {}
    for trial in sorted(np.flatnonzero(directions != now).tolist(), key=lambda trial: steps[trial]):
        nearest.setdefault(places[trial], (steps[trial], trial))
    return [
        {
            "feature": FEATURE_NAMES[place],
            "value": float(row.values[place]),
            "would_need": float(levels[trial]),
            "direction": Direction(int(directions[trial])).name.lower(),
        }
        for place, (_, trial) in sorted(nearest.items(), key=lambda entry: entry[1])
    ]


def _trials(scorer: Scorer, row: FeatureRow) -> tuple[list[int], list[float], list[int]]:
    """Place, value and distance (in quantiles passed) of each trial."""
    places, levels, steps = [], [], []
    for place, quantiles in zip(scorer.columns.tolist(), scorer.metadata.quantiles, strict=True):
        usual, value = np.asarray(quantiles, np.float32), row.values[place]
        if np.isnan(value):
            continue
        own = int(np.searchsorted(usual, value))
        for rank, level in enumerate(usual.tolist()):
            if np.isfinite(level) and level != value:
                places.append(place)
                levels.append(level)
                steps.append(own - rank if rank < own else rank - own + 1)
    return places, levels, steps
