"""What the verbs that train share: where models are kept, and how one is put into force."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path

from infra.local.paths import DATA
from jobs.audit.control import denied
from jobs.control_verbs import current_user, publish_all
from jobs.lake.settings import LakeSettings
from jobs.model_aliases import CHAMPION, AliasHistory
from jobs.model_store import ModelStore, open_store, store_of
from jobs.settings import Settings, load_settings
from udfs.records import ControlEvent, ControlKind, ModelReference

_BROKER = "TICKFLOW_KAFKA_BOOTSTRAP_SERVERS"


def add_release_options(parser: argparse.ArgumentParser, reason: str) -> None:
    """Options of every verb that trains."""
    parser.add_argument(
        "--lake", type=Path, default=DATA / "lake", metavar="FOLDER", help="the local lake; TICKFLOW_LAKE_* settings come first"
    )
    parser.add_argument("--models", default=os.environ.get("TICKFLOW_MODELS", ""), metavar="LOCATION", help="folder or s3://… of models")
    parser.add_argument("--release", action="store_true", help="put the model into force over the control log")
    parser.add_argument(
        "--release-anyway", default="", metavar="WHY", help="release it even when the gate refuses; the reason stays in the audit log"
    )
    parser.add_argument("--bootstrap-servers", default=os.environ.get(_BROKER, ""), help="Kafka broker for --release")
    parser.add_argument("--reason", default=reason, metavar="TEXT", help="why it is released; stays in the logs")
    parser.add_argument("--by", "--author", dest="author", default=current_user(), help="who releases it")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")


def wants_release(options: argparse.Namespace) -> bool:
    """Whether a release was asked for, with or without the gate's consent."""
    return bool(options.release or options.release_anyway)


def require_broker(options: argparse.Namespace) -> None:
    """Raises ValueError when there is no broker to release to: said before the training, not after it."""
    if wants_release(options) and not options.bootstrap_servers:
        raise ValueError(f"--release needs a broker: set {_BROKER} or give --bootstrap-servers")


def chosen_store(options: argparse.Namespace, lake: LakeSettings) -> ModelStore:
    """The model store that was named, or the one beside the lake."""
    return open_store(options.models, lake.s3_endpoint, lake.s3_region) if options.models else store_of(lake)


def release_event(
    reference: ModelReference, author: str, reason: str, event_time: int, kind: ControlKind = ControlKind.MODEL
) -> ControlEvent:
    """The control event that puts a model into force."""
    return ControlEvent(version=0, kind=kind, event_time=event_time, author=author, reason=reason, model=reference)


def release_if_asked(
    reference: ModelReference,
    options: argparse.Namespace,
    kind: ControlKind,
    objections: Sequence[str] = (),
    aliases: AliasHistory | None = None,
) -> int | None:
    """Put the model into force; its control version, None when that was not asked for, or refused for its objections.

    What is in force is champion in the record of aliases. What was refused, and what was released in spite of objections, stands in the
    audit log. Raises what `publish_all` and the record raise.
    """
    if not wants_release(options):
        return None
    reason = reason_against(options.release_anyway, objections) if options.release_anyway else options.reason
    event = release_event(reference, options.author, reason, time.time_ns(), kind)
    if objections and not options.release_anyway:
        denied([event], "; ".join(objections))
        return None
    settings = load_settings(environment={**os.environ, _BROKER: options.bootstrap_servers})
    (version,) = publish_all([event], settings) if aliases is None else publish_and_name([event], settings, aliases)
    return version


def publish_and_name(events: Sequence[ControlEvent], settings: Settings, aliases: AliasHistory) -> list[int]:
    """Write to the control log, which alone decides who is champion and who challenges, then to the record of aliases; the versions."""
    versions = publish_all(events, settings)
    for event, version in zip(events, versions, strict=True):
        alias, model = named_by(event)
        name, sha256 = ("", "") if model is None else (model.version, model.sha256)
        aliases.give(alias, name, sha256, event.event_time, event.author, event.reason, version)
    return versions


def named_by(event: ControlEvent) -> tuple[str, ModelReference | None]:
    """The alias that a MODEL or CHALLENGER entry gives, and to which model; None takes it away."""
    if event.challenger is None:
        return CHAMPION, event.model
    return event.challenger.alias, event.challenger.model


def reason_against(why: str, objections: Sequence[str]) -> str:
    """The reason of a release that the gate is against, or would have been."""
    return f"{why} (released although {'; '.join(objections)})" if objections else why
