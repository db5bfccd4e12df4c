"""One model trained on planted rows, made once a test run for everyone who needs a model to score with."""

from __future__ import annotations

from functools import cache

from jobs.training.fit import TrainingSettings
from jobs.training.train_model import TrainedModel, train_model
from tests.support.feature_rows import HORIZON, planted_dataset
from udfs.kernels.feature_vector import FEATURE_NAMES, MODEL_INPUTS
from udfs.scoring.onnx_model import Scorer, load_model

SETTINGS = TrainingSettings(horizon=HORIZON, rounds=20, leaves=7, folds=3)


@cache
def trained_model() -> TrainedModel:
    """A small model of the planted relation."""
    return train_model(planted_dataset(), MODEL_INPUTS, SETTINGS)


def scorer() -> Scorer:
    """The same, ready to score rows of the job's features."""
    model = trained_model()
    return load_model(model.data, FEATURE_NAMES, model.sha256)
