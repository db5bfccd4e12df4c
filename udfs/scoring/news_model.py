"""The sentiment of a text by an ONNX model: from minus one (bad news) over zero (no opinion) to one (good news).

The model is linear over hashed pieces of the text, with whole numbers for weights: their sums are exact in any order, so a text has the
same bits on every machine, and the rest (softmax) is done here in float64 as for the market model.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import onnxruntime

from udfs.errors import ModelMismatch
from udfs.scoring.calibration import CLASSES, Calibration, calibrate
from udfs.scoring.news_text import BUCKETS, TEXT_FEATURES, text_buckets
from udfs.scoring.onnx_model import open_session

NEWS_INPUT: Final = "buckets"
NEWS_SUMS: Final = "sums"
NEWS_PROBABILITIES: Final = "probabilities"
"""What the graph computes: whole-number sums (3,), and for other programs calibrated probabilities (3,)."""
NEWS_CLASSES: Final = ("negative", "neutral", "positive")
METADATA_KEY: Final = "tickflow.news_model"
_KEPT_MODELS: Final = 4
_models: dict[str, SentimentScorer] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class NewsModelMetadata:
    """What a sentiment model's file says of itself, as one JSON object."""

    model_version: str
    text_features: str
    """`udfs.scoring.news_text.TEXT_FEATURES` that it was trained on."""
    classes: tuple[str, ...]
    calibration_scale: float
    calibration_biases: tuple[float, ...]
    trained_on: str
    """Where its sentences came from."""
    sentences: int

    @property
    def calibration(self) -> Calibration:
        """The parameters that turn sums into probabilities."""
        negative, neutral, positive = self.calibration_biases
        return Calibration(self.calibration_scale, (negative, neutral, positive))


class SentimentScorer:
    """One model, ready to read texts. Make it with `load_news_model`; safe to share between threads."""

    def __init__(self, session: onnxruntime.InferenceSession, metadata: NewsModelMetadata, sha256: str) -> None:
        self.metadata = metadata
        self.sha256 = sha256
        self.version = metadata.model_version
        self._session = session
        self._calibration = metadata.calibration

    def probabilities(self, text: str) -> tuple[float, float, float]:
        """Of negative, neutral and positive."""
        sums = self._session.run([NEWS_SUMS], {NEWS_INPUT: text_buckets(text)})[0]
        negative, neutral, positive = calibrate(sums.reshape(1, CLASSES), self._calibration)[0].tolist()
        return negative, neutral, positive

    def sentiment(self, text: str) -> float:
        """Probability of positive less that of negative, in [-1, 1]."""
        negative, _, positive = self.probabilities(text)
        return positive - negative


def write_news_metadata(metadata: NewsModelMetadata) -> dict[str, str]:
    """Entries for a model file's `metadata_props`."""
    return {METADATA_KEY: json.dumps(asdict(metadata), sort_keys=True)}


def load_news_model(data: bytes, expected_sha256: str) -> SentimentScorer:
    """Check a model file and make it ready; the same bytes give the same object for the life of the process.

    Raises ModelMismatch when the hash differs or the bytes are no sentiment model that reads texts as this code does.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != expected_sha256:
        raise ModelMismatch(f"the news model's sha256 is {sha256}, expected {expected_sha256}: the file was changed or is another model")
    with _lock:
        scorer = _models.pop(sha256, None) or _open(data, sha256)
        _models[sha256] = scorer
        while len(_models) > _KEPT_MODELS:
            del _models[next(iter(_models))]
    return scorer


def _open(data: bytes, sha256: str) -> SentimentScorer:
    session = open_session(data)
    metadata = _read_metadata(session.get_modelmeta().custom_metadata_map)
    _check_graph(session)
    scorer = SentimentScorer(session, metadata, sha256)
    try:
        scorer.sentiment("compiled before the first item waits for it")
        session.run([NEWS_SUMS], {NEWS_INPUT: np.array([0, BUCKETS - 1], np.int64)})
    except Exception as error:  # onnxruntime raises a class of its own for each failure
        raise ModelMismatch(f"the news model cannot read a text: {error}") from error
    return scorer


def _check_graph(session: onnxruntime.InferenceSession) -> None:
    inputs = [(node.name, node.type) for node in session.get_inputs()]
    outputs = {node.name: (node.type, node.shape) for node in session.get_outputs()}
    if inputs != [(NEWS_INPUT, "tensor(int64)")] or outputs.get(NEWS_SUMS) != ("tensor(int32)", [CLASSES]):
        raise ModelMismatch(f"the news model has inputs {inputs} and outputs {outputs}; expected {NEWS_INPUT} and {NEWS_SUMS} of {CLASSES}")


def _read_metadata(entries: Mapping[str, str]) -> NewsModelMetadata:
    if METADATA_KEY not in entries:
        raise ModelMismatch("the file is no sentiment model: it was not written by `tickflow train news`")
    try:
        values: dict[str, Any] = json.loads(entries[METADATA_KEY])
        frozen: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        metadata = NewsModelMetadata(**frozen)
        problem = _problem(metadata)
    except (TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise ModelMismatch(f"the news model's metadata cannot be read: {error}") from error
    if problem:
        raise ModelMismatch(f"news model {metadata.model_version}: {problem}")
    return metadata


def _problem(metadata: NewsModelMetadata) -> str:
    if metadata.text_features != TEXT_FEATURES:
        return f"it reads texts as {metadata.text_features}, this code as {TEXT_FEATURES}; train it again"
    if metadata.classes != NEWS_CLASSES:
        return f"its classes are {metadata.classes}, expected {NEWS_CLASSES}"
    biases, scale = metadata.calibration_biases, metadata.calibration_scale
    if len(biases) != CLASSES or not np.isfinite([scale, *biases]).all() or not scale > 0:
        return f"its calibration is {scale}, {biases}; expected a number above 0 and {CLASSES} biases"
    return ""
