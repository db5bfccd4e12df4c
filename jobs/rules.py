"""`infra/tickflow rules`: add, remove and load alert rules, and list what the control log has put into force."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from infra.local.console import print_json
from jobs.alert_rule_files import MEASURES, NANOSECONDS_PER_SECOND, load_rules, rule_of
from jobs.control_log import InForce, in_force, read_control_log
from jobs.control_verbs import HELD, add_author, add_common_options, control_settings, guarded, publish_all, refuse
from jobs.gateway.control_follower import ControlLogUnreadable
from jobs.verb_result import add_verb
from udfs.operators.control_state import ControlSnapshot
from udfs.records import AlertRule, ControlEvent, ControlKind, TradingState


def main(arguments: list[str]) -> int:
    """Runs the verb; the exit code."""
    chosen = _parser().parse_args(arguments)
    act: Callable[[argparse.Namespace], int] = chosen.act
    try:
        return guarded("rules", lambda: act(chosen))
    except ControlLogUnreadable as error:
        return refuse("rules", str(error))


def rule_event(rule: AlertRule, author: str, reason: str) -> ControlEvent:
    """The entry that puts a rule into force, in the place of one with the same id."""
    return ControlEvent(0, ControlKind.ALERT_RULE, time.time_ns(), author, reason, rule=rule)


def rule_as_json(rule: AlertRule) -> dict[str, Any]:
    """The words of a rule, as files and options name them."""
    return {
        "id": rule.rule_id,
        "measure": rule.measure.name.lower(),
        "threshold": rule.threshold,
        "rearm_below": rule.rearm_below,
        "cool_down_seconds": rule.cool_down / NANOSECONDS_PER_SECOND,
        "symbols": list(rule.symbols),
    }


def in_force_as_json(found: InForce) -> dict[str, Any]:
    """What `rules list --json` prints."""
    snapshot, model = found.snapshot, found.model
    return {
        "version": snapshot.version,
        "rules": [rule_as_json(rule) for rule in snapshot.rules],
        "everything_halted": snapshot.everything_halted,
        "halted_symbols": sorted(snapshot.halted_symbols),
        "everything": snapshot.everything.name.lower(),
        "reducing_symbols": sorted(snapshot.reducing_symbols),
        "resumed_symbols": sorted(snapshot.resumed_symbols),
        "model": None if model is None else asdict(model),
        "news_model": None if found.news_model is None else asdict(found.news_model),
        "refused": [{"version": entry.version, "reason": entry.reason.name, "detail": entry.detail} for entry in found.refused],
    }


def _add(chosen: argparse.Namespace) -> int:
    words = {name: getattr(chosen, name) for name in ("id", "measure", "threshold", "rearm_below", "cool_down_seconds")}
    rule = rule_of({**words, "symbols": _symbols(chosen.symbols)})
    return _publish(chosen, [rule_event(rule, chosen.author, chosen.reason)])


def _load(chosen: argparse.Namespace) -> int:
    return _publish(chosen, [rule_event(rule, chosen.author, chosen.reason) for rule in load_rules(chosen.file)])


def _remove(chosen: argparse.Namespace) -> int:
    event = ControlEvent(0, ControlKind.REMOVE_ALERT_RULE, time.time_ns(), chosen.author, chosen.reason, rule_id=chosen.id)
    settings = control_settings(chosen.settings, chosen.data)
    known = [rule.rule_id for rule in in_force(read_control_log(settings)).snapshot.rules]
    if chosen.id not in known:
        return refuse("rules", f"no rule {chosen.id!r} is in force; there are: {', '.join(known) or 'none'}")
    return _publish(chosen, [event])


def _list(chosen: argparse.Namespace) -> int:
    found = in_force(read_control_log(control_settings(chosen.settings, chosen.data)))
    if chosen.json:
        print_json(in_force_as_json(found))
    else:
        print("\n".join(_lines(found)))
    return HELD


def _publish(chosen: argparse.Namespace, events: list[ControlEvent]) -> int:
    versions = publish_all(events, control_settings(chosen.settings, chosen.data))
    published = [(replace(event, version=version)) for event, version in zip(events, versions)]
    if chosen.json:
        entries = [{"version": event.version, "kind": event.kind.name.lower(), "id": _rule_id(event)} for event in published]
        print_json({"version": versions[-1], "entries": entries})
    else:
        print("\n".join(f"{event.kind.name.lower()} {_rule_id(event)}: control version {event.version}" for event in published))
    return HELD


def _rule_id(event: ControlEvent) -> str:
    return event.rule.rule_id if event.rule else event.rule_id


def _symbols(text: str) -> list[str]:
    return text.split(",") if text else []


def _lines(found: InForce) -> list[str]:
    snapshot = found.snapshot
    by_name = (f"{state.name.lower():<8} {', '.join(_named(snapshot, state))}" for state in TradingState if _named(snapshot, state))
    return [
        f"control version {snapshot.version}",
        f"model    {found.model.version if found.model else 'none'}",
        f"news     {found.news_model.version if found.news_model else 'none'}",
        f"{snapshot.everything.name.lower():<8} everything{' but those below' if snapshot.by_symbol else ''}",
        *by_name,
        *(_rule_line(rule) for rule in snapshot.rules),
        *(f"refused  version {entry.version}: {entry.reason.name.lower()}: {entry.detail}" for entry in found.refused),
    ]


def _named(snapshot: ControlSnapshot, state: TradingState) -> list[str]:
    return sorted(symbol for symbol, found in snapshot.by_symbol.items() if found is state)


def _rule_line(rule: AlertRule) -> str:
    words = rule_as_json(rule)
    watched = ", ".join(rule.symbols) or "every symbol"
    when = "|{measure}| >= {threshold:g}, again below {rearm_below:g}, at most every {cool_down_seconds:g} s".format(**words)
    return f"rule     {rule.rule_id}: {when}; {watched}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow rules", description="Alert rules: |measure| reaching a threshold.")
    verbs = parser.add_subparsers(required=True, metavar="add|remove|load|list")
    add = _verb(verbs, "add", _add, "put a rule into force, or change the one with that id")
    add.add_argument("--id", required=True)
    add.add_argument("--measure", required=True, help=", ".join(MEASURES))
    add.add_argument("--threshold", required=True, type=float)
    add.add_argument("--rearm-below", required=True, type=float)
    add.add_argument("--cool-down-seconds", required=True, type=float)
    add.add_argument("--symbols", default="", metavar="A,B", help="default: every symbol")
    _verb(verbs, "remove", _remove, "take a rule out of force").add_argument("--id", required=True)
    _verb(verbs, "load", _load, "put the rules of a file into force").add_argument("file", type=Path, metavar="FILE.toml")
    _verb(verbs, "list", _list, "show what is in force: rules, halts, model")
    return parser


def _verb(verbs: Any, name: str, act: Callable[[argparse.Namespace], int], words: str) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, act, words)
    add_common_options(parser)
    if name != "list":
        add_author(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
