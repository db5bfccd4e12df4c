"""A model file that was made to do harm is refused, or scores like any other: it never raises anything else, nor takes all memory."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import zlib
from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.control_memory import fetch_from, model_entry
from tests.support.feature_rows import planted_dataset
from tests.support.trained_model import trained_model
from udfs.errors import ModelMismatch, Reason
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.operators.control_state import ControlState
from udfs.records import Direction, ModelReference
from udfs.scoring.model_metadata import ModelMetadata, read_metadata
from udfs.scoring.onnx_model import load_model
from udfs.scoring.trees import LARGEST_TREES_BYTES, decode_trees

ROWS = planted_dataset(rows=8, seed=9).values
NAMES = tuple(ModelMetadata.__dataclass_fields__)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=5))
anything = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=2))
)


@cache
def entries() -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load_from_string(trained_model().data).metadata_props}


def changed(name: str, text: str) -> bytes:
    model = onnx.load_from_string(trained_model().data)
    next(entry for entry in model.metadata_props if entry.key == f"tickflow.{name}").value = text
    data: bytes = model.SerializeToString()
    return data


def used(data: bytes) -> None:
    """Load and use a model; raises ModelMismatch or nothing."""
    scorer = load_model(data, FEATURE_NAMES, hashlib.sha256(data).hexdigest())
    scores = scorer.score(ROWS, ~np.isnan(ROWS))
    assert scores.valid_share.shape == (len(ROWS),)
    assert isinstance(scorer.version, str)
    assert type(scorer.horizon) is int
    assert type(scorer.trained_until) is int
    for reason in scorer.reasons(ROWS[0], Direction.UP):
        assert isinstance(reason.words, str)


@example("calibration_curves", None)
@given(st.sampled_from(NAMES), anything)
@settings(max_examples=25, deadline=None)
def test_an_entry_of_any_shape_is_refused_or_harmless(name: str, value: Any) -> None:
    try:
        used(changed(name, json.dumps(value)))
    except ModelMismatch:
        return


@given(st.sampled_from(NAMES), st.text(max_size=30))
@settings(max_examples=12, deadline=None)
def test_an_entry_of_any_text_is_refused_or_harmless(name: str, text: str) -> None:
    try:
        used(changed(name, text))
    except ModelMismatch:
        return


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_one_number_of_an_entry_may_be_anything(data: st.DataObject) -> None:
    """What has the right shape and the wrong things in it."""
    name = data.draw(st.sampled_from(["quantiles", "calibration_biases", "training_range", "feature_names", "class_order"]))
    value = json.loads(entries()[f"tickflow.{name}"])
    place = data.draw(st.integers(0, len(value) - 1))
    if name == "quantiles":
        value[place][data.draw(st.integers(0, 6))] = data.draw(scalars)
    else:
        value[place] = data.draw(scalars)
    try:
        used(changed(name, json.dumps(value)))
    except ModelMismatch:
        return


@pytest.mark.parametrize("text", ["[" * 200_000, "[" * 200_000 + "]" * 200_000, '{"a":' * 100_000, "1" * 10_000, "1e999", "NaN"])
@pytest.mark.parametrize("name", ["quantiles", "model_version", "training_range"])
def test_deep_and_long_entries_are_refused(name: str, text: str) -> None:
    with pytest.raises(ModelMismatch):
        read_metadata({**entries(), f"tickflow.{name}": text})


def packed(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw, 9)).decode()


def header(shape: str, dtype: str = "'<i4'") -> bytes:
    text = f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "text",
    [
        packed(bytes(LARGEST_TREES_BYTES + 1)),
        packed(header("(1000000000000,)")),
        packed(header("(4611686018427387904, 4611686018427387904)")),
        packed(header("(-1,)")),
        packed(header("(1,", "'O'")),
        packed(header("(1,)", "'|O'") + b"cos\nsystem\n"),
        packed(header("(" * 3000)),
        packed(b""),
        "%%%",
    ],
)
def test_arrays_that_would_not_fit_are_refused_before_there_is_room_for_them(text: str) -> None:
    with pytest.raises(ValueError, match="not encoded trees"):
        decode_trees(text)


@given(st.binary(max_size=300), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_text_is_refused_as_trees(raw: bytes, arrays: bool) -> None:
    if arrays:
        buffer = io.BytesIO()
        for _ in range(9):
            np.save(buffer, np.frombuffer(raw, np.uint8))
        raw = buffer.getvalue()
    with pytest.raises(ValueError, match="not encoded trees"):
        decode_trees(packed(raw))


def test_a_hostile_model_leaves_the_old_one_in_force() -> None:
    """In the control log it is an entry like any other that is refused: the job does not restart for ever."""
    quantiles = [[math.nan] * 6 + ["x"]] * len(json.loads(entries()["tickflow.quantiles"]))
    hostile = changed("quantiles", json.dumps(quantiles))
    state = ControlState(fetch_from({"good": trained_model().data, "bad": hostile}))
    for name, data in (("good", trained_model().data), ("bad", hostile)):
        state.read(model_entry(ModelReference(name, name, hashlib.sha256(data).hexdigest())))
    assert state.at(2).scorer is state.at(1).scorer is not None
    assert [entry.reason for entry in state.refused] == [Reason.MODEL_REFUSED]
