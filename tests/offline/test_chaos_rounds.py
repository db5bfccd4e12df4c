"""The chaos suite itself: plans come from the seed alone, the log is changed only as its contract allows, no wrong result is missed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.chaos.delivery import delivered, duplicated, interleaved, one_put_off
from tests.integration.chaos.faults import MOST_FAULTS, OF_THE_LOG, UNDISTURBED, Fault, FaultKind, Plan, draw_plan
from tests.integration.chaos.market import Frame, is_numbered
from tests.integration.chaos.outcome import TOPICS, Outcome, topic_content
from tests.integration.chaos.program import reproduction
from tests.integration.chaos.strikes import _HOW
from tests.integration.chaos.verdict import compare
from tests.support.control_memory import frame_of
from tests.support.kernel_events import MIDNIGHT, clock, quote, trade
from udfs.codecs.rows import encode_feature_row
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET
from udfs.records import FeatureRow, Position

SEEDS = st.integers(0, 2**32)
EXAMPLES = settings(deadline=None, max_examples=50)
FRAMES = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 1000)), max_size=60).map(
    lambda found: [Frame(symbol, f"{symbol}{number}{place}".encode(), place) for place, (symbol, number) in enumerate(found)]
)


@EXAMPLES
@given(SEEDS, st.integers(0, 200))
def test_a_plan_is_drawn_from_the_seed_and_the_round_alone(seed: int, number: int) -> None:
    plan = draw_plan(seed, number)
    assert plan == draw_plan(seed, number)
    assert 1 <= len(plan.faults) <= MOST_FAULTS
    assert [fault.at for fault in plan.faults] == sorted(fault.at for fault in plan.faults)
    assert all(0 < fault.at < 1 and fault.seconds >= 0 for fault in plan.faults)


@EXAMPLES
@given(SEEDS)
def test_as_many_rounds_as_kinds_hit_every_kind(seed: int) -> None:
    assert {kind for number in range(len(FaultKind)) for kind in draw_plan(seed, number).kinds} == set(FaultKind)


def test_every_kind_happens_somehow() -> None:
    assert set(_HOW) == set(FaultKind)


@EXAMPLES
@given(FRAMES, SEEDS)
def test_another_interleaving_keeps_each_symbols_order(frames: list[Frame], seed: int) -> None:
    for change in (interleaved, one_put_off):
        if frames:
            assert by_symbol(change(frames, random.Random(seed))) == by_symbol(frames)


def by_symbol(frames: list[Frame]) -> dict[str, list[bytes]]:
    found = defaultdict(list)
    for frame in frames:
        found[frame.symbol].append(frame.data)
    return dict(found)


@settings(deadline=None, max_examples=10)
@given(SEEDS)
def test_frames_come_again_only_after_themselves_and_only_where_they_are_numbered(seed: int) -> None:
    numbered = [Frame("A", frame_of([trade(MIDNIGHT + n, 10.0, 1.0, sequence=n + 1)], 0, "A"), n) for n in range(100)]
    bare = [Frame("B", frame_of([quote(MIDNIGHT + n, 9.0, 10.0, 1.0, 1.0)], 0, "B"), n) for n in range(100)]
    sent = duplicated([*numbered, *bare], random.Random(seed))
    firsts = list(dict.fromkeys(sent))
    assert firsts == [*numbered, *bare]
    assert {frame.symbol for frame in sent if sent.count(frame) > 1} <= {"A"}


def test_a_clock_needs_no_number() -> None:
    assert is_numbered(Frame("A", frame_of([clock(MIDNIGHT)], 0, "A"), 0))
    assert not is_numbered(Frame("A", frame_of([trade(MIDNIGHT, 1.0, 1.0)], 0, "A"), 0))


def test_the_undisturbed_run_gets_the_market_as_it_is() -> None:
    frames = [Frame("A", b"1", 1), Frame("B", b"2", 2)]
    assert delivered(frames, UNDISTURBED) == frames


def row(number: int, value: float = 1.0, symbol: str = "S") -> FeatureRow:
    values = np.full(len(FEATURE_NAMES), value, np.float32)
    valid = np.ones(len(FEATURE_NAMES), bool)
    return FeatureRow(symbol, number, number, number, FEATURE_SET, values, valid, False, 0, Position("t", 0, number), "m")


def contents(*rows: FeatureRow) -> Iterator[bytes]:
    return (encode_feature_row(found) for found in rows)


def outcome(*rows: FeatureRow) -> Outcome:
    """A run that wrote these rows to the topic of features and to the lake."""
    none = iter(())
    topics = {name: topic_content(codec, none) for name, codec in TOPICS.items()} | {
        "features": topic_content(TOPICS["features"], contents(*rows))
    }
    table = lake_rows(rows)
    keys: dict[str, Any] = {"features": tuple((found.symbol, found.event_number) for found in rows)}
    return Outcome(topics, {"features": table, "signals": lake_rows(())}, keys, {b"k": {b"f": b"v"}})


def lake_rows(rows: tuple[FeatureRow, ...]) -> pa.Table:
    columns = {
        "symbol": pa.array([found.symbol for found in rows], pa.string()),
        "event_number": pa.array([found.event_number for found in rows], pa.int64()),
        "topic": pa.array(["t"] * len(rows), pa.string()),
        "kafka_partition": pa.array([0] * len(rows), pa.int64()),
        "kafka_offset": pa.array([found.position.offset for found in rows], pa.int64()),
        "event_index": pa.array([0] * len(rows), pa.int64()),
        "feature_values": pa.array([found.values.tolist() for found in rows], pa.list_(pa.float32())),
    }
    return pa.table(columns)


PLAIN = Plan(1, 1, False, (Fault(FaultKind.TASKMANAGER_KILLED, 0.5, 1.0),))
OTHER_LOG = replace(PLAIN, faults=(Fault(FaultKind.FRAMES_REORDERED, 0.5, 1.0),))
EXACTLY_ONCE = replace(PLAIN, exactly_once=True)
GOOD = outcome(row(1), row(2), row(3))


def test_the_same_rows_hold_and_so_does_a_row_that_came_again() -> None:
    assert compare(GOOD, GOOD, PLAIN).held
    again = replace(GOOD, topics=outcome(row(1), row(2), row(2), row(3)).topics)
    assert compare(GOOD, again, PLAIN).held
    assert compare(GOOD, again, EXACTLY_ONCE).duplicated == 1


@pytest.mark.parametrize(
    ("found", "lost", "duplicated", "equal"),
    [
        (outcome(row(1), row(3)), 2, 0, False),
        (outcome(row(1), row(2), row(3), row(4)), 0, 2, False),
        (outcome(row(1), row(2, 2.0), row(3)), 0, 0, False),
        (replace(GOOD, keys={"features": (*GOOD.keys["features"], ("S", 3))}), 0, 1, True),
        (replace(GOOD, topics=outcome(row(1), row(2), row(2, 5.0), row(3)).topics), 0, 0, True),
        (replace(GOOD, topics=outcome(row(2), row(1), row(3)).topics), 0, 0, True),
        (replace(GOOD, redis={b"k": {b"f": b"w"}}), 0, 0, True),
        (replace(GOOD, redis={}), 0, 0, True),
    ],
    ids=[
        "lost",
        "one too many",
        "another value",
        "twice in the lake",
        "contradicts itself",
        "another order",
        "redis differs",
        "redis empty",
    ],
)
def test_every_way_of_being_wrong_is_found(found: Outcome, lost: int, duplicated: int, equal: bool) -> None:
    verdict = compare(GOOD, found, PLAIN)
    assert not verdict.held
    assert (verdict.lost, verdict.duplicated, verdict.digest_equal) == (lost, duplicated, equal)
    assert verdict.problems
    assert "--seed 1 --round 1" in reproduction(PLAIN, verdict)
    assert "taskmanager_killed" in reproduction(PLAIN, verdict)


def test_positions_are_compared_unless_the_log_is_another_one() -> None:
    moved = outcome(row(1), row(2), replace(row(3), position=Position("t", 0, 9)))
    assert OTHER_LOG.kinds <= OF_THE_LOG
    assert compare(GOOD, moved, OTHER_LOG).held
    assert not compare(GOOD, moved, PLAIN).held
