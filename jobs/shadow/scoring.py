"""Challengers score the stored rows with the stream's own scorer: what they would have said, in the table `shadow_scores`.

A model is named in the control log, with its hash, before the rows that it is judged by, and its scores depend on the row alone. So when
they are computed makes no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import And, EqualTo, GreaterThanOrEqual

from jobs.lake.reading import condition, scan_batches
from jobs.lake.writing import append_rows
from jobs.shadow.standing import Held
from jobs.training.dataset import feature_values
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET
from udfs.kernels.signal_rules import feature_hash
from udfs.scoring.onnx_model import Scorer, Scores

TABLE: Final = "shadow_scores"
_IDENTITY: Final = ("symbol", "event_time_ns", "available_time_ns", "event_number")
_COLUMNS: Final = (*_IDENTITY, "control_version", "feature_set", "feature_values", "feature_valid")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Keys = dict[str, npt.NDArray[np.int64]]
"""Symbol -> event numbers, increasing."""


def score_new_rows(catalog: Catalog, namespace: str, alias: str, challenger: Held, scorer: Scorer) -> int:
    """Score every stored row since the challenger was announced that it has not scored yet; how many there were."""
    done = scored_already(catalog, namespace, scorer.sha256, challenger.since)
    stored = catalog.load_table((namespace, "features"))
    wanted = And(condition(GreaterThanOrEqual, "control_version", challenger.since), condition(EqualTo, "feature_set", FEATURE_SET))
    count = 0
    for batch in scan_batches(stored, _COLUMNS, wanted):
        fresh = _fresh(batch, done)
        if fresh.num_rows:
            append_rows(catalog, namespace, TABLE, list(_rows(fresh, alias, scorer)))
            count += fresh.num_rows
    return count


def scored_already(catalog: Catalog, namespace: str, sha256: str, since: int) -> Keys:
    """The rows that a model has scored since a control version."""
    wanted = And(condition(EqualTo, "model_hash", sha256), condition(GreaterThanOrEqual, "control_version", since))
    batches = list(scan_batches(catalog.load_table((namespace, TABLE)), ("symbol", "event_number"), wanted))
    return keys_of(batches)


def keys_of(batches: list[pa.RecordBatch]) -> Keys:
    """The event numbers in batches of `symbol` and `event_number`."""
    if not sum(batch.num_rows for batch in batches):
        return {}
    rows = pa.Table.from_batches(batches)
    symbols, numbers = rows.column("symbol").to_numpy().astype(str), rows.column("event_number").to_numpy()
    return {symbol: np.unique(numbers[symbols == symbol]) for symbol in np.unique(symbols).tolist()}


def _fresh(batch: pa.RecordBatch, done: Keys) -> pa.RecordBatch:
    """The rows that are not done, each once; they are noted as done."""
    symbols, numbers = batch.column("symbol").to_numpy(zero_copy_only=False).astype(str), batch.column("event_number").to_numpy()
    chosen: list[npt.NDArray[np.intp]] = []
    for symbol in np.unique(symbols).tolist():
        rows = np.flatnonzero(symbols == symbol)
        _, first = np.unique(numbers[rows], return_index=True)
        known = done.get(symbol, np.zeros(0, np.int64))
        rows = rows[first][~np.isin(numbers[rows[first]], known)]
        done[symbol] = np.union1d(known, numbers[rows])
        chosen.append(rows)
    return batch.take(pa.array(np.sort(np.concatenate(chosen)) if chosen else [], pa.int64()))


def _rows(batch: pa.RecordBatch, alias: str, scorer: Scorer) -> Iterator[dict[str, Any]]:
    values = feature_values(batch, len(FEATURE_NAMES))
    scores: Scores = scorer.score(values, ~np.isnan(values))
    shared = {"alias": alias, "model_version": scorer.version, "model_hash": scorer.sha256, "horizon_ns": scorer.horizon}
    identity = batch.select([*_IDENTITY, "control_version"]).to_pylist()
    for place, row in enumerate(identity):
        down, neutral, up = scores.probabilities[place].tolist()
        yield {
            **row,
            **shared,
            "event_time": _EPOCH + timedelta(milliseconds=row["event_time_ns"] // 1_000_000),
            "probability_down": down,
            "probability_neutral": neutral,
            "probability_up": up,
            "expected_return": float(scores.expected_return[place]),
            "sigma": float(scores.sigma[place]),
            "feature_hash": feature_hash(values[place]),
        }
