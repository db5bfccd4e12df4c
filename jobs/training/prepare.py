"""Labelled rows cut into parts, with classes, usable inputs and folds: everything that is decided before anything is fitted."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.training.baselines import KnownRows, last_known
from jobs.training.dataset import Dataset, NotEnoughData
from jobs.training.fit import TrainingPart, TrainingSettings
from jobs.training.labelling.uniqueness import sample_weights
from jobs.training.labels import Labels, NeutralBand, choose_band, classes_of, forward_returns
from jobs.training.measures import Happened
from jobs.training.splits import Split, split_by_time
from jobs.training.validation.spans import InvalidSpans, check_no_leak, check_spans
from jobs.training.validation.splitters import SpanSplitter
from udfs.scoring.model_metadata import CLASS_ORDER

_Rows = npt.NDArray[np.intp]
MakeSplitter = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64], int, int], SpanSplitter]
"""Starts and ends of outcomes, number of folds, embargo -> splitter."""
_NONE_KNOWN = len(CLASS_ORDER)


class Prepared(NamedTuple):
    """Labelled rows cut into parts."""

    dataset: Dataset
    labels: Labels
    split: Split
    classes: npt.NDArray[np.int64]
    band: NeutralBand
    inputs: tuple[int, ...]
    """Places in the feature list of what the model reads."""
    folds: SpanSplitter
    """Of the training rows."""

    def values(self, rows: _Rows) -> npt.NDArray[np.float32]:
        """(rows, model inputs) of some labels."""
        return np.ascontiguousarray(self.dataset.values[self.labels.rows[rows]][:, self.inputs])

    def symbols(self, rows: _Rows) -> npt.NDArray[np.int32]:
        """(rows,) symbol codes of some labels."""
        return np.asarray(self.dataset.symbol[self.labels.rows[rows]], np.int32)

    def happened(self, rows: _Rows) -> Happened:
        """What came of some labels."""
        return Happened(self.classes[rows], self.labels.log_return[rows])

    def part(self, rows: _Rows) -> TrainingPart:
        """Inputs and outcomes of some labels, weighted by how much of each outcome is its own."""
        weight = sample_weights(self.symbols(rows), self.labels.start[rows], self.labels.end[rows])
        return TrainingPart(self.values(rows), self.classes[rows], self.labels.log_return[rows], weight)

    def known(self, rows: _Rows) -> KnownRows:
        """Some labels as baselines see them."""
        symbol = self.dataset.symbol[self.labels.rows]
        last = last_known(symbol, self.labels.start, self.labels.end)[rows]
        scale = self.band.scales[self.symbols(rows)]
        last_class = np.where(last >= 0, self.classes[last], _NONE_KNOWN)
        last_return = np.where(last >= 0, self.labels.log_return[last], 0.0) / scale
        return KnownRows(self.values(rows), last_class, np.clip(last_return, -5, 5), scale, *self.happened(rows))


def prepare(
    dataset: Dataset,
    model_inputs: tuple[int, ...],
    settings: TrainingSettings,
    labels: Labels | None,
    splitter: MakeSplitter,
) -> Prepared:
    """Cut, class and check. Raises NotEnoughData, and LeakingSplit when a part knows of a later one."""
    if labels is None:
        labels = forward_returns(dataset, settings.horizon, settings.label_tolerance)
    labels = _thin(labels, dataset.symbol[labels.rows], settings.maximum_rows)
    split = split_by_time(labels, settings.gap)
    check_no_leak(check_spans(labels.start, labels.end), split.train, split.test)
    symbol = dataset.symbol[labels.rows]
    band = choose_band(symbol[split.train], len(dataset.symbols), labels.log_return[split.train])
    classes = classes_of(band, symbol, labels)
    folds = splitter(labels.start[split.train], labels.end[split.train], settings.folds, settings.gap)
    _check_folds(classes[split.train], folds)
    inputs = _usable_inputs(dataset, labels.rows[split.train], model_inputs)
    return Prepared(dataset, labels, split, classes, band, inputs, folds)


def _thin(labels: Labels, symbol: npt.NDArray[np.int32], maximum: int) -> Labels:
    """Every k-th label of each symbol, not all symbols at the same moments, so that at most about `maximum` are left."""
    every = -(-labels.rows.shape[0] // maximum) or 1
    place = np.empty(symbol.shape[0], np.int64)
    for code in np.unique(symbol):
        rows = np.flatnonzero(symbol == code)
        place[rows] = code + np.arange(rows.shape[0])
    return labels.take(place % every == 0)


def _check_folds(classes: npt.NDArray[np.int64], folds: SpanSplitter) -> None:
    """Raises NotEnoughData when the rows beside a fold are too few, or do not hold all classes."""
    try:
        training = [train for train, _ in folds.split(classes)]
    except InvalidSpans as error:
        raise NotEnoughData(f"too few rows for {folds.n_splits} folds: {error}") from error
    for number, rows in enumerate(training):
        missing = [name for k, name in enumerate(CLASS_ORDER) if not np.any(classes[rows] == k)]
        if missing:
            raise NotEnoughData(
                f"no row beside fold {number} went {' or '.join(missing)}: nothing to tell apart; take more data or another horizon"
            )


def _usable_inputs(dataset: Dataset, rows: _Rows, model_inputs: tuple[int, ...]) -> tuple[int, ...]:
    """Inputs that have a value in some training row: what was never there cannot be learnt from, nor be missed later."""
    there = ~np.isnan(dataset.values[rows]).all(axis=0)
    usable = tuple(place for place in model_inputs if there[place])
    if not usable:
        raise NotEnoughData("every model input is missing in every training row: the features never warmed up; take a longer range")
    return usable
