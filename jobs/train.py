"""`infra/tickflow train`: a model from the stored feature rows, kept in the model store, and released over the control log when asked."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.model_store import ModelStore, models_location, open_store
from jobs.time_arguments import parse_time
from udfs.errors import TickflowError
from udfs.records import ControlEvent, ControlKind, ModelReference

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


def release_event(reference: ModelReference, author: str, reason: str, event_time: int) -> ControlEvent:
    """The control event that puts a model into force."""
    return ControlEvent(version=0, kind=ControlKind.MODEL, event_time=event_time, author=author, reason=reason, model=reference)


def main(arguments: list[str]) -> int:
    """Run the verb, or that of news; 0 trained, 1 not, 2 usage or environment."""
    if arguments[:1] == ["news"]:
        from jobs import train_news

        return train_news.main(arguments[1:])
    options = _parser().parse_args(arguments)
    try:
        result = _run(options)
    except TickflowError as error:
        return _fail(options.json, str(error), 1)
    except ValueError as error:
        return _fail(options.json, str(error), 2)
    _report(result, options.json)
    return 0


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from pyiceberg.exceptions import NoSuchTableError

    from jobs.lake.catalog import open_catalog
    from jobs.lake.settings import lake_from_environment
    from jobs.training.dataset import NotEnoughData

    if options.release and not options.bootstrap_servers:
        raise ValueError("--release needs a broker: set TICKFLOW_KAFKA_BOOTSTRAP_SERVERS or give --bootstrap-servers")
    lake = lake_from_environment(os.environ, options.lake)
    store = open_store(options.models or models_location(lake.warehouse), lake.s3_endpoint, lake.s3_region)
    try:
        reference, card = train(open_catalog(lake), store, _request(options))
    except NoSuchTableError as error:
        raise NotEnoughData(f"the lake at {lake.warehouse} has no feature rows yet; run `infra/tickflow demo` or `live` first") from error
    version = _release(reference, options) if options.release else None
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


def _release(reference: ModelReference, options: argparse.Namespace) -> int:
    from jobs.audit.control import audited
    from jobs.control import publish
    from jobs.gateway.publisher import PublisherSettings
    from jobs.settings import load_settings

    publisher = PublisherSettings(options.bootstrap_servers, client=load_settings().kafka.librdkafka_properties())
    event = release_event(reference, options.author, options.reason, time.time_ns())
    return audited([event], lambda found: publish(found, publisher))[0]


def _report(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
        return
    print(f"model {result['version']}\n  file     {result['uri']}\n  sha256   {result['sha256']}")
    for name in _SHOWN:
        print(f"  {name.replace('_', ' '):<24} {result['metrics'][name]}")
    verdict = "knows more than the class shares" if result["metrics"]["beats_prior"] else "does NOT know more than the class shares"
    print(f"On rows it had not seen, the model {verdict}.")
    recommended = result["card"]["fractional_order"]["recommended"]
    if recommended is not None:
        print(f"The data asks for kernel.fractional_order = {recommended}; it is part of the manifest, so a person sets it.")


def _fail(as_json: bool, problem: str, code: int) -> int:
    print(f"train: {problem}", file=sys.stderr)
    if as_json:
        print(json.dumps({"error": problem}))
    return code


def _parser() -> argparse.ArgumentParser:
    from infra.local.paths import DATA

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
    parser.add_argument(
        "--lake", type=Path, default=DATA / "lake", metavar="FOLDER", help="the local lake; TICKFLOW_LAKE_* settings come first"
    )
    parser.add_argument("--namespace", default="tickflow", help="namespace of the lake's tables")
    parser.add_argument("--models", default=os.environ.get("TICKFLOW_MODELS", ""), metavar="LOCATION", help="folder or s3://… of models")
    parser.add_argument("--release", action="store_true", help="put the model into force over the control log")
    parser.add_argument(
        "--bootstrap-servers", default=os.environ.get("TICKFLOW_KAFKA_BOOTSTRAP_SERVERS", ""), help="Kafka broker for --release"
    )
    parser.add_argument("--reason", default="released by `tickflow train`", metavar="TEXT", help="why it is released; stays in the logs")
    parser.add_argument("--by", "--author", dest="author", default=os.environ.get("USER", "unknown"), help="who releases it")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser
