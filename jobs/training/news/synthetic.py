"""A corpus that is nobody's: sentences of a grammar. What a model reaches on it says that the way from text to feature works, no more."""

from __future__ import annotations

import numpy as np

from jobs.simulator.headlines import TEMPLATES, TEMPLATES_OF_A_MEANING, headline
from jobs.training.news.corpus import Corpus

SENTENCES_OF_TEMPLATE = 40


def synthetic_corpus(seed: int = 7) -> Corpus:
    """Sentences of every template, the same for the same seed.

    A template, its opposite and a neutral one are a group, and companies are made up for each sentence: neither the templates nor the names
    of the test part were seen in training, only the words that sentences of any kind share.
    """
    texts: list[str] = []
    labels: list[int] = []
    groups: list[int] = []
    for number, (_, label) in enumerate(TEMPLATES):
        generator = np.random.default_rng([seed, number])
        found = dict.fromkeys(headline(number, generator) for _ in range(SENTENCES_OF_TEMPLATE))
        texts += found
        labels += [label] * len(found)
        groups += [number % TEMPLATES_OF_A_MEANING] * len(found)
    return Corpus(f"synthetic sentences, seed {seed}", tuple(texts), np.array(labels, np.int64), np.array(groups, np.int64))
