"""A training run from its rows to the model store: from the lake or from recorded files, with its card and its entry in the ledger."""

from __future__ import annotations

import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.model_store import ModelStore
from jobs.training.dataset import Dataset
from jobs.training.fit import TrainingSettings
from jobs.training.labelling.kinds import LabelSettings
from jobs.training.labels import Labels
from jobs.training.model_card import card_in_words
from jobs.training.neural.network import NetworkSettings
from jobs.training.train_model import train_model
from udfs.records import ModelReference

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from jobs.settings import Settings

_SECOND = 1_000_000_000
LABELS = ("return", "spread-adjusted", "triple-barrier")
"""Outcomes with a direction."""
MODELS = ("trees", "neural")
_NETWORK_ROWS = 60_000
"""Of more labelled rows a network learns from an even part: it takes its time."""
_LIBRARIES = ("lightgbm", "scikit-learn", "numpy", "onnx", "onnxruntime")


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What to train from, and how."""

    from_time: int | None = None
    """Nanoseconds, included; None means from the first row."""
    to_time: int | None = None
    """Nanoseconds, not included."""
    symbols: tuple[str, ...] = ()
    horizon: int = 300 * _SECOND
    namespace: str = "tickflow"
    label: str = "return"
    """Outcome to learn: one of `LABELS`."""
    breaks_table: str = ""
    """Table of the lake with moments that no outcome may span."""
    calendar: str = ""
    """Exchange whose sessions no outcome may span the end of, such as XNYS."""
    precision: float | None = None
    """Share of signals with a direction that must come true; decides when to abstain."""
    code_hash: str = ""
    """Of the code that trains, for the card."""
    model: str = "trees"
    """What stands on top of the linear part: one of `MODELS`."""

    @property
    def training(self) -> TrainingSettings:
        """What decides the model beside its rows."""
        if self.model == "neural":
            network = NetworkSettings()
            return TrainingSettings(horizon=self.horizon, precision=self.precision, maximum_rows=_NETWORK_ROWS, network=network)
        return TrainingSettings(horizon=self.horizon, precision=self.precision)

    @property
    def label_settings(self) -> LabelSettings:
        """How outcomes are measured."""
        return LabelSettings(self.label, self.horizon, self.training.label_tolerance)


def train_from_lake(catalog: Catalog, store: ModelStore, request: TrainRequest) -> tuple[ModelReference, dict[str, Any]]:
    """Look at the lake's rows, train on them and store the model; gives its reference and card.

    Raises NotEnoughData, also for rows that make no sense, and ModelMismatch when the gate refuses.
    """
    rows, labels = rows_from_lake(catalog, request)
    return _keep(store, rows, labels, request, {"source": "lake", "snapshot_ids": list(rows.snapshot_ids)})


def rows_from_lake(catalog: Catalog, request: TrainRequest) -> tuple[Dataset, Labels]:
    """The lake's rows that make sense, with their outcomes. Raises NotEnoughData."""
    from jobs.training.analysis.run import analyse
    from jobs.training.point_in_time.collected import labelled_rows
    from jobs.training.point_in_time.reader import DatasetRequest, PointInTimeReader
    from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET

    wanted = DatasetRequest(
        from_time=request.from_time,
        to_time=request.to_time,
        symbols=request.symbols,
        label=request.label_settings,
        breaks_table=request.breaks_table,
        calendar=request.calendar,
        keep_about=request.training.maximum_rows,
    )
    analyse(catalog, request.namespace, FEATURE_NAMES, wanted, FEATURE_SET).stop_on_nonsense()
    return labelled_rows(PointInTimeReader(catalog, request.namespace, FEATURE_NAMES, wanted).pieces())


def train_from_files(path: Path, store: ModelStore, request: TrainRequest, settings: Settings) -> tuple[ModelReference, dict[str, Any]]:
    """Make rows of recorded market data with the stream's kernels, train on them and store the model; gives its reference and card.

    Raises SourceError for what cannot be read, NotEnoughData, and ModelMismatch when the gate refuses.
    """
    from jobs.training.from_files import fingerprint

    rows, labels = rows_from_files(path, request, settings)
    return _keep(store, rows, labels, request, {"source": path.name, "sha256": fingerprint(path), "labelled_rows": len(labels.rows)})


def rows_from_files(path: Path, request: TrainRequest, settings: Settings) -> tuple[Dataset, Labels]:
    """The rows that recorded market data makes, with their outcomes. Raises SourceError and NotEnoughData."""
    from jobs.training.from_files import rows_of_files

    return rows_of_files(path, settings, request.label_settings, request.calendar, request.training.maximum_rows)


def _keep(
    store: ModelStore, rows: Dataset, labels: Labels, request: TrainRequest, data: dict[str, Any]
) -> tuple[ModelReference, dict[str, Any]]:
    from jobs.training.fractional_order import recommend_order
    from udfs.kernels.feature_vector import MODEL_INPUTS

    trained = train_model(rows, MODEL_INPUTS, request.training, labels)
    card = trained.card | {
        "data": data,
        "label": asdict(request.label_settings),
        "code_hash": request.code_hash,
        "libraries": {name: version(name) for name in _LIBRARIES} | {"python": platform.python_version()},
        "fractional_order": recommend_order(rows, trained.card["parts"]["train"]["to"]),
    }
    return store.put(trained.version, trained.data, card, card_in_words(card)), card


def note_trial(catalog: Catalog, reference: ModelReference, card: dict[str, Any]) -> None:
    """Append the run to the ledger of trials, as backtests do: the best of many models is not skill either."""
    from jobs.backtest.ledger import Trial, note

    measured, test = card["trial"], card["parts"]["test"]
    settings = {
        "grid_seconds": measured["grid_seconds"],
        "symbols": sorted(card["symbols"]),
        "range": [test["from"], test["to"]],
        "training": card["settings"],
        "label": card["label"],
        "feature_set": card["feature_set"],
    }
    note(catalog, Trial("train", reference.version, settings, measured["periods"], measured["sharpe"]))
