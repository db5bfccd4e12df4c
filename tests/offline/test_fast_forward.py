"""Passing over frames leaves behind what processing them leaves, so a signal made again after them has the same bits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.explanation.fast_forward import FastForward
from jobs.lake.reading import StoredFrame
from tests.support.bits import bits
from tests.support.busy_market import IMBALANCE_RULE, busy_market, cut, lopsided, model_entries, models
from tests.support.control_memory import SYMBOL, MemoryReader, fetch_from, frame_of, halt_entry, resume_entry, rule_entry
from tests.support.kernel_events import MIDNIGHT, SECOND, Event, wild_streams
from udfs.codecs.state_blob import pack_state, unpack_state
from udfs.kernels.breakers.one_sided import count_direction
from udfs.kernels.signal_rules import Thresholds
from udfs.kernels.symbol_state import SYMBOL_STATE
from udfs.operators.control_log import ControlLog, ControlLogSettings
from udfs.operators.symbol_processor import Outcome, SymbolProcessor
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import Position, Signal, SignalCode

ENTRIES = [*model_entries("first"), rule_entry(IMBALANCE_RULE), halt_entry("X"), *model_entries("second"), halt_entry(), resume_entry()]
SETTINGS = WorkerSettings("manifest", ControlLogSettings("memory"), thresholds=Thresholds(0.0, 0.0, one_sided_nanoseconds=10 * SECOND))


def control() -> ControlLog:
    return ControlLog(MemoryReader(ENTRIES), fetch_from(models()))


def frames_of(events: list[Event], cuts: list[int], broken: bool) -> list[StoredFrame]:
    """Each later piece is subject to later control entries; one frame may be no frame at all."""
    pieces = cut(events, cuts)
    data = [frame_of(piece, min(place, len(ENTRIES))) for place, piece in enumerate(pieces)]
    data[len(data) // 2 : len(data) // 2] = [b"broken"] if broken else []
    return [StoredFrame(SYMBOL, MIDNIGHT, Position("market.frames", 2, place), each, "") for place, each in enumerate(data)]


def processed(frames: list[StoredFrame]) -> list[tuple[Outcome, bytes]]:
    """What the job makes of each frame, and the symbol's state after it."""
    processor, blob, found = SymbolProcessor(SETTINGS, control()), None, []
    for frame in frames:
        outcome = processor.process(SYMBOL, frame.frame, frame.position, blob)
        blob = outcome.state or blob
        found.append((outcome, _without_alerts(blob)))
    return found


def _without_alerts(blob: bytes | None) -> bytes:
    return pack_state(unpack_state(blob, SYMBOL_STATE)[0]) if blob else b""


def signals(outcome: Outcome) -> list[Any]:
    return [bits(record) for record in outcome.records if isinstance(record, Signal)]


@settings(max_examples=20, deadline=None)
@given(
    st.one_of(wild_streams(), st.integers(0, 9).map(busy_market)),
    st.lists(st.integers(0, 999), min_size=1, max_size=9),
    st.booleans(),
    st.sets(st.integers(0, 9)),
)
def test_passing_over_frames_leaves_what_processing_them_leaves(
    events: list[Event], cuts: list[int], broken: bool, wanted: set[int]
) -> None:
    frames = frames_of(events, cuts, broken)
    walk = FastForward(SYMBOL, SETTINGS, control())
    for place, (frame, (outcome, state)) in enumerate(zip(frames, processed(frames), strict=True)):
        if place in wanted:
            assert signals(walk.process(frame)) == signals(outcome)
        else:
            walk.over(frame)
        assert not state or walk.state() == state


def test_the_breaker_for_models_that_say_the_same_is_open_at_the_same_rows() -> None:
    events = [lopsided(MIDNIGHT + second * SECOND, 0.9) for second in range(90)]
    frames = frames_of(events, [2, *range(80, 90)], broken=False)
    codes = [[record.code for record in outcome.records if isinstance(record, Signal)] for outcome, _ in processed(frames)]
    assert SignalCode.ONE_SIDED in {code for found in codes for code in found}
    walk = FastForward(SYMBOL, SETTINGS, control())
    for frame in frames[:3]:
        walk.over(frame)
    again = [record.code for record in walk.process(frames[3]).records if isinstance(record, Signal)]
    assert again == codes[3]


def test_rows_are_scored_in_batches_that_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = frames_of(busy_market(4), list(range(0, 999, 7)), broken=True)
    expected = processed(frames)[-1][1]
    for rows in (1, 5, 10_000):
        monkeypatch.setattr("jobs.explanation.fast_forward._BATCH_ROWS", rows)
        walk = FastForward(SYMBOL, SETTINGS, control())
        for frame in frames:
            walk.over(frame)
        assert walk.state() == expected


def test_a_direction_that_was_not_counted_would_be_seen() -> None:
    """The laws above compare states in which directions were counted: one more of them changes the bits."""
    frames = frames_of(busy_market(4), [300], broken=False)
    before = processed(frames)[-1][1]
    state = unpack_state(before, SYMBOL_STATE)[0]
    count_direction(state, 1, frames[-1].event_time + 10_000 * SECOND, 7, 10 * SECOND)
    assert pack_state(state) != before
