"""Drift of every input of a model between the rows it was trained on and rows of another stretch of time."""

from __future__ import annotations

from typing import Any

import numpy as np

from jobs.monitoring.drift import DriftSettings, FeatureDrift, NotEnoughRows, Sample, feature_drift
from jobs.training.dataset import Dataset, NotEnoughData


def drift_of(reference: Dataset, recent: Dataset, names: tuple[str, ...], settings: DriftSettings, compared: int = 0) -> list[FeatureDrift]:
    """One entry a feature, the furthest beyond its threshold first. Raises NotEnoughData where the rows tell too little.

    `compared` is how many distributions are compared in all, where they are more than the features.
    """
    blocks = reference.event_time // settings.block, recent.event_time // settings.block
    places = [reference.feature_names.index(name) for name in names]
    try:
        found = [
            feature_drift(
                name,
                Sample(reference.values[:, place].astype(np.float64), blocks[0]),
                Sample(recent.values[:, place].astype(np.float64), blocks[1]),
                max(compared, len(names)),
                settings,
            )
            for name, place in zip(names, places, strict=True)
        ]
    except NotEnoughRows as error:
        raise NotEnoughData(str(error)) from error
    return furthest_first(found)


def furthest_first(found: list[FeatureDrift]) -> list[FeatureDrift]:
    """The furthest beyond its threshold first."""
    return sorted(found, key=lambda one: -max(one.psi / one.psi_threshold, one.distance / one.distance_threshold))


def as_json(found: list[FeatureDrift], reference: Dataset, recent: Dataset) -> dict[str, Any]:
    """The result of the verb."""
    alarms = [one.feature for one in found if one.alarm]
    rows = {"reference_rows": int(reference.event_time.shape[0]), "recent_rows": int(recent.event_time.shape[0])}
    return {**rows, "features": [one.as_json() for one in found], "alarms": alarms, "drifted": bool(alarms)}
