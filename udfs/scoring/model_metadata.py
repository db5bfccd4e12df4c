"""What a model file says of itself: names of its inputs, calibration, training data, ranges, and the arrays for reasons."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np

from udfs.errors import ModelMismatch
from udfs.scoring.calibration import SMALLEST_PROBABILITY, Calibration
from udfs.scoring.linear import LinearPart
from udfs.scoring.trees import OUTPUTS

_LARGEST_TIME = 2**63
CLASS_ORDER = ("down", "neutral", "up")
QUANTILE_LEVELS = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Quantiles of each input over the training rows that a model file carries."""


@dataclass(frozen=True, slots=True)
class ModelMetadata:
    """The `metadata_props` of a model file; each field is one entry, as JSON text."""

    tickflow_version: str
    model_version: str
    feature_set: str
    """Hash of the feature definitions that the model was trained on."""
    feature_names: tuple[str, ...]
    """Model inputs in the order of its columns."""
    horizon: int
    """Nanoseconds over which direction and return are predicted."""
    class_order: tuple[str, ...]
    calibration_scale: float
    calibration_biases: tuple[float, ...]
    calibration_curves: tuple[tuple[tuple[float, ...], ...], ...]
    """Isotonic curves by class, each (probabilities before, after); empty where one temperature and the biases do."""
    training_range: tuple[int, ...]
    """First and last event time of the training rows, nanoseconds."""
    snapshot_ids: tuple[int, ...]
    """Iceberg snapshots that the rows were read from; empty when they did not come from the lake."""
    quantiles: tuple[tuple[float, ...], ...]
    """(inputs, levels) in the order of QUANTILE_LEVELS; NaN for an input that was never there."""
    minimum_confidence: float
    """Below this calibrated probability a signal abstains; the job's settings may ask for more, not for less."""
    neutral_band: float
    """|log return| up to which a training row counted as neutral, in units of its symbol's median move."""
    linear: tuple[tuple[float, ...], ...]
    """The arrays of `udfs.scoring.linear.LinearPart`, each in one row."""
    trees: str
    """`udfs.scoring.trees.encode_trees` of the whole model."""
    gradient: str = ""
    """Of a network, which has no trees: the ONNX graph of what each input adds to each class, by `udfs.scoring.trees.pack`."""

    @property
    def calibration(self) -> Calibration:
        """The parameters that turn raw scores into probabilities."""
        down, neutral, up = self.calibration_biases
        curves = tuple((before, after) for before, after in self.calibration_curves)
        return Calibration(float(self.calibration_scale), (float(down), float(neutral), float(up)), curves)

    @property
    def linear_part(self) -> LinearPart:
        """What the inputs add by themselves."""
        middle, spread, weights, intercepts = (np.array(values, np.float64) for values in self.linear)
        return LinearPart(middle, spread, weights.reshape(len(OUTPUTS), len(self.feature_names)), intercepts)


def write_metadata(metadata: ModelMetadata) -> dict[str, str]:
    """Entries for a model file's `metadata_props`."""
    return {f"tickflow.{field.name}": json.dumps(getattr(metadata, field.name)) for field in fields(metadata)}


def read_metadata(entries: Mapping[str, str]) -> ModelMetadata:
    """Inverse of `write_metadata`. Raises ModelMismatch naming every missing entry, or the one that cannot be read."""
    names = [field.name for field in fields(ModelMetadata) if field.default is MISSING or f"tickflow.{field.name}" in entries]
    missing = [name for name in names if f"tickflow.{name}" not in entries]
    if missing:
        raise ModelMismatch(
            f"the model file lacks the metadata {', '.join(missing)}: it was not written by `tickflow train`; train it again"
        )
    try:
        metadata = ModelMetadata(**{name: _frozen(json.loads(entries[f"tickflow.{name}"])) for name in names})
        _check(metadata)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ModelMismatch(f"the model file's metadata cannot be read: {error}") from error
    return metadata


def _check(metadata: ModelMetadata) -> None:
    """Raises ValueError or TypeError on entries of the wrong kind, or that contradict each other."""
    arrays = (metadata.trees, metadata.gradient)
    texts = (metadata.tickflow_version, metadata.model_version, metadata.feature_set, *arrays, *metadata.feature_names)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a version, a hash or a feature's name is no text")
    numbers = (metadata.calibration_scale, *metadata.calibration_biases, metadata.minimum_confidence, metadata.neutral_band)
    if not all(math.isfinite(_number(value)) for value in numbers):
        raise ValueError("a parameter of the calibration or a threshold is no finite number")
    for value in (level for row in metadata.quantiles for level in row):
        _number(value)
    if metadata.class_order != CLASS_ORDER:
        raise ValueError(f"classes are {metadata.class_order}, expected {CLASS_ORDER}")
    if len(metadata.calibration_biases) != len(CLASS_ORDER) or not metadata.calibration_scale > 0:
        raise ValueError("calibration needs three biases and a scale above 0")
    _check_curves(metadata.calibration_curves)
    _check_linear(metadata.linear, len(metadata.feature_names))
    if len(metadata.training_range) != 2 or not all(type(time) is int and abs(time) < _LARGEST_TIME for time in metadata.training_range):
        raise ValueError(f"the training range is {metadata.training_range}, expected the first and the last event time")
    if type(metadata.horizon) is not int or not 0 < metadata.horizon < _LARGEST_TIME:
        raise ValueError(f"horizon is {metadata.horizon}, expected a positive number of nanoseconds")
    expected = (len(metadata.feature_names), len(QUANTILE_LEVELS))
    if len(metadata.quantiles) != expected[0] or any(len(row) != expected[1] for row in metadata.quantiles):
        raise ValueError(f"quantiles do not have the shape {expected}")


def _check_linear(arrays: tuple[tuple[float, ...], ...], inputs: int) -> None:
    """Raises ValueError or TypeError."""
    expected = [inputs, inputs, inputs * len(OUTPUTS), len(OUTPUTS)]
    if [len(values) for values in arrays] != expected or not all(math.isfinite(_number(value)) for values in arrays for value in values):
        raise ValueError(f"the linear part is not four rows of {expected} finite numbers")
    if not all(spread > 0 for spread in arrays[1]):
        raise ValueError("a spread of the linear part is not above 0")


def _check_curves(curves: tuple[tuple[tuple[float, ...], ...], ...]) -> None:
    """Raises ValueError or TypeError."""
    if curves == ():
        return
    points = {len(line) for curve in curves for line in curve}
    if len(curves) != len(CLASS_ORDER) or {len(curve) for curve in curves} != {2} or len(points) != 1:
        raise ValueError("calibration curves need (before, after) of as many points for each of three classes")
    for before, after in curves:
        rises = all(_number(one) < _number(next_one) for one, next_one in pairwise(before))
        never_falls = all(_number(one) <= _number(next_one) for one, next_one in pairwise(after))
        if len(before) < 2 or not rises or not never_falls or not after[0] >= SMALLEST_PROBABILITY or not after[-1] <= 1:
            raise ValueError("a calibration curve needs two points or more, increasing before, not decreasing after, there above 0")


def _number(value: object) -> float:
    """A number as JSON has it. Raises TypeError for anything else, OverflowError for what no double holds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _frozen(value: Any) -> Any:
    """JSON lists as tuples, all the way down."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
