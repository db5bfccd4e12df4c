"""A file that is no whole sentiment model is refused when it is loaded, not at some later piece of news."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

import numpy as np
import onnx
import pytest

from jobs.training.news.export_news_model import export_news_model
from udfs.errors import ModelMismatch
from udfs.scoring.news_model import NEWS_CLASSES, NewsModelMetadata, SentimentScorer, load_news_model
from udfs.scoring.news_text import BUCKETS, TEXT_FEATURES

METADATA = NewsModelMetadata("news-1", TEXT_FEATURES, NEWS_CLASSES, 0.01, (0.0, 0.0, 0.0), "nothing", 0)


def model(rows: int = BUCKETS) -> bytes:
    return export_news_model(np.zeros((rows, 3), np.int16), METADATA)


def load(data: bytes) -> SentimentScorer:
    return load_news_model(data, hashlib.sha256(data).hexdigest())


def with_metadata(text: str) -> bytes:
    found = onnx.load_from_string(model())
    found.metadata_props[0].value = text
    data: bytes = found.SerializeToString()
    return data


def test_a_whole_model_is_read() -> None:
    assert load(model()).sentiment("Profit rose") == 0.0


@pytest.mark.parametrize("rows", [1, BUCKETS - 4, BUCKETS - 1])
def test_a_table_that_is_too_short_is_refused(rows: int) -> None:
    """Also one that only the rarest of buckets is missing from."""
    with pytest.raises(ModelMismatch, match="cannot read a text"):
        load(model(rows))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("[" * 100_000, id="nested without end"),
        pytest.param(json.dumps({**asdict(METADATA), "calibration_biases": [0.5, 10**400, 0]}), id="a number beyond all"),
        pytest.param("[]", id="no object"),
        pytest.param("", id="nothing"),
    ],
)
def test_metadata_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ModelMismatch, match="metadata cannot be read"):
        load(with_metadata(text))
