"""The whole way from feature rows to a model that may be released: labels, split, fit, export, gate, metrics, card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.dataset import Dataset, NotEnoughData
from jobs.training.export_onnx import export_model
from jobs.training.fit import FittedModel, TrainingPart, TrainingSettings, fit
from jobs.training.flatten_trees import flatten
from jobs.training.labelling.uniqueness import sample_weights
from jobs.training.labels import Labels, NeutralBand, choose_band, classes_of, forward_returns
from jobs.training.metrics import Metrics, evaluate
from jobs.training.release_gate import check_release, golden_rows
from jobs.training.splits import Split, split_by_time
from jobs.training.validation.spans import check_no_leak, check_spans
from udfs.scoring.model_metadata import CLASS_ORDER, QUANTILE_LEVELS, ModelMetadata
from udfs.scoring.onnx_model import Scorer, load_model
from udfs.scoring.trees import FlatTrees, encode_trees

TICKFLOW_VERSION = "0.1.0"


class TrainedModel(NamedTuple):
    """A model that passed the gate."""

    data: bytes
    """The ONNX file."""
    sha256: str
    version: str
    card: dict[str, Any]
    """What a person wants to know of it, as JSON values."""
    metrics: Metrics


class _Prepared(NamedTuple):
    """Labelled rows cut into parts."""

    dataset: Dataset
    labels: Labels
    split: Split
    classes: npt.NDArray[np.int64]
    band: NeutralBand
    inputs: tuple[int, ...]
    """Places in the feature list of what the model reads."""

    def part(self, rows: npt.NDArray[np.intp]) -> TrainingPart:
        """Inputs and outcomes of some labels."""
        places = self.labels.rows[rows]
        values = self.dataset.values[places][:, self.inputs]
        weight = sample_weights(self.dataset.symbol[places], self.labels.start[rows], self.labels.end[rows])
        return TrainingPart(np.ascontiguousarray(values), self.classes[rows], self.labels.log_return[rows], weight)


def train_model(
    dataset: Dataset, model_inputs: tuple[int, ...], settings: TrainingSettings | None = None, labels: Labels | None = None
) -> TrainedModel:
    """Train on the rows of one feature set; `model_inputs` are the places of the features a model may read.

    `labels` are outcomes of the rows; where none are given, log returns over the horizon.

    The same rows and settings give the same bytes. Raises NotEnoughData, and ModelMismatch when the gate refuses.
    """
    settings = settings or TrainingSettings()
    prepared = _prepare(dataset, model_inputs, settings, labels)
    train, held_out = prepared.part(prepared.split.train), prepared.part(prepared.split.calibration)
    model = fit(train, held_out, settings)
    trees = flatten(model.parts)
    metadata = _metadata(prepared, model, trees, train, settings)
    data = export_model(trees, metadata)
    sha256 = hashlib.sha256(data).hexdigest()
    scorer = load_model(data, dataset.feature_names, sha256)
    difference = check_release(model, scorer, data, golden_rows(train.inputs))
    metrics = _evaluate(prepared, scorer, settings)
    return TrainedModel(
        data, sha256, metadata.model_version, _card(prepared, settings, metadata, model, metrics, sha256, difference), metrics
    )


def _prepare(dataset: Dataset, model_inputs: tuple[int, ...], settings: TrainingSettings, labels: Labels | None) -> _Prepared:
    embargo = settings.horizon if settings.embargo is None else settings.embargo
    if labels is None:
        labels = forward_returns(dataset, settings.horizon, settings.label_tolerance)
    labels = _thin(labels, settings.maximum_rows)
    split = split_by_time(labels, embargo)
    _check_split(labels, split)
    symbol = dataset.symbol[labels.rows]
    band = choose_band(symbol[split.train], len(dataset.symbols), labels.log_return[split.train])
    classes = classes_of(band, symbol, labels)
    _check_classes(classes, split)
    return _Prepared(dataset, labels, split, classes, band, _usable_inputs(dataset, labels.rows[split.train], model_inputs))


def _check_split(labels: Labels, split: Split) -> None:
    """Raises LeakingSplit when a part knows of the outcomes of a later one."""
    spans = check_spans(labels.start, labels.end)
    check_no_leak(spans, split.train, np.concatenate([split.calibration, split.test]))
    check_no_leak(spans, split.calibration, split.test)


def _thin(labels: Labels, maximum: int) -> Labels:
    """Every k-th label in time order, so that at most `maximum` are left."""
    every = -(-labels.rows.shape[0] // maximum) or 1
    return labels.take(np.arange(0, labels.rows.shape[0], every))


def _check_classes(classes: npt.NDArray[np.int64], split: Split) -> None:
    for name, rows in (("training", split.train), ("calibration", split.calibration)):
        missing = [CLASS_ORDER[k] for k in range(len(CLASS_ORDER)) if not np.any(classes[rows] == k)]
        if missing:
            raise NotEnoughData(f"no {name} row went {' or '.join(missing)}: nothing to tell apart; take more data or another horizon")


def _usable_inputs(dataset: Dataset, rows: npt.NDArray[np.intp], model_inputs: tuple[int, ...]) -> tuple[int, ...]:
    """Inputs that have a value in some training row: what was never there cannot be learnt from, nor be missed later."""
    there = ~np.isnan(dataset.values[rows]).all(axis=0)
    usable = tuple(place for place in model_inputs if there[place])
    if not usable:
        raise NotEnoughData("every model input is missing in every training row: the features never warmed up; take a longer range")
    return usable


def _metadata(prepared: _Prepared, model: FittedModel, trees: FlatTrees, train: TrainingPart, settings: TrainingSettings) -> ModelMetadata:
    times = prepared.labels.start[prepared.split.train]
    quantiles = np.nanquantile(train.inputs.astype(np.float64), QUANTILE_LEVELS, axis=0).T
    metadata = ModelMetadata(
        tickflow_version=TICKFLOW_VERSION,
        model_version="",
        feature_set=prepared.dataset.feature_set,
        feature_names=tuple(prepared.dataset.feature_names[place] for place in prepared.inputs),
        horizon=settings.horizon,
        class_order=CLASS_ORDER,
        calibration_scale=model.calibration.scale,
        calibration_biases=model.calibration.biases,
        training_range=(int(times[0]), int(times[-1])),
        snapshot_ids=prepared.dataset.snapshot_ids,
        quantiles=tuple(tuple(float(value) for value in row) for row in quantiles),
        minimum_confidence=settings.minimum_confidence,
        neutral_band=prepared.band.multiple,
        trees=encode_trees(trees),
    )
    return replace(metadata, model_version=_version(metadata))


def _version(metadata: ModelMetadata) -> str:
    """End of the training range and a hash of everything in the model: sorts by time, never names two models."""
    digest = hashlib.sha256(json.dumps(asdict(metadata)).encode()).hexdigest()[:8]
    end = np.datetime64(metadata.training_range[1] // 1_000_000_000, "s").item()
    return f"{end:%Y%m%dT%H%M%SZ}-{digest}"


def _evaluate(prepared: _Prepared, scorer: Scorer, settings: TrainingSettings) -> Metrics:
    """On the test part, through the exported file, as the stream job would score it."""
    test = prepared.split.test
    values = prepared.dataset.values[prepared.labels.rows[test]]
    priors = np.stack([_class_shares(prepared, rows) for rows in prepared.split[:2]])
    log_return, start = prepared.labels.log_return[test], prepared.labels.start[test]
    return evaluate(scorer.score(values, ~np.isnan(values)), prepared.classes[test], log_return, start, settings.horizon, priors)


def _card(
    prepared: _Prepared,
    settings: TrainingSettings,
    metadata: ModelMetadata,
    model: FittedModel,
    metrics: Metrics,
    sha256: str,
    difference: float,
) -> dict[str, Any]:
    described = {name: value for name, value in asdict(metadata).items() if name not in ("trees", "quantiles")}
    return {
        **described,
        "sha256": sha256,
        "symbols": prepared.dataset.symbols,
        "settings": settings.as_dict(),
        "parts": {name: _describe_part(prepared, rows) for name, rows in prepared.split._asdict().items()},
        "metrics": {**asdict(metrics), "beats_prior": metrics.beats_prior},
        "largest_difference_from_lightgbm": difference,
        "importance": _importance(model, metadata.feature_names),
    }


def _describe_part(prepared: _Prepared, rows: npt.NDArray[np.intp]) -> dict[str, Any]:
    return {
        "rows": rows.shape[0],
        "from": int(prepared.labels.start[rows[0]]),
        "to": int(prepared.labels.start[rows[-1]]),
        "outcomes_until": int(prepared.labels.end[rows].max()),
        "class_shares": dict(zip(CLASS_ORDER, _class_shares(prepared, rows).tolist(), strict=True)),
    }


def _class_shares(prepared: _Prepared, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    counts = np.bincount(prepared.classes[rows], minlength=len(CLASS_ORDER))
    return np.asarray(counts / rows.shape[0], np.float64)


def _importance(model: FittedModel, names: tuple[str, ...]) -> dict[str, float]:
    """Share of the direction model's gain by input, largest first, at most ten."""
    gain = model.parts[0].booster.feature_importance("gain")
    total = float(gain.sum()) or 1.0
    order = np.argsort(-gain, kind="stable")[:10]
    return {names[k]: float(gain[k]) / total for k in order}
