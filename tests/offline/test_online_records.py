"""What the online store keeps of records, and which of two it keeps."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.serving.online_process import as_variables
from jobs.serving.online_records import LARGEST_DISORDER, OnlineDecoder, OnlineRecord, keep_newest, replaces
from jobs.settings import Settings, load_settings
from tests.support.online_records import SECOND, START, Sent, as_sent, expected_content, feature_row, signal
from tests.support.strategies import SIGNALS, damaged, feature_rows
from udfs.codecs.rows import encode_feature_row
from udfs.codecs.signals import encode_signal
from udfs.codecs.wire import PINNED
from udfs.errors import MalformedMessage
from udfs.records import FeatureRow, Signal

DECODER = OnlineDecoder("features", "signals", PINNED)


def sent(record: FeatureRow | Signal) -> Sent:
    return as_sent(record, "features", "signals")


def kept_number(records: list[Sent]) -> int:
    newest: dict[str, OnlineRecord] = {}
    for record in records:
        keep_newest(newest, DECODER.decode(record.topic, record.value))
    (only,) = newest.values()
    return only.event_number


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 9)), min_size=1))
def test_the_greatest_number_stays_whatever_the_order(records: list[tuple[int, int]]) -> None:
    """Inside a run, whose events are at most ten seconds out of order, number alone decides."""
    made = [sent(feature_row("A", number, START + (number * 10 - disorder) * SECOND)) for number, disorder in records]
    assert kept_number(made) == max(number for number, _ in records)


def test_numbers_that_start_again_later_are_newer() -> None:
    """A stream that was started anew without its state is not shut out by the greater numbers of the one before."""
    old, new = sent(signal("A", 900, START)), sent(signal("A", 1, START + 11 * SECOND))
    assert kept_number([old, new]) == kept_number([new, old]) == 1


@given(*[st.integers(1, 40)] * 2, *[st.integers(0, 3 * LARGEST_DISORDER)] * 2)
def test_of_two_records_one_is_newer(number: int, other: int, time: int, other_time: int) -> None:
    """Either replaces the other; both do only where they are the same record of their symbol's order."""
    forth, back = replaces(number, time, other, other_time), replaces(other, other_time, number, time)
    assert forth or back
    assert not (forth and back) or number == other


@given(feature_rows())
def test_a_feature_row_keeps_its_bits(row: FeatureRow) -> None:
    if not row.symbol:
        return
    fields = DECODER.decode("features", encode_feature_row(row)).fields()
    assert fields["values"] == row.values.tobytes()
    assert (fields["event_number"], fields["event_time"], fields["available_time"]) == (
        row.event_number,
        row.event_time,
        row.available_time,
    )


def test_a_signal_is_readable() -> None:
    fields = DECODER.decode("signals", encode_signal(signal("A", 3))).fields()
    assert (fields["direction"], fields["status"], fields["code"], fields["model_version"]) == ("UP", "OK", "NONE", "model-1")
    assert json.loads(str(fields["reasons"])) == [
        {"feature": "imbalance_5_levels", "contribution": 0.25, "words": "die Nachfrage überwiegt"}
    ]


@given(damaged(st.one_of(SIGNALS.map(encode_signal), feature_rows().map(encode_feature_row))), st.sampled_from(["features", "signals"]))
def test_damaged_records_are_refused_in_one_way(data: bytes, topic: str) -> None:
    try:
        record = DECODER.decode(topic, data)
    except MalformedMessage:
        return
    assert record.fields()["event_number"] == record.event_number


def test_a_record_without_symbol_is_refused() -> None:
    with pytest.raises(MalformedMessage, match="without symbol"):
        DECODER.decode("signals", encode_signal(signal("", 1)))


def test_features_and_signals_of_a_symbol_lie_apart() -> None:
    content = expected_content([sent(feature_row("A", 1)), sent(signal("A", 2))], "features", "signals")
    assert sorted(content) == [b"tickflow:feature:A", b"tickflow:signal:A"]


def test_a_child_gets_the_settings_of_its_parent() -> None:
    """Also where the parent's own variables say otherwise."""
    inherited = {"TICKFLOW_KAFKA_BOOTSTRAP_SERVERS": "elsewhere:1", "TICKFLOW_REDIS_URL": "redis://elsewhere:2"}
    values = {
        "kafka": {"bootstrap_servers": "here:1"},
        "topics": {"signals": "other"},
        "online": {"redis_url": "redis://here:2", "time_to_live_seconds": 7},
    }
    settings = Settings.model_validate(values)
    found = load_settings(environment={**inherited, **as_variables(settings)})
    assert (found.kafka, found.topics, found.online) == (settings.kafka, settings.topics, settings.online)
