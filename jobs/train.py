"""`infra/tickflow train`: a model from stored or recorded rows, kept in the model store, and released over the control log when asked."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.local.shipping import code_hash
from jobs.model_aliases import aliases_of
from jobs.model_store import ModelStore
from jobs.releasing import add_release_options, chosen_store, release_if_asked, require_broker, wants_release
from jobs.settings import load_settings
from jobs.time_arguments import parse_time
from jobs.verb_result import NOT_HELD, USAGE, finish, needs_stored
from udfs.errors import TickflowError
from udfs.records import ControlKind, ModelReference

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from jobs.training.dataset import Dataset
    from jobs.training.labels import Labels
    from jobs.training.runs import TrainRequest

_NANOSECONDS_PER_SECOND = 1_000_000_000
_SHOWN = (
    *("rows", "log_loss", "prior_log_loss", "skill", "skill_interval", "direction_skill_interval", "hit_rate", "pr_auc"),
    *("information_coefficient", "information_coefficient_interval", "rank_information_coefficient", "calibration_error", "coverage_90"),
)


def main(arguments: list[str]) -> int:
    """Run the verb, or that of news; 0 trained, 1 not, 2 usage or environment."""
    if arguments[:1] == ["news"]:
        from jobs import train_news

        return train_news.main(arguments[1:])
    options = _parser().parse_args(arguments)
    codes: dict[type[Exception], int] = {TickflowError: NOT_HELD, ValueError: USAGE}
    if options.check:
        verb = f"train --check {options.check}"
        return finish(verb, options.json, partial(_check, options), tell_check, codes, lambda found: bool(found["holds"]))
    return finish("train", options.json, partial(_run, options), _tell, codes, lambda result: not result["release_refused"])


def _check(options: argparse.Namespace) -> dict[str, Any]:
    from infra.local.console import say

    if options.check == "planted":
        from jobs.training.planted.check import CheckSettings, check_planted

        return check_planted(CheckSettings(), say)
    from jobs.training.planted.shuffled import check_shuffled

    request = _request(options)
    return check_shuffled(*_labelled_rows(options, request), request.training, say)


def tell_check(found: dict[str, Any]) -> None:
    """Say what a check found."""
    for name, value in found.items():
        if isinstance(value, int | float | str | list) and name not in ("planted", "null", "tries"):
            print(f"  {name.replace('_', ' '):<24} {value}")


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from jobs.lake.catalog import create_tables, open_catalog
    from jobs.lake.settings import lake_from_environment
    from jobs.training.runs import note_trial

    require_broker(options)
    lake = lake_from_environment(os.environ, options.lake)
    catalog, store = open_catalog(lake), chosen_store(options, lake)
    reference, card = _train(options, catalog, store)
    create_tables(catalog, lake.buckets)
    note_trial(catalog, reference, card)
    objections = card["gate"]["objections"]
    version = release_if_asked(reference, options, ControlKind.MODEL, objections, aliases_of(store))
    refused = wants_release(options) and version is None
    said = {"control_version": version, "release_refused": refused, "objections": objections}
    return {**asdict(reference), **said, "metrics": card["metrics"], "horizon": card["horizon"], "card": card}


def _labelled_rows(options: argparse.Namespace, request: TrainRequest) -> tuple[Dataset, Labels]:
    """Of the market data that was named, or of the lake."""
    from jobs.lake.catalog import open_catalog
    from jobs.lake.settings import lake_from_environment
    from jobs.training.dataset import NotEnoughData
    from jobs.training.runs import rows_from_files, rows_from_lake

    if options.data is not None:
        return rows_from_files(options.data, request, load_settings())
    with needs_stored("feature rows", NotEnoughData):
        return rows_from_lake(open_catalog(lake_from_environment(os.environ, options.lake)), request)


def _train(options: argparse.Namespace, catalog: Catalog, store: ModelStore) -> tuple[ModelReference, dict[str, Any]]:
    from jobs.training.dataset import NotEnoughData
    from jobs.training.runs import train_from_files, train_from_lake

    request = _request(options)
    if options.data is not None:
        return train_from_files(options.data, store, request, load_settings())
    with needs_stored("feature rows", NotEnoughData):
        return train_from_lake(catalog, store, request)


def _request(options: argparse.Namespace) -> TrainRequest:
    from jobs.training.runs import TrainRequest

    if not options.horizon_seconds > 0:
        raise ValueError(f"the horizon must be above 0 seconds, found {options.horizon_seconds}")
    if options.data is not None and (options.from_time or options.to_time or options.symbols or options.breaks):
        raise ValueError("--data trains on all that is there: --from, --to, --symbols and --breaks choose rows of the lake")
    return TrainRequest(
        from_time=options.from_time,
        to_time=options.to_time,
        symbols=tuple(options.symbols.split(",")) if options.symbols else (),
        horizon=round(options.horizon_seconds * _NANOSECONDS_PER_SECOND),
        namespace=options.namespace,
        label=options.label,
        breaks_table=options.breaks,
        calendar=options.calendar,
        precision=options.precision,
        code_hash=code_hash(),
        model=options.model,
    )


def _tell(result: dict[str, Any]) -> None:
    print(f"model {result['version']}\n  file     {result['uri']}\n  sha256   {result['sha256']}")
    for name in _SHOWN:
        print(f"  {name.replace('_', ' '):<24} {result['metrics'][name]}")
    verdict = "knows more than the class shares" if result["metrics"]["beats_prior"] else "does NOT know more than the class shares"
    print(f"On rows it had not seen, the model {verdict}.")
    for objection in result["objections"]:
        print(f"  against a release: {objection}")
    if result["release_refused"]:
        print("NOT released. --release-anyway WHY releases it nevertheless, and the audit log says so.")
    recommended = result["card"]["fractional_order"]["recommended"]
    if recommended is not None:
        print(f"The data asks for kernel.fractional_order = {recommended}; it is part of the manifest, so a person sets it.")


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"expected a share between 0 and 1, found {text}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tickflow train",
        description="Train a model on the lake's feature rows, or on recorded market data, and keep it in the model store.",
        epilog="`tickflow train news` trains the model that reads news.",
    )
    parser.add_argument("--data", type=Path, metavar="PATH", help="file or folder of market data to train from, in place of the lake")
    parser.add_argument("--from", dest="from_time", type=parse_time, metavar="TIME", help="first event time, ISO 8601, UTC")
    parser.add_argument("--to", dest="to_time", type=parse_time, metavar="TIME", help="event time to stop before")
    parser.add_argument("--symbols", default="", help="comma-separated; all when not given")
    parser.add_argument("--horizon-seconds", type=float, default=300.0, help="how far ahead to predict (default 300)")
    parser.add_argument(
        "--label", choices=("return", "spread-adjusted", "triple-barrier"), default="return", help="outcome to learn (default return)"
    )
    parser.add_argument(
        "--model",
        choices=("trees", "neural"),
        default="trees",
        help="what stands on top of the straight line: LightGBM's trees, or a network over the windows of a row (default trees)",
    )
    parser.add_argument("--breaks", default="", metavar="TABLE", help="table of the lake with moments that no outcome may span")
    parser.add_argument("--calendar", default="", metavar="NAME", help="exchange whose session ends no outcome may span, such as XNYS")
    parser.add_argument(
        "--check",
        choices=("planted", "shuffled"),
        help="check the training itself: made-up markets, or real rows (--data, or the lake's) whose outcomes were dealt out anew",
    )
    parser.add_argument("--precision", type=_share, metavar="P", help="abstain below the confidence at which this share comes true")
    parser.add_argument("--namespace", default="tickflow", help="namespace of the lake's tables")
    add_release_options(parser, "released by `tickflow train`")
    return parser
