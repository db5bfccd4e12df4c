"""`infra/tickflow train`: a model from the stored feature rows, kept in the model store, and released over the control log when asked."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from jobs.model_store import ModelStore
from jobs.releasing import add_release_options, chosen_store, release_if_asked, require_broker
from jobs.time_arguments import parse_time
from jobs.verb_result import NOT_HELD, USAGE, finish, needs_stored
from udfs.errors import TickflowError
from udfs.records import ControlKind, ModelReference

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from jobs.training.fit import TrainingSettings
    from jobs.training.point_in_time.reader import DatasetRequest

_NANOSECONDS_PER_SECOND = 1_000_000_000
_SHOWN = ("rows", "log_loss", "prior_log_loss", "skill", "skill_interval", "hit_rate", "information_coefficient", "coverage_95")


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What to train from, and how."""

    from_time: int | None = None
    """Nanoseconds, included; None means from the first row."""
    to_time: int | None = None
    """Nanoseconds, not included."""
    symbols: tuple[str, ...] = ()
    horizon: int = 300 * _NANOSECONDS_PER_SECOND
    namespace: str = "tickflow"
    label: str = "return"
    """Outcome to learn: one of `LABELS`."""
    breaks_table: str = ""
    """Table of the lake with moments that no outcome may span."""
    calendar: str = ""
    """Exchange whose sessions no outcome may span the end of, such as XNYS."""


LABELS = ("return", "spread-adjusted", "triple-barrier")
"""Outcomes with a direction."""


def train(catalog: Catalog, store: ModelStore, request: TrainRequest) -> tuple[ModelReference, dict[str, Any]]:
    """Look at the lake's rows, train on them and store the model; gives its reference and card.

    Raises NotEnoughData, also for rows that make no sense, and ModelMismatch when the gate refuses.
    """
    from jobs.training.analysis.run import analyse
    from jobs.training.fractional_order import recommend_order
    from jobs.training.point_in_time.collected import labelled_rows
    from jobs.training.point_in_time.reader import PointInTimeReader
    from jobs.training.train_model import train_model
    from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET, MODEL_INPUTS

    settings = _training_settings(request)
    wanted = _dataset_request(request, settings)
    analyse(catalog, request.namespace, FEATURE_NAMES, wanted, FEATURE_SET).stop_on_nonsense()
    dataset, labels = labelled_rows(PointInTimeReader(catalog, request.namespace, FEATURE_NAMES, wanted).pieces())
    trained = train_model(dataset, MODEL_INPUTS, settings, labels)
    card = trained.card | {"fractional_order": recommend_order(dataset, trained.card["parts"]["train"]["to"])}
    return store.put(trained.version, trained.data, card), card


def _dataset_request(request: TrainRequest, settings: TrainingSettings) -> DatasetRequest:
    from jobs.training.labelling.kinds import LabelSettings
    from jobs.training.point_in_time.reader import DatasetRequest

    return DatasetRequest(
        from_time=request.from_time,
        to_time=request.to_time,
        symbols=request.symbols,
        label=LabelSettings(request.label, settings.horizon, settings.label_tolerance),
        breaks_table=request.breaks_table,
        calendar=request.calendar,
        keep_about=settings.maximum_rows,
    )


def _training_settings(request: TrainRequest) -> TrainingSettings:
    from jobs.training.fit import TrainingSettings

    return TrainingSettings(horizon=request.horizon)


def main(arguments: list[str]) -> int:
    """Run the verb, or that of news; 0 trained, 1 not, 2 usage or environment."""
    if arguments[:1] == ["news"]:
        from jobs import train_news

        return train_news.main(arguments[1:])
    options = _parser().parse_args(arguments)
    return finish("train", options.json, partial(_run, options), _tell, {TickflowError: NOT_HELD, ValueError: USAGE})


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from jobs.lake.catalog import open_catalog
    from jobs.lake.settings import lake_from_environment
    from jobs.training.dataset import NotEnoughData

    require_broker(options)
    lake = lake_from_environment(os.environ, options.lake)
    with needs_stored("feature rows", NotEnoughData):
        reference, card = train(open_catalog(lake), chosen_store(options, lake), _request(options))
    version = release_if_asked(reference, options, ControlKind.MODEL)
    return {**asdict(reference), "control_version": version, "metrics": card["metrics"], "horizon": card["horizon"], "card": card}


def _request(options: argparse.Namespace) -> TrainRequest:
    if not options.horizon_seconds > 0:
        raise ValueError(f"the horizon must be above 0 seconds, found {options.horizon_seconds}")
    return TrainRequest(
        from_time=options.from_time,
        to_time=options.to_time,
        symbols=tuple(options.symbols.split(",")) if options.symbols else (),
        horizon=round(options.horizon_seconds * _NANOSECONDS_PER_SECOND),
        namespace=options.namespace,
        label=options.label,
        breaks_table=options.breaks,
        calendar=options.calendar,
    )


def _tell(result: dict[str, Any]) -> None:
    print(f"model {result['version']}\n  file     {result['uri']}\n  sha256   {result['sha256']}")
    for name in _SHOWN:
        print(f"  {name.replace('_', ' '):<24} {result['metrics'][name]}")
    verdict = "knows more than the class shares" if result["metrics"]["beats_prior"] else "does NOT know more than the class shares"
    print(f"On rows it had not seen, the model {verdict}.")
    recommended = result["card"]["fractional_order"]["recommended"]
    if recommended is not None:
        print(f"The data asks for kernel.fractional_order = {recommended}; it is part of the manifest, so a person sets it.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tickflow train",
        description="Train a model on the lake's feature rows and keep it in the model store.",
        epilog="`tickflow train news` trains the model that reads news.",
    )
    parser.add_argument("--from", dest="from_time", type=parse_time, metavar="TIME", help="first event time, ISO 8601, UTC")
    parser.add_argument("--to", dest="to_time", type=parse_time, metavar="TIME", help="event time to stop before")
    parser.add_argument("--symbols", default="", help="comma-separated; all when not given")
    parser.add_argument("--horizon-seconds", type=float, default=300.0, help="how far ahead to predict (default 300)")
    parser.add_argument("--label", choices=LABELS, default=LABELS[0], help="outcome to learn (default return)")
    parser.add_argument("--breaks", default="", metavar="TABLE", help="table of the lake with moments that no outcome may span")
    parser.add_argument("--calendar", default="", metavar="NAME", help="exchange whose session ends no outcome may span, such as XNYS")
    parser.add_argument("--namespace", default="tickflow", help="namespace of the lake's tables")
    add_release_options(parser, "released by `tickflow train`")
    return parser
