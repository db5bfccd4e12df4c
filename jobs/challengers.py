"""`infra/tickflow challengers`: models in the shadow of the champion: announce, compare, promote or withdraw by rule, and go back."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from infra.local.paths import DATA
from jobs.control_log import read_control_log
from jobs.control_verbs import add_author, add_common_options, control_settings
from jobs.gateway.control_follower import ControlLogUnreadable
from jobs.lake.settings import LakeSettings, lake_from_environment
from jobs.model_aliases import aliases_of
from jobs.model_store import ModelStore
from jobs.releasing import chosen_store, named_by, publish_and_name, release_event
from jobs.shadow.rules import RuleSettings, announcement, events_of
from jobs.shadow.standing import Standing, standing_of
from jobs.verb_result import NOT_HELD, USAGE, add_verb, finish, needs_stored
from udfs.errors import InvalidRule, InvalidSettings, ModelMismatch, TickflowError
from udfs.records import ControlEvent

_PREFIX = "challenger-"
Act = Callable[[argparse.Namespace], dict[str, Any]]


def main(arguments: list[str]) -> int:
    """Run the verb; 0 done, 1 it cannot be done, 2 usage or environment."""
    options = parser().parse_args(arguments)
    codes: dict[type[Exception], int] = {
        InvalidSettings: USAGE,
        InvalidRule: USAGE,
        ControlLogUnreadable: USAGE,
        TickflowError: NOT_HELD,
        ValueError: USAGE,
    }
    return finish("challengers", options.json, partial(options.act, options), _tell, codes, lambda result: not result.get("refused"))


def _add(options: argparse.Namespace) -> dict[str, Any]:
    from jobs.shadow.looking import against_promotion, card_of, reference_of

    store = _store(options)
    model, standing = reference_of(store, options.version), _standing(options)
    if standing.champion is not None:
        if standing.champion.model.sha256 == model.sha256:
            raise ModelMismatch(f"{model.version} is champion already")
        against = against_promotion(card_of(store, standing.champion.model), card_of(store, model))
    else:
        against = []
    event = announcement(_alias(options.name), model, options.author, options.reason, time.time_ns())
    return _published(options, [event], store) | {"against_promotion": against}


def _withdraw(options: argparse.Namespace) -> dict[str, Any]:
    alias, standing = _alias(options.name), _standing(options)
    if alias not in standing.challengers:
        raise ModelMismatch(f"there is no {alias}; there are: {', '.join(sorted(standing.challengers)) or 'none'}")
    return _published(options, [announcement(alias, None, options.author, options.reason, time.time_ns())], _store(options))


def _look(options: argparse.Namespace) -> dict[str, Any]:
    from jobs.lake.catalog import create_tables, open_catalog
    from jobs.shadow.looking import look

    lake, store, standing = _lake(options), _store(options), _standing(options)
    catalog = open_catalog(lake)
    create_tables(catalog, lake.buckets)
    with needs_stored("rows", ModelMismatch):
        found = look(catalog, store, standing, RuleSettings(options.false_promotions, options.least_stretches))
    events = events_of(found.judged, found.champion)
    written = _published(options, events, store) if options.act_on_it and events else {"written": []}
    return found.as_json() | written


def _rollback(options: argparse.Namespace) -> dict[str, Any]:
    standing = _standing(options)
    if standing.champion is None or standing.before is None:
        raise ModelMismatch("there was no other champion to go back to")
    event = release_event(standing.before, options.author, options.reason, time.time_ns())
    return {"from": standing.champion.model.version, "to": standing.before.version} | _published(options, [event], _store(options))


def _published(options: argparse.Namespace, events: Sequence[ControlEvent], store: ModelStore) -> dict[str, Any]:
    versions = publish_and_name(events, control_settings(options.settings, options.data), aliases_of(store))
    return {"written": [_as_json(event, version) for event, version in zip(events, versions, strict=True)]}


def _as_json(event: ControlEvent, version: int) -> dict[str, Any]:
    alias, model = named_by(event)
    return {"control_version": version, "alias": alias, "version": "" if model is None else model.version, "reason": event.reason}


def _alias(name: str) -> str:
    return name if name.startswith(_PREFIX) else _PREFIX + name


def _standing(options: argparse.Namespace) -> Standing:
    return standing_of(read_control_log(control_settings(options.settings, options.data)))


def _lake(options: argparse.Namespace) -> LakeSettings:
    return lake_from_environment(os.environ, options.lake or (options.data or DATA) / "lake")


def _store(options: argparse.Namespace) -> ModelStore:
    return chosen_store(options, _lake(options))


def _tell(result: dict[str, Any]) -> None:
    for one in result.get("challengers", ()):
        print(
            f"{one['alias']} ({one['version']}): {one['verdict']}\n  evidence that it is better {one['better']:.3g}, that it is worse"
            f" {one['worse']:.3g}, needed {one['needed']:.3g}; {one['stretches']} stretches, {one['rows']} rows"
            f"\n  its log-loss is lower by {one['mean_gain']:.5f}"
            f"\n  its picks of what moves won {one['top_movers']['won']} of {one['top_movers']['moments']} moments,"
            f" the champion's {one['top_movers']['lost']}; evidence {one['top_movers']['better']:.3g}"
        )
        for problem in one["against"]:
            print(f"  against a promotion: {problem}")
    for alias, problem in result.get("refused", {}).items():
        print(f"{alias}: cannot be compared: {problem}")
    for entry in result["written"]:
        print(f"control version {entry['control_version']}: {entry['alias']} is {entry['version'] or 'withdrawn'}: {entry['reason']}")


def parser() -> argparse.ArgumentParser:
    """The verb and the verbs below it."""
    found = argparse.ArgumentParser(prog="infra/tickflow challengers", description=__doc__)
    verbs = found.add_subparsers(required=True, metavar="VERB")
    add = add_verb(verbs, "add", _add, "announce a stored model as challenger: it scores every row from here on, and decides nothing")
    add.add_argument("name", metavar="NAME", help="letters, digits and dashes; `challenger-` is put before it")
    add.add_argument("version", metavar="VERSION", help="one of `infra/tickflow models`")
    withdraw = add_verb(verbs, "withdraw", _withdraw, "take a challenger away")
    withdraw.add_argument("name", metavar="NAME")
    look = add_verb(verbs, "look", _look, "score what is new, compare with the champion, and say what the rule says")
    look.add_argument("--act", dest="act_on_it", action="store_true", help="promote and withdraw by the rule, over the control log")
    rule = asdict(RuleSettings())
    look.add_argument(
        "--false-promotions", type=float, default=rule["false_promotions"], metavar="P", help="chance of a mistake (default 0.05)"
    )
    look.add_argument("--least-stretches", type=int, default=rule["least_stretches"], metavar="N", help="of four horizons (default 20)")
    back = add_verb(verbs, "rollback", _rollback, "put the champion before this one into force again")
    for verb in (add, withdraw, back):
        add_author(verb)
    for verb in (add, withdraw, look, back):
        add_common_options(verb)
        verb.add_argument("--lake", type=Path, metavar="FOLDER", help="the local lake; TICKFLOW_LAKE_* settings come first")
        verb.add_argument("--models", default=os.environ.get("TICKFLOW_MODELS", ""), metavar="LOCATION", help="folder or s3://… of models")
    return found
