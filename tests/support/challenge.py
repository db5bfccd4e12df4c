"""A challenge on a running job: a champion that is far too sure of itself, a sound challenger, its promotion by rule, and the way back."""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from pyiceberg.catalog import Catalog

from jobs import challengers
from jobs.control_verbs import publish_all
from jobs.model_store import fetch_model, open_store
from jobs.recomputation.frames import stored_control
from jobs.releasing import release_event
from jobs.session import Session
from jobs.training.export_onnx import export_model
from jobs.training.runs import TrainRequest, train_from_lake
from udfs.codecs.control import decode_control
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.records import ControlEvent, ControlKind, ModelReference
from udfs.scoring.onnx_model import Scorer, load_model

HORIZON = 2_000_000_000
"""So short that there are many stretches in a few minutes."""
_RELEASE = {"gate": {"passed": True, "objections": []}}
"""What the gate says is planted here: of a market of minutes it rightly thinks little."""


def renamed(sound: Scorer, version: str, surer: float = 1.0) -> bytes:
    """The same model under another name, so many times as sure of itself: beyond 1, what it claims comes true more seldom than it says."""
    metadata = replace(sound.metadata, model_version=version, calibration_scale=surer * sound.metadata.calibration_scale)
    return export_model(sound.trees, metadata)


def begin_challenge(session: Session) -> int:
    """Release the champion, announce the challenger; the control version."""
    store = open_store(session.models, session.lake.s3_endpoint, session.lake.s3_region)
    reference, card = train_from_lake(session.catalog, store, TrainRequest(horizon=HORIZON))
    data = fetch_model(reference, session.lake.s3_endpoint, session.lake.s3_region)
    sound = load_model(data, FEATURE_NAMES, reference.sha256)
    champion, challenger = (
        _stored(store, version, renamed(sound, version, surer), card)
        for version, surer in ((f"{sound.version}-too-sure", 8.0), (f"{sound.version}-challenger", 1.0))
    )
    publish_all([release_event(champion, "test", "to be challenged", time.time_ns())], session.settings)
    return _run(session, "add", "sound", challenger.version, "--reason", "it claims less")


def _stored(store: Any, version: str, data: bytes, card: dict[str, Any]) -> ModelReference:
    found: ModelReference = store.put(version, data, card | _RELEASE | {"sha256": hashlib.sha256(data).hexdigest()})
    return found


def promote_by_rule(session: Session) -> int:
    """Look, and act on it."""
    return _run(session, "look", "--act")


def roll_back(session: Session) -> int:
    """The champion before this one again."""
    return _run(session, "rollback", "--reason", "a drill")


def _run(session: Session, *arguments: str) -> int:
    """One verb as a person would start it; the control version of what it wrote last."""
    options = challengers.parser().parse_args([*arguments, "--models", session.models])
    with _environment(session):
        written: list[dict[str, Any]] = _acted(options)["written"]
    assert written, f"challengers {' '.join(arguments)} wrote nothing"
    return int(written[-1]["control_version"])


def _acted(options: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = options.act(options)
    return found


@contextmanager
def _environment(session: Session) -> Iterator[None]:
    """The names of this market's topics and tables, where a verb looks for them."""
    lake, topics = session.lake, session.settings.topics
    named = {"TICKFLOW_TOPICS__CONTROL": topics.control, "TICKFLOW_LAKE_WAREHOUSE": lake.warehouse, "TICKFLOW_LAKE_URI": lake.uri}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in named.items():
            patch.setenv(name, value)
        yield


def control_events(catalog: Catalog) -> list[ControlEvent]:
    """The stored control log."""
    return [decode_control(raw, offset) for offset, raw in enumerate(stored_control(catalog))]


def champions(catalog: Catalog) -> list[tuple[int, str]]:
    """Control version and hash of each model that was put into force."""
    return [(event.version, event.model.sha256) for event in control_events(catalog) if event.kind is ControlKind.MODEL and event.model]
