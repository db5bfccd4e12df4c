"""What a challenger and the champion said of the same rows, and what came of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import And, EqualTo, GreaterThanOrEqual

from jobs.lake.reading import condition, scan_batches
from jobs.shadow.evidence import NO_OUTCOME, Codes, Pairs
from jobs.shadow.scoring import TABLE
from jobs.training.labelling.kinds import LabelSettings, outcomes_of
from jobs.training.labelling.path import path_of
from jobs.training.point_in_time.price_reading import COLUMNS as PRICE_COLUMNS
from jobs.training.point_in_time.price_reading import Prices, read_prices
from udfs.errors import ModelMismatch
from udfs.kernels.feature_vector import FEATURE_NAMES

_SAID: Final = ("symbol", "event_number", "event_time_ns", "probability_down", "probability_neutral", "probability_up", "feature_hash")
_PROBABILITIES: Final = _SAID[3:6]


class Asked(NamedTuple):
    """What the champion's signals say something of: the same question is put to every challenger."""

    label: LabelSettings
    edges: Mapping[str, float]
    """Symbol -> |outcome| up to which it counts as neutral; "" of any other symbol."""

    @classmethod
    def of_card(cls, card: Mapping[str, Any]) -> Asked:
        """What a model was trained to say. Raises ModelMismatch for a card without it."""
        if "neutral_edges" not in card or "label" not in card:
            raise ModelMismatch("the champion's card does not say which moves count as neutral: train and release it again")
        return cls(LabelSettings(**card["label"]), card["neutral_edges"])


class _Said(NamedTuple):
    """One model's forecasts of one symbol, by event number, each once."""

    number: Codes
    time: Codes
    probabilities: npt.NDArray[np.float64]
    feature_hash: npt.NDArray[np.str_]


def pairs_of(catalog: Catalog, namespace: str, champion: str, challenger: str, since: int, asked: Asked) -> Pairs:
    """Rows from a control version on that both models, by their hashes, have scored. Raises ModelMismatch when they read other features."""
    served = _read_said(catalog, namespace, "signals", champion, since)
    shadow = _read_said(catalog, namespace, TABLE, challenger, since)
    prices = _read_prices(catalog, namespace, 0 if asked.label.looks_back else since)
    symbols = sorted(served.keys() & shadow.keys())
    parts = [
        _paired(code, served[symbol], shadow[symbol], _classes(prices.get(symbol), symbol, asked)) for code, symbol in enumerate(symbols)
    ]
    return Pairs(*(np.concatenate(column) for column in zip(*parts, strict=True))) if parts else NO_PAIRS


def _read_prices(catalog: Catalog, namespace: str, since: int) -> dict[str, Prices]:
    """Of rows from a control version on."""
    wanted = condition(GreaterThanOrEqual, "control_version", since)
    return read_prices(scan_batches(catalog.load_table((namespace, "features")), PRICE_COLUMNS, wanted), FEATURE_NAMES)


NO_PAIRS: Final = Pairs(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 3), np.float64), np.zeros((0, 3), np.float64), np.zeros(0, np.int64)
)


def _read_said(catalog: Catalog, namespace: str, table: str, sha256: str, since: int) -> dict[str, _Said]:
    wanted = And(condition(EqualTo, "model_hash", sha256), condition(GreaterThanOrEqual, "control_version", since))
    batches = [batch for batch in scan_batches(catalog.load_table((namespace, table)), _SAID, wanted) if batch.num_rows]
    if not batches:
        return {}
    rows = pa.Table.from_batches(batches)
    symbols = rows.column("symbol").to_numpy().astype(str)
    said = _Said(
        rows.column("event_number").to_numpy(),
        rows.column("event_time_ns").to_numpy(),
        np.column_stack([rows.column(name).to_numpy() for name in _PROBABILITIES]),
        rows.column("feature_hash").to_numpy().astype(str),
    )
    return {symbol: _once(said, np.flatnonzero(symbols == symbol)) for symbol in np.unique(symbols).tolist()}


def _once(said: _Said, rows: npt.NDArray[np.intp]) -> _Said:
    """Rows of one symbol that were scored, by event number; a restart may have written one twice."""
    rows = rows[np.isfinite(said.probabilities[rows]).all(axis=1)]
    _, first = np.unique(said.number[rows], return_index=True)
    return _Said(*(column[rows[first]] for column in said))


def _classes(prices: Prices | None, symbol: str, asked: Asked) -> tuple[Codes, Codes]:
    """Event numbers with an outcome, increasing, and its class: 0 down, 1 neutral, 2 up."""
    if prices is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    path = path_of(prices.time, prices.price, prices.spread, prices.halted, longest_gap=asked.label.longest_gap)
    found = outcomes_of(path, asked.label)
    edge = asked.edges.get(symbol, asked.edges[""])
    by_size = 1 + (found.value > edge).astype(np.int64) - (found.value < -edge).astype(np.int64)
    classes = np.where(np.isnan(found.side), by_size, 1 + np.nan_to_num(found.side).astype(np.int64))
    numbers = prices.number[found.rows]
    order = np.argsort(numbers, kind="stable")
    return numbers[order], classes[order]


def _paired(code: int, served: _Said, shadow: _Said, classes: tuple[Codes, Codes]) -> Pairs:
    numbers, one, other = np.intersect1d(served.number, shadow.number, assume_unique=True, return_indices=True)
    if np.any(served.feature_hash[one] != shadow.feature_hash[other]):
        raise ModelMismatch("a challenger scored other features than the champion at the same rows: the tables are not of one stream")
    happened = np.full(numbers.shape[0], NO_OUTCOME)
    place = np.searchsorted(classes[0], numbers)
    there = np.flatnonzero(np.isin(numbers, classes[0]))
    happened[there] = classes[1][place[there]]
    return Pairs(np.full(numbers.shape[0], code), served.time[one], served.probabilities[one], shadow.probabilities[other], happened)
