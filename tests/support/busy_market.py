"""A market that a planted model has an opinion on, that model and others, and streams of events in pieces."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import onnx

from tests.support.control_memory import model_entry
from tests.support.kernel_events import SECOND, Event, random_walk
from tests.support.trained_model import trained_model
from udfs.kernels.events import BOOK_DEPTH, EventKind
from udfs.records import AlertRule, Measure, ModelReference

IMBALANCE_RULE = AlertRule("lopsided", Measure.IMBALANCE, 0.5, 0.2, 0, ())


@cache
def other_model() -> bytes:
    """The same trees under another version."""
    return _changed("model_version", "second")


@cache
def misfit_model() -> bytes:
    """A model that needs a feature which the job does not have."""
    names = json.loads(
        next(entry.value for entry in onnx.load_from_string(trained_model().data).metadata_props if "feature_names" in entry.key)
    )
    return _changed("feature_names", ["feature_of_tomorrow", *names[1:]])


def _changed(name: str, value: Any) -> bytes:
    model = onnx.load_from_string(trained_model().data)
    next(entry for entry in model.metadata_props if entry.key == f"tickflow.{name}").value = json.dumps(value)
    data: bytes = model.SerializeToString()
    return data


def reference(version: str, data: bytes) -> ModelReference:
    return ModelReference(version, version, hashlib.sha256(data).hexdigest())


def models() -> dict[str, bytes]:
    return {"first": trained_model().data, "second": other_model(), "misfit": misfit_model()}


def model_entries(*versions: str) -> list[bytes]:
    return [model_entry(reference(version, models()[version])) for version in versions]


def cut(events: Sequence[Event], cuts: Sequence[int]) -> list[Sequence[Event]]:
    edges = sorted({0, *(place % len(events) for place in cuts), len(events)})
    return [events[begin:end] for begin, end in itertools.pairwise(edges)]


def lopsided(event_time: int, imbalance: float) -> Event:
    """A book whose imbalance is the same on every level."""
    empty = (math.nan,) * (BOOK_DEPTH - 5)
    bids, asks = (tuple(100 + sign * (level + 1) for level in range(5)) for sign in (-1.0, 1.0))
    numbers = (*bids, *empty, *((1 + imbalance,) * 5), *empty, *asks, *empty, *((1 - imbalance,) * 5), *empty)
    return Event(EventKind.BOOK, event_time, numbers)


def busy_market(seed: int, events: int = 300) -> list[Event]:
    """A random walk with a lopsided book after every third event: what the planted model has an opinion on."""
    sides = np.random.default_rng(seed).uniform(-0.95, 0.95, events).tolist()
    walk = random_walk(seed, events, 3 * SECOND)
    pairs = [
        (event, lopsided(event.event_time, side)) if place % 3 == 0 else (event,) for place, (event, side) in enumerate(zip(walk, sides))
    ]
    return [event for pair in pairs for event in pair]
