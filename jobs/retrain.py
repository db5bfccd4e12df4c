"""`infra/tickflow retrain`: train again when it is time, and let the new model challenge the champion. For cron, Airflow or the like.

Safe to call as often as one likes: nothing happens without a reason, nor while a model of nearly the same rows is stored. What the gate is
against is stored and goes nowhere.
"""

from __future__ import annotations

import argparse
import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.local.console import say
from infra.local.paths import DATA
from infra.local.shipping import code_hash
from jobs.control_verbs import add_common_options, control_settings, current_user
from jobs.drift import drift_of_model, rows_since_training
from jobs.lake.settings import lake_from_environment
from jobs.model_aliases import CHAMPION, aliases_of
from jobs.model_store import read_card
from jobs.releasing import chosen_store, publish_and_name, release_event
from jobs.shadow.rules import announcement
from jobs.training.due import DueSettings, Findings, fresh_model, reasons
from jobs.verb_result import NOT_HELD, USAGE, finish, needs_stored
from udfs.errors import InvalidRule, InvalidSettings, TickflowError

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from jobs.model_store import ModelStore
    from udfs.records import ModelReference

ALIAS = "challenger-retrained"
_DAY = 86_400 * 1_000_000_000


def main(arguments: list[str]) -> int:
    """Run the verb; 0 nothing to do or a new model that the gate lets through, 1 one that it does not, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    codes: dict[type[Exception], int] = {InvalidSettings: USAGE, InvalidRule: USAGE, TickflowError: NOT_HELD, ValueError: USAGE}
    return finish("retrain", options.json, partial(_run, options), _tell, codes, lambda result: not result["objections"])


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from jobs.lake.catalog import create_tables, open_catalog
    from jobs.training.dataset import NotEnoughData

    lake = lake_from_environment(os.environ, options.lake or (options.data or DATA) / "lake")
    store, catalog = chosen_store(options, lake), open_catalog(lake)
    settings = DueSettings(options.stale_days, options.fresh_hours)
    with needs_stored("feature rows", NotEnoughData):
        found = look(catalog, store, options.block_seconds)
    due = reasons(found, settings, options.scheduled)
    result: dict[str, Any] = {"due": due, "not_known": found.not_known, "objections": [], "version": None, "control_version": None}
    trained_already = fresh_model(found, settings)
    if not due or trained_already:
        return result | {"trained_already": trained_already or None}
    create_tables(catalog, lake.buckets)
    reference, card = _train(options, catalog, store, found.newest_row)
    result |= {"trained_already": None, "version": reference.version, "objections": card["gate"]["objections"], "metrics": card["metrics"]}
    if options.announce and not result["objections"]:
        result["control_version"] = _announce(options, store, reference, "; ".join(due))
    return result


def look(catalog: Catalog, store: ModelStore, block_seconds: float) -> Findings:
    """What can be said of the champion, or of its lack. Raises NotEnoughData without rows."""
    from jobs.lake.reading import newest_time
    from jobs.lake.tables import NAMESPACE
    from jobs.monitoring.adversarial import tell_apart
    from jobs.monitoring.drift import DriftSettings
    from jobs.training.dataset import NotEnoughData

    newest = newest_time(catalog, NAMESPACE, "features")
    if newest is None:
        raise NotEnoughData("the lake holds no feature rows yet; run `infra/tickflow demo` or `live` first")
    found = Findings(newest, newest_model=_newest_model(store))
    champion = aliases_of(store).at(CHAMPION)
    if champion is None:
        return found
    card = read_card(store, champion.version)
    found.trained_until = card["training_range"][1]
    block = round(block_seconds * 1e9)
    try:
        reference, recent = rows_since_training(catalog, card)
        found.drift_alarms = drift_of_model(catalog, store, card, DriftSettings(block=block), reference, recent)["alarms"]
        found.adversary = tell_apart(reference, recent, tuple(card["feature_names"]), block).as_json()
    except NotEnoughData as error:
        found.not_known.append(f"drift: {error}")
    return found


def _newest_model(store: ModelStore) -> tuple[str, int] | None:
    """Version and newest training row of the stored model whose rows reach furthest; models that read news are none of these."""
    cards = ((version, read_card(store, version)) for version in store.versions())
    ends = [(card["training_range"][1], version) for version, card in cards if "training_range" in card]
    return (max(ends)[1], max(ends)[0]) if ends else None


def _train(options: argparse.Namespace, catalog: Catalog, store: ModelStore, newest_row: int) -> tuple[ModelReference, dict[str, Any]]:
    from jobs.training.runs import TrainRequest, note_trial, train_from_lake

    since = newest_row - round(options.window_days * _DAY) if options.window_days else None
    request = TrainRequest(from_time=since, horizon=round(options.horizon_seconds * 1e9), code_hash=code_hash(), model=options.model)
    say("retrain: training")
    reference, card = train_from_lake(catalog, store, request)
    note_trial(catalog, reference, card)
    return reference, card


def _announce(options: argparse.Namespace, store: ModelStore, reference: ModelReference, why: str) -> int:
    """Let the new model challenge the champion, or be champion where there is none; its control version."""
    aliases, now, reason = aliases_of(store), time.time_ns(), f"{options.reason}: {why}"
    if aliases.at(CHAMPION) is None:
        event = release_event(reference, options.author, reason, now)
    else:
        event = announcement(ALIAS, reference, options.author, reason, now)
    (version,) = publish_and_name([event], control_settings(options.settings, options.data), aliases)
    return version


def _tell(result: dict[str, Any]) -> None:
    for reason in result["due"] or ["nothing is due"]:
        print(reason)
    for problem in result["not_known"]:
        print(f"not looked at: {problem}")
    if result["trained_already"]:
        print(f"trained already: {result['trained_already']}")
    if result["version"]:
        print(f"model {result['version']}")
    for objection in result["objections"]:
        print(f"  the gate is against it: {objection}")
    if result["control_version"]:
        print(f"announced at control version {result['control_version']}")


def _parser() -> argparse.ArgumentParser:
    usual = DueSettings()
    parser = argparse.ArgumentParser(
        prog="infra/tickflow retrain", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stale-days", type=float, default=usual.stale_days, help="age of the champion's newest row (default 7)")
    parser.add_argument("--fresh-hours", type=float, default=usual.fresh_hours, help="a stored model this new is enough (default 12)")
    parser.add_argument("--scheduled", default="", metavar="WHY", help="train whatever is found, unless a model is fresh; say why")
    parser.add_argument("--window-days", type=float, default=0.0, metavar="N", help="train on the newest N days (default: on all)")
    parser.add_argument("--horizon-seconds", type=float, default=300.0, help="how far ahead to predict (default 300)")
    parser.add_argument("--model", choices=("trees", "neural"), default="trees", help="as of `infra/tickflow train` (default trees)")
    parser.add_argument("--block-seconds", type=float, default=600.0, help="distance at which rows tell different things (default 600)")
    parser.add_argument("--announce", action="store_true", help=f"announce what the gate lets through as {ALIAS}, over the control log")
    parser.add_argument("--lake", type=Path, metavar="FOLDER", help="the local lake; TICKFLOW_LAKE_* settings come first")
    parser.add_argument("--models", default=os.environ.get("TICKFLOW_MODELS", ""), metavar="LOCATION", help="folder or s3://… of models")
    parser.add_argument("--reason", default="retrained", metavar="TEXT", help="stands before what was found; stays in the logs")
    parser.add_argument("--by", "--author", dest="author", default=current_user(), metavar="NAME", help="who (default: the user's name)")
    add_common_options(parser)
    return parser
