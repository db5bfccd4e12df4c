"""Rows that are computed again from stored frames read news with the model that was in force, and fetch no other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from jobs.lake.reading import StoredFrame
from jobs.model_store import FolderStore
from jobs.recomputation.frames import recomputed_rows
from jobs.settings import Settings
from jobs.train_news import train_news
from tests.support.control_memory import SYMBOL, frame_of, model_entry, news_model_entry
from tests.support.kernel_events import MIDNIGHT, SECOND, fact, trade
from udfs.kernels.events import EventKind
from udfs.kernels.feature_vector import Feature
from udfs.records import ModelReference, Position

MARKET_MODEL = ModelReference("market", "file:///nowhere/model.onnx", "0" * 64)


def sentiments(control: list[bytes]) -> list[float]:
    """After news that a market model came before."""
    events = [trade(MIDNIGHT, 100.0), fact(EventKind.NEWS, MIDNIGHT)._replace(sequence=1), trade(MIDNIGHT + SECOND, 100.0)]
    stored = StoredFrame(SYMBOL, MIDNIGHT, Position("market.frames", 0, 0), frame_of(events, len(control)), "")
    rows = [priced.row for priced in recomputed_rows([stored], Settings(), control)]
    return [float(row.values[Feature.NEWS_SENTIMENT_5_MINUTES]) for row in rows]


def test_news_is_read_again_by_the_model_that_read_it(tmp_path: Path) -> None:
    reference, _ = train_news(FolderStore(tmp_path))
    assert sentiments([news_model_entry(reference), model_entry(MARKET_MODEL)])[-1] > 0.1
    assert np.isnan(sentiments([model_entry(MARKET_MODEL)])[-1])
