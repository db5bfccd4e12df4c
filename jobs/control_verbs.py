"""What the verbs that write to the control log share: where it is, who writes, and what they say."""

from __future__ import annotations

import argparse
import getpass
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jobs.audit.control import audited, denied
from jobs.audit.entries import AuditError
from jobs.control import publish
from jobs.gateway.publisher import PublishError, PublisherSettings
from jobs.settings import Settings, load_settings
from udfs.codecs.control import validate_control
from udfs.errors import InvalidRule, InvalidSettings
from udfs.records import ControlEvent, ControlKind

HELD, USAGE = 0, 2
ACKNOWLEDGED_WITHIN_MILLISECONDS = 20_000


def add_common_options(parser: argparse.ArgumentParser) -> None:
    """Options of every verb of the control log."""
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="data directory of the services (default .tickflow/data)")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file; TICKFLOW_… variables override it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_author(parser: argparse.ArgumentParser) -> None:
    """Who, and why."""
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why; it stays in the control log and in the audit log")
    parser.add_argument("--by", "--author", dest="author", default=current_user(), metavar="NAME", help="who (default: the user's name)")


def control_settings(file: Path | None, data: Path | None) -> Settings:
    """Settings for the services that run for a data directory, unless the environment names others. Raises InvalidSettings."""
    return load_settings(file, {**running_services(data), **os.environ})


def publish_all(events: Sequence[ControlEvent], settings: Settings) -> list[int]:
    """Append the events in their order, none unless all can be applied; their versions. All of it stands in the audit log.

    Raises InvalidRule, PublishError, and AuditError when anything but a halt cannot be audited.
    """
    problems = [problem for event in events for problem in _problems(event)]
    if problems:
        denied(events, "\n".join(problems))
        raise InvalidRule("\n".join(problems))
    publisher = replace(PublisherSettings.of(settings.kafka), delivery_timeout_milliseconds=ACKNOWLEDGED_WITHIN_MILLISECONDS)
    return audited(events, lambda event: publish(event, publisher, settings.topics.control))


def change_halt(verb: str, kind: ControlKind, arguments: list[str]) -> int:
    """The verbs halt and resume: they differ in the kind of the entry alone."""
    chosen = _halt_parser(verb).parse_args(arguments)
    if bool(chosen.symbols or chosen.group) == chosen.all:
        return refuse(verb, "name symbols or groups, or give --all")
    if not chosen.reason.strip():
        return refuse(verb, "--reason is empty")
    kind = ControlKind.REDUCE if getattr(chosen, "reduce_only", False) else kind

    def act() -> int:
        settings = control_settings(chosen.settings, chosen.data)
        symbols = tuple(dict.fromkeys((*chosen.symbols, *members(settings.groups, chosen.group))))
        event = ControlEvent(0, kind, time.time_ns(), chosen.author, chosen.reason, symbols=symbols)
        (version,) = publish_all([event], settings)
        words = {"version": version, "kind": kind.name.lower(), "symbols": symbols, "all": chosen.all, "reason": chosen.reason}
        report(chosen.json, words)
        return HELD

    return guarded(verb, act)


def members(groups: Mapping[str, Sequence[str]], names: Sequence[str]) -> list[str]:
    """The symbols of groups as the settings have them now. Raises InvalidRule for one that is not there: an empty list would mean all."""
    unknown = [name for name in names if not groups.get(name)]
    if unknown:
        raise InvalidRule(f"no group {', '.join(unknown)} in the settings; there are: {', '.join(sorted(groups)) or 'none'}")
    return [symbol for name in names for symbol in groups[name]]


def guarded(verb: str, act: Callable[[], int]) -> int:
    """Run a verb; what a person can mend is said, with exit code 2."""
    try:
        return act()
    except (AuditError, InvalidRule, InvalidSettings, PublishError) as error:
        return refuse(verb, str(error))


def refuse(verb: str, problem: str) -> int:
    """Say on standard error what is wrong."""
    print(f"tickflow {verb}: {problem}", file=sys.stderr)
    return USAGE


def report(as_json: bool, result: Mapping[str, object]) -> None:
    """The result for a machine, or for a person."""
    from infra.local.console import print_json

    if as_json:
        print_json(result)
        return
    words = "everything" if result["all"] else ", ".join(map(str, result["symbols"] if isinstance(result["symbols"], tuple) else ()))
    print(f"{result['kind']} {words}: control version {result['version']}")


def _halt_parser(verb: str) -> argparse.ArgumentParser:
    words = {"halt": "Stop signals for symbols, groups, or all.", "resume": "Let signals flow again after a halt."}
    parser = argparse.ArgumentParser(prog=f"infra/tickflow {verb}", description=words[verb])
    parser.add_argument("symbols", nargs="*", metavar="SYMBOL", help="symbols concerned")
    parser.add_argument("--group", action="append", default=[], metavar="NAME", help="symbols of a group in the settings; may be repeated")
    parser.add_argument("--all", action="store_true", help="every symbol")
    if verb == "halt":
        parser.add_argument("--reduce-only", action="store_true", help="let positions become smaller instead of stopping everything")
    add_author(parser)
    add_common_options(parser)
    return parser


def _problems(event: ControlEvent) -> list[str]:
    try:
        validate_control(event)
    except InvalidRule as error:
        return [str(error)]
    return []


def running_services(data: Path | None) -> Mapping[str, str]:
    """Variables of the embedded services when they run."""
    from infra.local import paths, processes
    from infra.local.services import Services

    folder = (data or paths.DATA).resolve()
    if not processes.load(folder / "run" / "processes.json"):
        return {}
    return Services(folder).endpoints.as_environment()


def current_user() -> str:
    """Name of who runs this; "unknown" where the system has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
