"""What leaves the operator is what the lake's tables and the topics hold: every column from somewhere, of its type, to the bit."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyflink.common import Types

from jobs.lake.definitions import CONTROL_EVENTS, MARKET_FRAMES
from jobs.lake.tables import Kind
from jobs.sinks import LAKE_TABLES, Outputs, insert_statements
from tests.support.bits import bits
from tests.support.strategies import ALERTS, BARS, DOUBLES, REJECTED, SIGNALS, feature_rows
from udfs.codecs.rejects import decode_rejected
from udfs.codecs.rows import decode_bar, decode_feature_row
from udfs.codecs.signals import decode_alert, decode_signal
from udfs.codecs.wire import PINNED
from udfs.errors import Reason
from udfs.operators.output_rows import BYTES, PARTS, PAYLOAD, OutputRows, output_type
from udfs.operators.symbol_processor import PricedRow, Record

EXAMPLES = settings(max_examples=200, deadline=None)
ROWS = OutputRows(PINNED)
COMMON = ("symbol", "topic", "kafka_partition", "kafka_offset", "event_index")
CONSTANTS = {"manifest_id": "m", "feature_set": "f"}
FLINK_TYPES = {
    Kind.TEXT: Types.STRING(),
    Kind.LONG: Types.LONG(),
    Kind.INTEGER: Types.INT(),
    Kind.DOUBLE: Types.DOUBLE(),
    Kind.BOOLEAN: Types.BOOLEAN(),
    Kind.BYTES: BYTES,
    Kind.FLOATS: Types.OBJECT_ARRAY(Types.FLOAT()),
}


@pytest.mark.parametrize("kind", LAKE_TABLES)
def test_every_column_of_a_table_comes_from_somewhere_and_nothing_is_computed_in_vain(kind: str) -> None:
    table = LAKE_TABLES[kind]
    elsewhere = {*CONSTANTS, "event_time", "start_time", *COMMON}
    assert set(table.column_names()) - elsewhere == set(PARTS[kind]) - {PAYLOAD}


@pytest.mark.parametrize("kind", LAKE_TABLES)
def test_columns_have_the_types_of_the_table(kind: str) -> None:
    kinds = {column.name: column.kind for column in LAKE_TABLES[kind].columns}
    assert {name: FLINK_TYPES[kinds[name]] for name in PARTS[kind] if name != PAYLOAD} | {PAYLOAD: BYTES} == PARTS[kind]


def test_the_row_type_names_the_common_columns_and_the_parts() -> None:
    assert output_type().get_field_names() == [*COMMON, *PARTS]


def part(record: Record) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """(kind, its columns, the common columns) of a record's row; the other kinds are null."""
    (row,) = ROWS.rows([record])
    values = list(row)
    common, parts = dict(zip(COMMON, values, strict=False)), dict(zip(PARTS, values[len(COMMON) :], strict=True))
    filled = [kind for kind, columns in parts.items() if columns is not None]
    assert len(filled) == 1
    return filled[0], dict(zip(PARTS[filled[0]], list(parts[filled[0]]), strict=True)), common


def place_of(record: Any) -> dict[str, Any]:
    position = record.position
    return {
        "symbol": record.symbol,
        "topic": position.topic,
        "kafka_partition": position.partition,
        "kafka_offset": position.offset,
        "event_index": position.event_index,
    }


RENAMED = {"start_time": "start_time_ns", "event_time": "event_time_ns", "available_time": "available_time_ns", "horizon": "horizon_ns"}
DECODERS: dict[str, Any] = {"bar": decode_bar, "signal": decode_signal, "alert": decode_alert, "reject": decode_rejected}


@EXAMPLES
@given(st.one_of(BARS, SIGNALS, ALERTS, REJECTED))
def test_a_record_is_in_its_row_and_in_its_message_to_the_bit(record: Any) -> None:
    kind, columns, common = part(record)
    assert bits(DECODERS[kind](columns["payload"])) == bits(record)
    assert common == place_of(record)
    for field in fields(record):
        name = RENAMED.get(field.name, field.name)
        if name in columns and name != "reasons":
            value = getattr(record, field.name)
            assert bits(columns[name]) == bits(int(value) if isinstance(value, int) and not isinstance(value, bool) else value)


@EXAMPLES
@given(SIGNALS)
def test_a_signals_probabilities_and_reasons_are_told(signal: Any) -> None:
    _, columns, _ = part(signal)
    names = ("probability_down", "probability_neutral", "probability_up")
    assert bits(tuple(columns[name] for name in names)) == bits(signal.probabilities)
    told = json.loads(columns["reasons"])
    assert [(one["feature"], one["words"]) for one in told] == [(reason.feature, reason.words) for reason in signal.reasons]


@EXAMPLES
@given(feature_rows(), DOUBLES)
def test_a_feature_row_is_kept_with_its_price_and_validity(row: Any, price: float) -> None:
    kind, columns, _ = part(PricedRow(row, price))
    assert kind == "feature"
    assert bits(decode_feature_row(columns["payload"])) == bits(row)
    assert bits(columns["price"]) == bits(price)
    assert np.array(columns["feature_values"], np.float32).tolist() == pytest.approx(row.values.tolist(), nan_ok=True, rel=0, abs=0)
    unpacked = np.unpackbits(np.frombuffer(columns["feature_valid"], np.uint8), bitorder="little")
    assert unpacked[: len(row.valid)].tolist() == row.valid.tolist()
    assert not unpacked[len(row.valid) :].any()


@EXAMPLES
@given(feature_rows(), SIGNALS, ALERTS, BARS)
def test_a_signal_shares_the_row_of_its_features_and_nothing_else_does(row: Any, signal: Any, alert: Any, bar: Any) -> None:
    priced = PricedRow(row, 1.0)
    found = ROWS.rows([bar, priced, signal, alert, priced, signal])
    filled = [[kind for kind, columns in zip(PARTS, list(one)[len(COMMON) :], strict=True) if columns is not None] for one in found]
    assert filled == [["bar"], ["feature", "signal"], ["alert"], ["feature", "signal"]]
    alone = [list(ROWS.rows([record])[0]) for record in (priced, signal)]
    together = list(found[1])
    for place, kind in enumerate(PARTS, len(COMMON)):
        assert repr(together[place]) == repr(alone[kind == "signal"][place])


def statement(kind: str, from_time: int | None = None, to_time: int | None = None) -> str:
    outputs = Outputs(CONSTANTS, lake={kind: "t"}, from_time=from_time, to_time=to_time)
    found = [text for text in insert_statements(outputs) if text.startswith("INSERT INTO t ")]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("kind", LAKE_TABLES)
def test_columns_are_inserted_in_the_tables_order(kind: str) -> None:
    """INSERT goes by place, not by name."""
    selected = statement(kind).removeprefix("INSERT INTO t SELECT ").split(" FROM records")[0].split(", ")
    joined = _whole_expressions(selected)
    assert len(joined) == len(LAKE_TABLES[kind].columns)
    for text, name in zip(joined, LAKE_TABLES[kind].column_names(), strict=True):
        expected = (
            f"'{CONSTANTS[name]}'"
            if name in CONSTANTS
            else "CAST(TO_TIMESTAMP_LTZ("
            if name in ("event_time", "start_time")
            else f"`{name}`"
        )
        assert expected in text


def _whole_expressions(parts: list[str]) -> list[str]:
    """Put together again what was cut at a comma inside parentheses."""
    whole: list[str] = []
    for text in parts:
        if whole and whole[-1].count("(") > whole[-1].count(")"):
            whole[-1] += ", " + text
        else:
            whole.append(text)
    return whole


@pytest.mark.parametrize(("kind", "table"), [("frame", MARKET_FRAMES), ("control", CONTROL_EVENTS)])
def test_tables_that_the_operator_does_not_feed_get_all_their_columns(kind: str, table: Any) -> None:
    selected = statement(kind).split("SELECT ")[1].rpartition(" FROM ")[0]
    assert len(_whole_expressions(selected.split(", "))) == len(table.columns)


def test_late_and_other_rejects_go_to_topics_of_their_own() -> None:
    late, reject = insert_statements(Outputs(CONSTANTS, topics={"late": "l", "reject": "r"}))
    assert late.endswith(f"r.reject.reason = {int(Reason.LATE)}")
    assert reject.endswith(f"r.reject.reason <> {int(Reason.LATE)}")


def test_a_replay_keeps_what_lies_in_its_range() -> None:
    text = statement("bar", from_time=5, to_time=9)
    assert text.endswith("WHERE r.bar IS NOT NULL AND r.bar.start_time_ns >= 5 AND r.bar.start_time_ns < 9")
    assert statement("feature").endswith("WHERE r.feature IS NOT NULL")
