"""One symbol through everything: the result depends on its events and the control log alone, and control applies at its frame."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.bits import bits
from tests.support.busy_market import IMBALANCE_RULE, busy_market, cut, lopsided, model_entries, models
from tests.support.control_memory import (
    MemoryReader,
    fetch_from,
    frame_of,
    halt_entry,
    model_entry,
    process,
    processor,
    remove_entry,
    resume_entry,
    rule_entry,
)
from tests.support.kernel_events import MIDNIGHT, SECOND, Event, random_walk, trade, wild_streams
from tests.support.trained_model import trained_model
from udfs.errors import Reason
from udfs.kernels.signal_rules import Thresholds
from udfs.operators.control_log import ControlLog, ControlLogSettings
from udfs.operators.symbol_processor import Outcome, PricedRow, SymbolProcessor
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import Alert, AlertRule, Bar, FeatureRow, Measure, ModelReference, Position, Rejected, Signal, SignalCode, SignalStatus

EXAMPLES = settings(max_examples=40, deadline=None)
START = MIDNIGHT + 3600 * SECOND
NOWHERE = Position("", 0, 0)


def of_kind(outcomes: Sequence[Outcome], kind: type) -> list[Any]:
    return [record for outcome in outcomes for record in outcome.records if isinstance(record, kind)]


def contents(outcomes: Sequence[Outcome]) -> dict[str, list[Any]]:
    """The bits of everything that came out, by kind, without where it was found."""
    rows = [(replace(priced.row, position=NOWHERE), priced.price) for priced in of_kind(outcomes, PricedRow)]
    rest = {
        kind.__name__: [replace(record, position=NOWHERE) for record in of_kind(outcomes, kind)] for kind in (Bar, Signal, Alert, Rejected)
    }
    return {name: [bits(record) for record in records] for name, records in ({"FeatureRow": rows} | rest).items()}


ENTRIES = [
    *model_entries("first"),
    rule_entry(IMBALANCE_RULE),
    rule_entry(AlertRule("moves", Measure.PRICE_MOVE, 1e-6, 1e-7, 10 * SECOND, ())),
]


def worker() -> SymbolProcessor:
    """A model and two rules in force at version 3; signals say what they think however unsure."""
    return processor(ENTRIES, models(), thresholds=Thresholds(0.0, 0.0))


@EXAMPLES
@given(st.one_of(wild_streams(), st.integers(0, 9).map(busy_market)), st.lists(st.integers(0, 999), max_size=8))
def test_the_result_does_not_depend_on_framing_nor_on_restarts(events: list[Event], cuts: list[int]) -> None:
    """Each frame's state goes through bytes, and each cut is taken by a new processor, as after a restart."""
    whole, _ = process(worker(), [frame_of(events, 3)])
    parts: list[Outcome] = []
    blob = None
    for piece in cut(events, cuts):
        outcomes, blob = process(worker(), [frame_of(piece, 3)], blob)
        parts += outcomes
    assert contents(parts) == contents(whole)
    assert blob == whole[-1].state


def test_the_law_above_covers_every_kind_of_record() -> None:
    outcomes, _ = process(worker(), [frame_of(busy_market(5), 3)])
    assert {name: bool(found) for name, found in contents(outcomes).items()} == dict.fromkeys(
        ("FeatureRow", "Bar", "Signal", "Alert", "Rejected"), True
    )
    assert any(signal.status is SignalStatus.OK and signal.reasons for signal in of_kind(outcomes, Signal))


@EXAMPLES
@given(wild_streams())
def test_twice_the_same_frames_twice_the_same_bits(events: list[Event]) -> None:
    first, second = (process(worker(), [frame_of(events, 3)])[0] for _ in range(2))
    assert [bits(tuple(outcome.records)) for outcome in first] == [bits(tuple(outcome.records)) for outcome in second]


def test_symbols_do_not_touch_each_other() -> None:
    """One processor for two symbols, frame by frame in turn, gives what one processor for each gives."""
    streams = {symbol: cut(random_walk(seed, 120, SECOND), [20, 70]) for seed, symbol in enumerate(("A", "B"))}
    shared, blobs = worker(), dict.fromkeys(streams)
    mixed: dict[str, list[Outcome]] = {symbol: [] for symbol in streams}
    for place, symbol in itertools.product(range(3), streams):
        outcomes, blobs[symbol] = process(shared, [frame_of(streams[symbol][place], 3, symbol)], blobs[symbol], symbol)
        mixed[symbol] += outcomes
    for symbol, pieces in streams.items():
        alone, _ = process(worker(), [frame_of(piece, 3, symbol) for piece in pieces], symbol=symbol)
        assert contents(mixed[symbol]) == contents(alone)


def test_every_row_has_its_signal_and_carries_where_it_came_from() -> None:
    frames = [frame_of(piece, 1) for piece in cut(random_walk(1, 200, SECOND), [50, 51, 130])]
    outcomes, _ = process(worker(), frames)
    rows: list[FeatureRow] = [priced.row for priced in of_kind(outcomes, PricedRow)]
    signals: list[Signal] = of_kind(outcomes, Signal)
    assert [(row.event_number, row.position) for row in rows] == [(signal.event_number, signal.position) for signal in signals]
    assert len({row.event_number for row in rows}) == len(rows) > 50
    assert [row.position.offset for row in rows] == sorted(row.position.offset for row in rows)
    assert {(row.position.topic, row.position.partition, row.manifest_id, row.control_version) for row in rows} == {
        ("market.frames", 2, "manifest", 1)
    }
    assert len({signal.signal_id for signal in signals}) == len(signals)


def seconds(first: int, count: int) -> list[Event]:
    return [trade(START + (first + place) * SECOND, 100.0 + place % 7) for place in range(count)]


def test_a_model_applies_exactly_from_the_frame_stamped_with_it() -> None:
    swapping = processor(model_entries("first", "second"), models())
    frames = [frame_of(seconds(10 * version, 10), version) for version in range(3)]
    outcomes, _ = process(swapping, frames)
    versions = [{signal.model_version for signal in of_kind([outcome], Signal)} for outcome in outcomes]
    assert versions == [{""}, {trained_model().version}, {"second"}]
    assert {signal.code for signal in of_kind(outcomes[:1], Signal)} == {SignalCode.NO_MODEL}
    assert all(math.isnan(signal.confidence) for signal in of_kind(outcomes[:1], Signal))
    behind, _ = process(swapping, [frame_of(seconds(0, 5), 1, "SLOW")], symbol="SLOW")
    assert {signal.model_version for signal in of_kind(behind, Signal)} == {trained_model().version}


def test_a_model_whose_inputs_do_not_match_is_refused_once_and_the_former_stays() -> None:
    entries = model_entries("first", "misfit")
    frames = [frame_of(seconds(10 * place, 10), version) for place, version in enumerate((1, 2, 2))]
    outcomes, _ = process(processor(entries, models()), frames)
    assert {signal.model_version for signal in of_kind(outcomes, Signal)} == {trained_model().version}
    refused: list[Rejected] = of_kind(outcomes, Rejected)
    assert [(record.reason, record.raw) for record in refused] == [(Reason.MODEL_REFUSED, entries[1])]
    assert refused[0].position == Position("control", 0, 1)
    assert "feature_of_tomorrow" in refused[0].detail


def test_a_bad_rule_and_a_broken_entry_are_refused_with_their_bytes() -> None:
    rule = rule_entry(IMBALANCE_RULE)
    unreadable = rule.replace(b"lopsided", b"\x00\xff\xfe\xfd\xfc\xfb\xfa\xf9")
    inverted = rule.replace(struct.pack("<d", 0.2), struct.pack("<d", 0.9))
    entries = [rule, unreadable, b"garbage", inverted, model_entry(ModelReference("gone", "nowhere", "0" * 64))]
    outcomes, _ = process(processor(entries), [frame_of([lopsided(START, 0.9)], 5)])
    refused = of_kind(outcomes, Rejected)
    assert [(record.position.offset, record.raw) for record in refused] == list(enumerate(entries))[1:]
    assert [record.reason for record in refused] == [
        Reason.MALFORMED_CONTROL, Reason.MALFORMED_CONTROL, Reason.INVALID_RULE, Reason.MODEL_REFUSED
    ]  # fmt: skip
    assert [alert.rule_id for alert in of_kind(outcomes, Alert)] == ["lopsided"]


def test_halts_apply_to_their_symbols_from_their_frame_on() -> None:
    """One symbol is let go while everything else stays halted."""
    entries = [halt_entry("B"), halt_entry(), resume_entry("A"), resume_entry()]
    halting = processor(entries)
    found = {}
    for symbol in ("A", "B"):
        frames = [frame_of(seconds(10 * version, 10), version, symbol) for version in range(5)]
        outcomes, _ = process(halting, frames, symbol=symbol)
        found[symbol] = [{signal.status is SignalStatus.HALTED for signal in of_kind([outcome], Signal)} for outcome in outcomes]
    assert found["A"] == [{False}, {False}, {True}, {False}, {False}]
    assert found["B"] == [{False}, {True}, {True}, {True}, {False}]


def test_alerts_fire_once_and_again_only_after_the_measure_came_back() -> None:
    imbalances = [0.4, 0.6, 0.9, 0.3, 0.7, 0.1, -0.6, -0.9, 0.0, 0.5]
    frames = [frame_of([lopsided(START + second * SECOND, imbalance)], 1) for second, imbalance in enumerate(imbalances)]
    outcomes, _ = process(processor([rule_entry(IMBALANCE_RULE)]), frames)
    fired = [[round(alert.value, 6) for alert in of_kind([outcome], Alert)] for outcome in outcomes]
    assert fired == [[], [0.6], [], [], [], [], [-0.6], [], [], [0.5]]
    alert, signal = of_kind(outcomes[1:2], Alert)[0], of_kind(outcomes[1:2], Signal)[0]
    assert (alert.signal_id, alert.event_number, alert.position) == (signal.signal_id, signal.event_number, signal.position)
    assert (alert.rule_id, alert.measure, alert.threshold) == ("lopsided", "imbalance", 0.5)


def test_a_rule_is_in_force_between_its_entries_and_for_its_symbols_alone() -> None:
    entries = [rule_entry(replace(IMBALANCE_RULE, symbols=("B", "C"))), remove_entry("lopsided")]
    for symbol, expected in (("A", [0, 0, 0]), ("B", [0, 1, 0])):
        frames = [frame_of([lopsided(START + version * SECOND, 0.9)], version, symbol) for version in range(3)]
        outcomes, _ = process(processor(entries), frames, symbol=symbol)
        assert [len(of_kind([outcome], Alert)) for outcome in outcomes] == expected


def test_the_log_is_read_as_far_as_frames_ask_and_no_further() -> None:
    reader = MemoryReader([halt_entry("X")] * 5)
    reading = SymbolProcessor(WorkerSettings("manifest", ControlLogSettings("memory")), ControlLog(reader, fetch_from({})))
    process(reading, [frame_of(seconds(place, 1), version) for place, version in enumerate((0, 2, 1, 2, 5, 6))])
    assert reader.asked == [(0, 2), (2, 3)]
