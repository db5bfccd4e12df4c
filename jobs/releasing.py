"""What the verbs that train share: where models are kept, and how one is put into force."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from infra.local.paths import DATA
from jobs.control_verbs import current_user, publish_all
from jobs.lake.settings import LakeSettings
from jobs.model_store import ModelStore, models_location, open_store
from jobs.settings import load_settings
from udfs.records import ControlEvent, ControlKind, ModelReference

_BROKER = "TICKFLOW_KAFKA_BOOTSTRAP_SERVERS"


def add_release_options(parser: argparse.ArgumentParser, reason: str) -> None:
    """Options of every verb that trains."""
    parser.add_argument(
        "--lake", type=Path, default=DATA / "lake", metavar="FOLDER", help="the local lake; TICKFLOW_LAKE_* settings come first"
    )
    parser.add_argument("--models", default=os.environ.get("TICKFLOW_MODELS", ""), metavar="LOCATION", help="folder or s3://… of models")
    parser.add_argument("--release", action="store_true", help="put the model into force over the control log")
    parser.add_argument("--bootstrap-servers", default=os.environ.get(_BROKER, ""), help="Kafka broker for --release")
    parser.add_argument("--reason", default=reason, metavar="TEXT", help="why it is released; stays in the logs")
    parser.add_argument("--by", "--author", dest="author", default=current_user(), help="who releases it")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")


def require_broker(options: argparse.Namespace) -> None:
    """Raises ValueError when there is no broker to release to: said before the training, not after it."""
    if options.release and not options.bootstrap_servers:
        raise ValueError(f"--release needs a broker: set {_BROKER} or give --bootstrap-servers")


def chosen_store(options: argparse.Namespace, lake: LakeSettings) -> ModelStore:
    """The model store that was named, or the one beside the lake."""
    return open_store(options.models or models_location(lake.warehouse), lake.s3_endpoint, lake.s3_region)


def release_event(
    reference: ModelReference, author: str, reason: str, event_time: int, kind: ControlKind = ControlKind.MODEL
) -> ControlEvent:
    """The control event that puts a model into force."""
    return ControlEvent(version=0, kind=kind, event_time=event_time, author=author, reason=reason, model=reference)


def release_if_asked(reference: ModelReference, options: argparse.Namespace, kind: ControlKind) -> int | None:
    """Put the model into force; its control version, None when that was not asked for. Raises what `publish_all` raises."""
    if not options.release:
        return None
    settings = load_settings(environment={**os.environ, _BROKER: options.bootstrap_servers})
    return publish_all([release_event(reference, options.author, options.reason, time.time_ns(), kind)], settings)[0]
