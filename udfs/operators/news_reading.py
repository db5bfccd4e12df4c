"""Reads the texts of a frame's news: what the kernels are told of them is written into the events' facts, whatever the log has there."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from udfs.codecs.frame_columns import fact_rows
from udfs.codecs.frames import MarketFrame
from udfs.kernels.events import FACT_NUMBERS, EventKind, FrameColumns
from udfs.kernels.news.layout import NewsFact
from udfs.scoring.news_model import SentimentScorer
from udfs.scoring.news_text import fingerprint, has_words

_LOW_BITS = (1 << 32) - 1


def with_news_read(frame: MarketFrame, scorer: SentimentScorer | None) -> FrameColumns:
    """The frame's columns with the facts of its NEWS events filled in; without a model their sentiment stays NaN."""
    columns = frame.columns
    if not frame.news_texts:
        return columns
    facts = columns.facts.copy()
    facts[fact_rows(columns.kind, EventKind.NEWS)] = [read_text(text, scorer) for text in frame.news_texts]
    return columns._replace(facts=facts)


def read_text(text: str, scorer: SentimentScorer | None) -> npt.NDArray[np.float64]:
    """The row of facts (FACT_NUMBERS,) of one text. Each text is read alone, so that it does not matter what came with it."""
    row = np.full(FACT_NUMBERS, math.nan)
    row[NewsFact.HAS_WORDS] = has_words(text)
    if row[NewsFact.HAS_WORDS]:
        bits = fingerprint(text)
        row[NewsFact.FINGERPRINT_HIGH], row[NewsFact.FINGERPRINT_LOW] = bits >> 32, bits & _LOW_BITS
        row[NewsFact.SENTIMENT] = scorer.sentiment(text) if scorer else math.nan
    return row
