"""How good a sentiment model is on sentences it has not seen, beside two that are not trained: the majority and a word list."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from udfs.scoring.news_model import NEWS_CLASSES
from udfs.scoring.news_words import word_balance

_RESAMPLES = 1000
_INTERVAL = (0.025, 0.975)
_Classes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NewsMetrics:
    """On held-out sentences. Intervals are 95 % by resampling whole groups of near sentences."""

    sentences: int
    groups: int
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    accuracy: float
    f1_by_class: dict[str, float]
    majority_macro_f1: float
    """Of always saying the class that is most frequent in training."""
    lexicon_macro_f1: float
    """Of counting good and bad words of `udfs.scoring.news_words`."""
    gain_over_lexicon: float
    gain_over_lexicon_interval: tuple[float, float]

    @property
    def beats_baselines(self) -> bool:
        """Whether the model is better than the word list by more than chance, and than the majority."""
        return self.gain_over_lexicon_interval[0] > 0 and self.macro_f1_interval[0] > self.majority_macro_f1

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"beats_baselines": self.beats_baselines}


def evaluate_sentiment(
    said: _Classes, labels: _Classes, groups: npt.NDArray[np.int64], texts: tuple[str, ...], majority: int
) -> NewsMetrics:
    """Compare what the model said (sentences,) with the labels."""
    by_words = np.array([lexicon_class(text) for text in texts], np.int64)
    _, group = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    generator = np.random.default_rng(7)
    drawn = [np.concatenate([members[k] for k in generator.integers(len(members), size=len(members))]) for _ in range(_RESAMPLES)]
    model, words = (np.array([macro_f1(labels[rows], one[rows]) for rows in drawn]) for one in (said, by_words))
    return NewsMetrics(
        sentences=len(labels),
        groups=len(members),
        macro_f1=macro_f1(labels, said),
        macro_f1_interval=_interval(model),
        accuracy=float((said == labels).mean()),
        f1_by_class=dict(zip(NEWS_CLASSES, f1_by_class(labels, said).tolist(), strict=True)),
        majority_macro_f1=macro_f1(labels, np.full_like(labels, majority)),
        lexicon_macro_f1=macro_f1(labels, by_words),
        gain_over_lexicon=macro_f1(labels, said) - macro_f1(labels, by_words),
        gain_over_lexicon_interval=_interval(model - words),
    )


def f1_by_class(labels: _Classes, said: _Classes) -> npt.NDArray[np.float64]:
    """(3,) 2 * right / (said + true) of each class; 0 for a class that neither has."""
    classes = len(NEWS_CLASSES)
    right = np.bincount(labels[labels == said], minlength=classes)
    both = np.bincount(labels, minlength=classes) + np.bincount(said, minlength=classes)
    return np.asarray(2 * right / np.maximum(both, 1), np.float64)


def macro_f1(labels: _Classes, said: _Classes) -> float:
    """Mean of the classes' F1: a rare class counts as much as a frequent one."""
    return float(f1_by_class(labels, said).mean())


def lexicon_class(text: str) -> int:
    """Place in `NEWS_CLASSES` by the balance of good and bad words."""
    good, bad = word_balance(text)
    return 1 + (good > bad) - (good < bad)


def _interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, _INTERVAL)
    return float(low), float(high)
