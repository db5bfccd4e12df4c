"""Control events: everything wrong with one is said at once, and nothing that cannot be applied gets through."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import control_events
from udfs.codecs.control import decode_control, encode_control, validate_control
from udfs.codecs.generated.control_event_pb2 import ControlEvent as ControlMessage
from udfs.codecs.wire import PINNED_IDS, prefix
from udfs.errors import InvalidRule, MalformedMessage, Reason
from udfs.records import AlertRule, ControlEvent, ControlKind, Measure, ModelReference

RULE = AlertRule("jump", Measure.PRICE_MOVE, 0.01, 0.005, 60_000_000_000, ("BTCUSDT",))
EVENT = ControlEvent(0, ControlKind.ALERT_RULE, 1, "desk", "test", rule=RULE)
MODEL = ModelReference("v1", "model.onnx", "0" * 64)
PREFIX = prefix(PINNED_IDS["ControlEvent"])


def test_the_examples_are_valid() -> None:
    validate_control(EVENT)
    validate_control(ControlEvent(0, ControlKind.MODEL, 1, "", "", model=MODEL))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("rule_id", "", "rule_id"),
        ("measure", 9, "measure 9"),
        ("threshold", math.nan, "threshold nan"),
        ("threshold", math.inf, "threshold inf"),
        ("threshold", 0.0, "threshold 0"),
        ("threshold", -0.01, "threshold -0.01"),
        ("rearm_below", 0.02, "rearm_below 0.02"),
        ("rearm_below", math.nan, "rearm_below nan"),
        ("cool_down", -1, "cool_down -1"),
        ("symbols", ("A", ""), "empty symbol"),
        ("symbols", ("A", "B", "A"), "holds A more than once"),
    ],
)
def test_a_bad_rule_is_refused_on_both_sides_of_the_log(field: str, value: Any, said: str) -> None:
    """The same words from the encoder, for the person who sends it, and from the decoder, for the reject."""
    event = replace(EVENT, rule=replace(RULE, **{field: value}))
    with pytest.raises(InvalidRule, match=said):
        encode_control(event)
    message = ControlMessage.FromString(encode_control(EVENT)[6:])
    if field == "symbols":
        message.rule.symbols[:] = event.rule.symbols if event.rule else ()
    else:
        setattr(message.rule, field, value)
    with pytest.raises(MalformedMessage, match=said) as caught:
        decode_control(PREFIX + message.SerializeToString())
    assert caught.value.reason == Reason.INVALID_RULE


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (replace(EVENT, rule=None), "ALERT_RULE without rule"),
        (replace(EVENT, model=MODEL), "ALERT_RULE with model"),
        (replace(EVENT, kind=ControlKind.HALT), "HALT with rule"),
        (ControlEvent(0, ControlKind.REMOVE_ALERT_RULE, 1, "", ""), "REMOVE_ALERT_RULE without rule_id"),
        (ControlEvent(0, ControlKind.MODEL, 1, "", ""), "MODEL without model"),
        (ControlEvent(0, ControlKind.MODEL, 1, "", "", model=replace(MODEL, sha256="abc")), "'abc'; expected 64"),
        (ControlEvent(0, ControlKind.MODEL, 1, "", "", model=replace(MODEL, uri="")), "uri is empty"),
        (replace(EVENT, version=-1), "version is -1"),
        (replace(EVENT, event_time=-1), "event_time is -1"),
        (replace(EVENT, rule=replace(RULE, cool_down=2**63)), "does not fit its type"),
    ],
)
def test_parts_must_go_with_the_kind(event: ControlEvent, said: str) -> None:
    with pytest.raises(InvalidRule, match=said):
        encode_control(event)


def test_all_problems_are_said_at_once() -> None:
    event = replace(EVENT, version=-1, rule_id="other", rule=replace(RULE, rule_id="", threshold=math.nan, cool_down=-5))
    with pytest.raises(InvalidRule) as caught:
        validate_control(event)
    for said in ("version is -1", "with rule_id", "rule_id is empty", "threshold nan", "cool_down -5"):
        assert said in str(caught.value)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(MalformedMessage, match=r"kind is 77; expected one of 1 MODEL") as caught:
        decode_control(PREFIX + ControlMessage(kind=77).SerializeToString())  # type: ignore[arg-type]
    assert caught.value.reason == Reason.INVALID_RULE


def test_bytes_that_are_no_control_event_have_their_own_reason() -> None:
    with pytest.raises(MalformedMessage) as caught:
        decode_control(PREFIX + b"\xff\xff")
    assert caught.value.reason == Reason.MALFORMED_CONTROL


@given(control_events(), st.integers(0, 2**40))
def test_the_place_in_the_log_is_the_version(event: ControlEvent, offset: int) -> None:
    """version = offset + 1, whatever the sender wrote."""
    assert decode_control(encode_control(event), offset) == replace(event, version=offset + 1)
