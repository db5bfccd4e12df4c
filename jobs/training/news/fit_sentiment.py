"""A linear sentiment model with whole-number weights: multinomial logistic regression over hashed pieces of text, then calibrated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, diags
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from udfs.scoring.calibration import CLASSES, Calibration, fit_calibration
from udfs.scoring.news_text import BUCKETS, HASHED, LONGEST_TEXT_BYTES, PIECES, text_buckets

GREATEST_WEIGHT = 1000
"""Of the whole numbers that weights are rounded to. The sums of a text stay below 2^31, so they are exact in any order."""
assert GREATEST_WEIGHT * 6 * LONGEST_TEXT_BYTES < 1 << 31


@dataclass(frozen=True, slots=True)
class NewsTrainingSettings:
    """What decides a model beside its sentences."""

    inverse_penalty: float = 0.3
    piece_scale: float = 0.3
    """What pieces of words count beside words: there are several times as many."""
    balance_scale: float = 2.0
    """What the balance of good and bad words counts."""
    iterations: int = 200
    fewest_sentences: int = 2
    """Buckets that occur in fewer training sentences weigh nothing."""
    seed: int = 20240808
    """Of the split."""

    def as_dict(self) -> dict[str, Any]:
        """For the model card."""
        return asdict(self)


class FittedNewsModel(NamedTuple):
    """Weights with what turns their sums into probabilities."""

    weights: npt.NDArray[np.int16]
    """(BUCKETS, 3)."""
    calibration: Calibration


def bucket_matrix(texts: Sequence[str]) -> csr_matrix:
    """(texts, BUCKETS) one where a text has the bucket."""
    found = [text_buckets(text) for text in texts]
    ends = np.cumsum([0, *(len(buckets) for buckets in found)])
    columns = np.concatenate(found) if found else np.empty(0, np.int64)
    return csr_matrix((np.ones(len(columns)), columns, ends), shape=(len(texts), BUCKETS))


def fit_sentiment(
    train: csr_matrix,
    train_labels: npt.NDArray[np.int64],
    held_out: csr_matrix,
    held_out_labels: npt.NDArray[np.int64],
    settings: NewsTrainingSettings,
) -> FittedNewsModel:
    """Fit on `train` (sentences, BUCKETS), calibrate on `held_out`. Both hold all three classes."""
    used = np.flatnonzero(np.asarray(train.sum(axis=0)).ravel() >= settings.fewest_sentences)
    scales = np.repeat([settings.piece_scale, 1.0, settings.balance_scale], [PIECES, HASHED - PIECES, BUCKETS - HASHED])[used]
    model = LogisticRegression(C=settings.inverse_penalty, max_iter=settings.iterations, class_weight="balanced")
    with threadpool_limits(1):
        model.fit(train[:, used] @ diags(scales), train_labels)
    coefficients = model.coef_.T * scales[:, None]
    unit = GREATEST_WEIGHT / max(float(np.abs(coefficients).max()), 1e-12)
    weights = np.zeros((BUCKETS, CLASSES), np.int16)
    weights[used] = np.round(coefficients * unit).astype(np.int16)
    raw_scores = (held_out @ weights.astype(np.float64)) / unit + model.intercept_
    calibration = fit_calibration(raw_scores, held_out_labels)
    shifts = np.asarray(calibration.biases) + calibration.scale * model.intercept_
    negative, neutral, positive = shifts.tolist()
    return FittedNewsModel(weights, Calibration(calibration.scale / unit, (negative, neutral, positive)))
