"""The whole way from labelled sentences to a sentiment model that may be released: split by group, fit, export, gate, metrics, card."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.dataset import NotEnoughData
from jobs.training.news.corpus import Corpus
from jobs.training.news.evaluate_sentiment import NewsMetrics, evaluate_sentiment
from jobs.training.news.export_news_model import export_news_model
from jobs.training.news.fit_sentiment import FittedNewsModel, NewsTrainingSettings, bucket_matrix, fit_sentiment
from udfs.errors import ModelMismatch
from udfs.scoring.news_model import (
    NEWS_CLASSES,
    NEWS_INPUT,
    NEWS_PROBABILITIES,
    NewsModelMetadata,
    SentimentScorer,
    load_news_model,
)
from udfs.scoring.news_text import TEXT_FEATURES, text_buckets
from udfs.scoring.onnx_model import open_session

SHARES = {"train": 0.6, "calibration": 0.2, "test": 0.2}
LARGE_GROUP = 0.07
"""Groups with more than this share of the sentences are trained on: a test that is one story said often measures little."""
MINIMUM_SENTENCES = 20
"""Of each class in each part."""
PROBABILITY_TOLERANCE = 1e-5


class TrainedNewsModel(NamedTuple):
    """A sentiment model that passed the gate."""

    data: bytes
    """The ONNX file."""
    sha256: str
    version: str
    card: dict[str, Any]
    metrics: NewsMetrics


def train_news_model(corpus: Corpus, settings: NewsTrainingSettings | None = None) -> TrainedNewsModel:
    """Train on a corpus. The same sentences and settings give the same bytes.

    Raises NotEnoughData, and ModelMismatch when the exported file does not say what was fitted.
    """
    settings = settings or NewsTrainingSettings()
    parts = split_by_group(corpus, settings.seed)
    matrix = bucket_matrix(corpus.texts)
    train, held_out = parts["train"], parts["calibration"]
    model = fit_sentiment(matrix[train], corpus.labels[train], matrix[held_out], corpus.labels[held_out], settings)
    metadata = _metadata(corpus, model, len(train))
    data = export_news_model(model.weights, metadata)
    sha256 = hashlib.sha256(data).hexdigest()
    scorer = load_news_model(data, sha256)
    texts = tuple(corpus.texts[place] for place in parts["test"])
    difference = check_news_release(model, scorer, data, texts)
    metrics = _evaluate(corpus, parts, scorer, texts)
    return TrainedNewsModel(data, sha256, metadata.model_version, _card(corpus, parts, settings, metadata, metrics, difference), metrics)


def split_by_group(corpus: Corpus, seed: int) -> dict[str, npt.NDArray[np.intp]]:
    """Places of the sentences of each part; no group lies in two parts, and the same corpus and seed give the same parts."""
    names, sizes = np.unique(corpus.groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    large = sizes[order] > LARGE_GROUP * len(corpus.texts)
    order = np.concatenate([order[large], order[~large]])
    filled = (np.cumsum(sizes[order]) - sizes[order] / 2) / len(corpus.texts)
    part_of_group = np.empty(len(names), np.int64)
    part_of_group[order] = np.searchsorted(np.cumsum(list(SHARES.values()))[:-1], filled)
    part = part_of_group[np.searchsorted(names, corpus.groups)]
    parts = {name: np.flatnonzero(part == number) for number, name in enumerate(SHARES)}
    _check_sizes(corpus, parts)
    return parts


def _check_sizes(corpus: Corpus, parts: dict[str, npt.NDArray[np.intp]]) -> None:
    for name, rows in parts.items():
        counts = np.bincount(corpus.labels[rows], minlength=len(NEWS_CLASSES))
        if counts.min() < MINIMUM_SENTENCES:
            found = ", ".join(f"{count} {label}" for label, count in zip(NEWS_CLASSES, counts, strict=True))
            raise NotEnoughData(f"{corpus.name}: the {name} part has {found} sentences, expected {MINIMUM_SENTENCES} of each or more")


def _metadata(corpus: Corpus, model: FittedNewsModel, sentences: int) -> NewsModelMetadata:
    metadata = NewsModelMetadata(
        model_version="",
        text_features=TEXT_FEATURES,
        classes=NEWS_CLASSES,
        calibration_scale=model.calibration.scale,
        calibration_biases=model.calibration.biases,
        trained_on=corpus.name,
        sentences=sentences,
    )
    digest = hashlib.sha256(json.dumps(asdict(metadata)).encode() + model.weights.tobytes()).hexdigest()
    return replace(metadata, model_version=f"news-{digest[:12]}")


def check_news_release(model: FittedNewsModel, scorer: SentimentScorer, data: bytes, texts: tuple[str, ...]) -> float:
    """Largest difference of a probability between the fitted weights, the scorer and the file itself. Raises ModelMismatch."""
    session, worst = open_session(data), 0.0
    for text in (*texts, "", "?", "a" * 10_000):
        buckets = text_buckets(text)
        scores = model.weights[buckets].sum(axis=0, dtype=np.int64) * model.calibration.scale + np.array(model.calibration.biases)
        native = np.exp(scores - scores.max())
        native /= native.sum()
        exported = session.run([NEWS_PROBABILITIES], {NEWS_INPUT: buckets})[0]
        worst = max(worst, *(float(np.abs(native - np.asarray(one)).max()) for one in (scorer.probabilities(text), exported)))
        if not worst <= PROBABILITY_TOLERANCE:
            raise ModelMismatch(f"the exported model differs by {worst:.2g} from what was fitted, on {text[:80]!r}: not released")
    return worst


def _evaluate(corpus: Corpus, parts: dict[str, npt.NDArray[np.intp]], scorer: SentimentScorer, texts: tuple[str, ...]) -> NewsMetrics:
    """On the test part, through the exported file, as the stream job reads it."""
    said = np.array([int(np.argmax(scorer.probabilities(text))) for text in texts], np.int64)
    majority = int(np.bincount(corpus.labels[parts["train"]]).argmax())
    return evaluate_sentiment(said, corpus.labels[parts["test"]], corpus.groups[parts["test"]], texts, majority)


def _card(
    corpus: Corpus,
    parts: dict[str, npt.NDArray[np.intp]],
    settings: NewsTrainingSettings,
    metadata: NewsModelMetadata,
    metrics: NewsMetrics,
    difference: float,
) -> dict[str, Any]:
    return {
        **asdict(metadata),
        "settings": settings.as_dict(),
        "parts": {name: _described(corpus, rows) for name, rows in parts.items()},
        "metrics": metrics.as_dict(),
        "largest_difference_from_fit": difference,
    }


def _described(corpus: Corpus, rows: npt.NDArray[np.intp]) -> dict[str, Any]:
    counts = np.bincount(corpus.labels[rows], minlength=len(NEWS_CLASSES)).tolist()
    return {"sentences": len(rows), "groups": len(np.unique(corpus.groups[rows])), **dict(zip(NEWS_CLASSES, counts, strict=True))}
