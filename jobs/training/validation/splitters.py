"""Walk-forward, purged K-fold and combinatorial purged cross-validation, for `cross_val_score` and its like.

López de Prado (2018), "Advances in financial machine learning", chapters 7 and 12. Each splitter is made with the spans of the outcomes of
the rows that it will be given, because what may train depends on them alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
from sklearn.model_selection import BaseCrossValidator

from jobs.training.validation.spans import InvalidSpans, Part, Places, Times, check_spans, parts_in_time, purged


class SpanSplitter(BaseCrossValidator):
    """What the splitters share: spans, parts in time, the purge. `embargo` in nanoseconds."""

    def __init__(self, start: Times, end: Times, n_splits: int = 5, embargo: int = 0) -> None:
        if n_splits < 2 or embargo < 0:
            raise InvalidSpans(f"expected at least 2 splits and an embargo of 0 or more, found {n_splits} and {embargo}")
        self.spans = check_spans(start, end)
        self.n_splits, self.embargo = n_splits, embargo

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: N803 - scikit-learn's name
        """How many (train, test) pairs `split` gives."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[Places, Places]]:  # noqa: N803 - scikit-learn's name
        """(train, test) places of rows, increasing. Raises InvalidSpans for other rows than spans, or nothing left to train on."""
        rows = X.shape[0] if hasattr(X, "shape") else len(X)
        if rows != self.spans.rows:
            raise InvalidSpans(f"{rows} rows, but spans of {self.spans.rows}")
        for number, (train, test) in enumerate(self._pairs()):
            if train.size == 0:
                raise InvalidSpans(f"split {number}: purge and embargo leave no row to train on; take fewer splits or more data")
            yield train, test

    def _pairs(self) -> Iterator[tuple[Places, Places]]:
        raise NotImplementedError

    def _beside(self, parts: list[Part], candidates: Places) -> Places:
        """Candidates that may train beside all of the parts."""
        for part in parts:
            candidates = purged(self.spans, candidates, part, self.embargo)
        return candidates


class WalkForward(SpanSplitter):
    """Each test part after all rows that train: the first of n_splits + 1 parts only trains, or a window of `train_parts` parts slides."""

    def __init__(self, start: Times, end: Times, n_splits: int = 5, embargo: int = 0, train_parts: int = 0) -> None:
        super().__init__(start, end, n_splits, embargo)
        self.train_parts = train_parts

    def _pairs(self) -> Iterator[tuple[Places, Places]]:
        """An embargo lies between the last outcome that trains and the first row that is tested."""
        parts = parts_in_time(self.spans, self.n_splits + 1)
        for number in range(1, len(parts)):
            first = max(0, number - self.train_parts) if self.train_parts else 0
            before = np.sort(np.concatenate([part.rows for part in parts[first:number]]))
            yield before[self.spans.end[before] < parts[number].from_time - self.embargo], parts[number].rows


class PurgedKFold(SpanSplitter):
    """Each part is tested once, with all others around it training as far as they do not touch it."""

    def _pairs(self) -> Iterator[tuple[Places, Places]]:
        everything = np.arange(self.spans.rows)
        for part in parts_in_time(self.spans, self.n_splits):
            yield self._beside([part], np.setdiff1d(everything, part.rows)), part.rows


class CombinatorialPurgedKFold(SpanSplitter):
    """Every choice of `n_tested` of `n_parts` parts is tested once; the tests join to several whole paths through all rows."""

    def __init__(self, start: Times, end: Times, n_parts: int = 6, n_tested: int = 2, embargo: int = 0) -> None:
        if not 1 <= n_tested < n_parts:
            raise InvalidSpans(f"expected to test 1 to {n_parts - 1} of {n_parts} parts, found {n_tested}")
        super().__init__(start, end, max(2, comb(n_parts, n_tested)), embargo)
        self.n_parts, self.n_tested = n_parts, n_tested

    @property
    def n_paths(self) -> int:
        """How many paths there are: each part is tested this often."""
        return comb(self.n_parts - 1, self.n_tested - 1)

    def tested_parts(self) -> list[tuple[int, ...]]:
        """Numbers of the parts that each split tests, in the order of `split`."""
        return list(combinations(range(self.n_parts), self.n_tested))

    def _pairs(self) -> Iterator[tuple[Places, Places]]:
        parts = parts_in_time(self.spans, self.n_parts)
        everything = np.arange(self.spans.rows)
        for numbers in self.tested_parts():
            chosen = [parts[number] for number in numbers]
            test = np.sort(np.concatenate([part.rows for part in chosen]))
            yield self._beside(chosen, np.setdiff1d(everything, test)), test

    def paths(self) -> list[list[tuple[int, Places]]]:
        """For each path the (number of the split, rows) that together test every row exactly once."""
        parts = parts_in_time(self.spans, self.n_parts)
        found: list[list[tuple[int, Places]]] = [[] for _ in range(self.n_paths)]
        for number, part in enumerate(parts):
            testing = [split for split, numbers in enumerate(self.tested_parts()) if number in numbers]
            for path, split in zip(found, testing, strict=True):
                path.append((split, part.rows))
        return found
