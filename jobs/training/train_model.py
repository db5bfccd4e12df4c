"""The whole way from feature rows to a model that may be released: labels, split, fit, calibration, export, gates, metrics, card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.baselines import baselines
from jobs.training.dataset import Dataset
from jobs.training.finish import Finished, fit_and_finish
from jobs.training.fit import FittedModel, TrainingSettings
from jobs.training.labels import Labels, NeutralBand
from jobs.training.metrics import Metrics, evaluate
from jobs.training.prepare import MakeSplitter, Prepared, prepare
from jobs.training.release_gate import check_release, golden_rows
from jobs.training.reliability import confidence_table
from jobs.training.trial import trial_of
from jobs.training.validation.splitters import PurgedKFold
from jobs.training.verdict import objections
from udfs.scoring.model_metadata import CLASS_ORDER, QUANTILE_LEVELS, ModelMetadata
from udfs.scoring.onnx_model import Scorer, load_model

TICKFLOW_VERSION = "0.1.0"


class TrainedModel(NamedTuple):
    """A model whose file scores as it should."""

    data: bytes
    """The ONNX file."""
    sha256: str
    version: str
    card: dict[str, Any]
    """What a person wants to know of it, as JSON values."""
    metrics: Metrics
    band: NeutralBand
    """What decided which moves count as neutral."""

    @property
    def objections(self) -> tuple[str, ...]:
        """What speaks against its release; empty when nothing does."""
        return tuple(self.card["gate"]["objections"])


def train_model(
    dataset: Dataset,
    model_inputs: tuple[int, ...],
    settings: TrainingSettings | None = None,
    labels: Labels | None = None,
    splitter: MakeSplitter = PurgedKFold,
) -> TrainedModel:
    """Train on the rows of one feature set; `model_inputs` are the places of the features a model may read.

    `labels` are outcomes of the rows; where none are given, log returns over the horizon. `splitter` makes the folds of the training rows.

    The same rows and settings give the same bytes. Raises NotEnoughData, LeakingSplit, and ModelMismatch for a file that
    scores otherwise than the library that trained it.
    """
    settings = settings or TrainingSettings()
    prepared = prepare(dataset, model_inputs, settings, labels, splitter)
    finished = fit_and_finish(prepared, settings)
    inputs = prepared.values(prepared.split.train)
    metadata = _metadata(prepared, finished, inputs, settings)
    data = finished.model.fitted.file(metadata)
    sha256 = hashlib.sha256(data).hexdigest()
    scorer = load_model(data, dataset.feature_names, sha256)
    difference = check_release(finished.model, scorer, data, golden_rows(inputs))
    metrics, measured = _evaluate(prepared, scorer, settings)
    card = _card(prepared, settings, metadata, finished, metrics) | measured
    card |= {"sha256": sha256, "library": finished.model.fitted.library, "largest_difference_from_library": difference}
    return TrainedModel(data, sha256, metadata.model_version, card, metrics, prepared.band)


def _metadata(prepared: Prepared, finished: Finished, inputs: npt.NDArray[np.float32], settings: TrainingSettings) -> ModelMetadata:
    times = prepared.labels.start[prepared.split.train]
    quantiles = np.nanquantile(inputs.astype(np.float64), QUANTILE_LEVELS, axis=0).T
    calibration = finished.model.calibration
    metadata = ModelMetadata(
        tickflow_version=TICKFLOW_VERSION,
        model_version="",
        feature_set=prepared.dataset.feature_set,
        feature_names=tuple(prepared.dataset.feature_names[place] for place in prepared.inputs),
        horizon=settings.horizon,
        class_order=CLASS_ORDER,
        calibration_scale=calibration.scale,
        calibration_biases=calibration.biases,
        calibration_curves=calibration.curves,
        training_range=(int(times[0]), int(times[-1])),
        snapshot_ids=prepared.dataset.snapshot_ids,
        quantiles=tuple(tuple(float(value) for value in row) for row in quantiles),
        minimum_confidence=finished.minimum_confidence,
        neutral_band=prepared.band.multiple,
        linear=tuple(tuple(np.ravel(values).tolist()) for values in finished.model.fitted.linear),
        **finished.model.fitted.entries(),
    )
    return replace(metadata, model_version=_version(metadata))


def _version(metadata: ModelMetadata) -> str:
    """End of the training range and a hash of everything in the model: sorts by time, never names two models."""
    digest = hashlib.sha256(json.dumps(asdict(metadata)).encode()).hexdigest()[:8]
    end = np.datetime64(metadata.training_range[1] // 1_000_000_000, "s").item()
    return f"{end:%Y%m%dT%H%M%SZ}-{digest}"


def _evaluate(prepared: Prepared, scorer: Scorer, settings: TrainingSettings) -> tuple[Metrics, dict[str, Any]]:
    """On the test part, through the exported file, as the stream job would score it; metrics, and what the card says besides."""
    train, test = prepared.split
    values = prepared.dataset.values[prepared.labels.rows[test]]
    scores = scorer.score(values, ~np.isnan(values))
    happened = prepared.happened(test)
    others = baselines(prepared.known(train), prepared.known(test), prepared.folds)
    sigma = _symbol_sigma(prepared)[prepared.symbols(test)]
    metrics, comparison = evaluate(scores, happened, prepared.labels.start[test], settings.horizon, others, sigma)
    against = objections(metrics, comparison)
    trial = trial_of(scores, happened, prepared.labels.start[test], settings.horizon, scorer.minimum_confidence)
    return metrics, {
        "trial": trial,
        "comparison": comparison,
        "reliability": confidence_table(scores.probabilities, happened.classes),
        "gate": {"passed": not against, "objections": against},
    }


def _symbol_sigma(prepared: Prepared) -> npt.NDArray[np.float64]:
    """(symbols,) deviation of the training rows' returns; of all together where a symbol has none."""
    train = prepared.split.train
    symbol, squared = prepared.symbols(train), np.square(prepared.labels.log_return[train])
    count, total = (np.bincount(symbol, weight, len(prepared.dataset.symbols)) for weight in (None, squared))
    variance = np.divide(total, count, out=np.full(total.shape[0], squared.mean()), where=(count > 1) & (total > 0))
    return np.asarray(np.sqrt(variance), np.float64)


def _card(prepared: Prepared, settings: TrainingSettings, metadata: ModelMetadata, finished: Finished, metrics: Metrics) -> dict[str, Any]:
    described = {name: value for name, value in asdict(metadata).items() if name not in ("trees", "gradient", "quantiles", "linear")}
    return {
        **described,
        "symbols": prepared.dataset.symbols,
        "settings": settings.as_dict(),
        "parts": {name: _describe_part(prepared, rows) for name, rows in prepared.split._asdict().items()},
        "metrics": {**asdict(metrics), "beats_prior": metrics.beats_prior},
        "neutral_edges": _neutral_edges(prepared),
        "calibration": finished.described,
        "importance": _importance(finished.model, metadata.feature_names),
    }


def _neutral_edges(prepared: Prepared) -> dict[str, float]:
    """Symbol -> |outcome| up to which it counts as neutral; "" of a symbol that was not among the training rows."""
    edges = prepared.band.multiple * prepared.band.scales
    overall = prepared.band.multiple * float(np.median(np.abs(prepared.labels.log_return[prepared.split.train])))
    return {"": overall, **dict(zip(prepared.dataset.symbols, edges.tolist(), strict=True))}


def _describe_part(prepared: Prepared, rows: npt.NDArray[np.intp]) -> dict[str, Any]:
    shares = np.bincount(prepared.classes[rows], minlength=len(CLASS_ORDER)) / rows.shape[0]
    return {
        "rows": rows.shape[0],
        "from": int(prepared.labels.start[rows[0]]),
        "to": int(prepared.labels.start[rows[-1]]),
        "outcomes_until": int(prepared.labels.end[rows].max()),
        "class_shares": dict(zip(CLASS_ORDER, shares.tolist(), strict=True)),
    }


def _importance(model: FittedModel, names: tuple[str, ...]) -> dict[str, float]:
    """Share of the direction model's importance by input, largest first, at most ten."""
    gain = model.fitted.importance()
    total = float(gain.sum()) or 1.0
    order = np.argsort(-gain, kind="stable")[:10]
    return {names[k]: float(gain[k]) / total for k in order}
