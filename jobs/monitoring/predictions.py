"""Whether a model says what it used to say, before anybody knows whether it was right.

What it used to say is taken from rows that it was not trained on, the test part of its training: of its own training rows a model is surer
than of any others, and every model would seem to drift.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from jobs.monitoring.drift import Column, DriftSettings, FeatureDrift, NotEnoughRows, Sample, feature_drift
from jobs.training.dataset import Dataset
from udfs.scoring.onnx_model import Scorer

NAMES: Final = ("prediction_up_less_down", "prediction_confidence", "prediction_return_in_sigmas", "prediction_log_sigma")


def predictions_of(scorer: Scorer, rows: Dataset) -> tuple[Column, ...]:
    """What a model says of some rows: (rows,) for each of NAMES."""
    scores = scorer.score(rows.values, ~np.isnan(rows.values))
    probabilities = scores.probabilities
    return (
        probabilities[:, 2] - probabilities[:, 0],
        probabilities.max(axis=1),
        scores.expected_return / scores.sigma,
        np.log(scores.sigma),
    )


def prediction_drift(scorer: Scorer, reference: Dataset, recent: Dataset, compared: int, settings: DriftSettings) -> list[FeatureDrift]:
    """One entry for each of NAMES; `compared` is how many distributions are compared in all. Raises NotEnoughRows."""
    if not reference.event_time.size or not recent.event_time.size:
        raise NotEnoughRows("no row since the rows that the model was tested on")
    blocks = reference.event_time // settings.block, recent.event_time // settings.block
    said = zip(NAMES, predictions_of(scorer, reference), predictions_of(scorer, recent), strict=True)
    return [feature_drift(name, Sample(one, blocks[0]), Sample(other, blocks[1]), compared, settings) for name, one, other in said]
