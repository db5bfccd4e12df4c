"""The chaos suite itself: plans come from the seed alone, the log is changed only as its contract allows, no wrong result is missed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.benchmark.broken_bytes import broken
from tests.integration.chaos.delivery import delivered, duplicated, interleaved, one_put_off, with_broken_ones
from tests.integration.chaos.faults import EXACTLY_ONCE_EVERY, MOST_FAULTS, OF_THE_LOG, UNDISTURBED, Fault, FaultKind, Plan, draw_plan
from tests.integration.chaos.limits import TooLate, time_limit
from tests.integration.chaos.market import Frame, is_numbered
from tests.integration.chaos.outcome import TOPICS, Outcome, part_of, topic_content
from tests.integration.chaos.program import counted, reproduction
from tests.integration.chaos.rounds import ROUNDS_A_JOB, blocks
from tests.integration.chaos.strikes import _HOW
from tests.integration.chaos.verdict import broken_among, compare, unfinished
from tests.support.control_memory import frame_of
from tests.support.kernel_events import MIDNIGHT, clock, quote, trade
from udfs.codecs.frames import decode_frame
from udfs.codecs.rows import encode_feature_row
from udfs.errors import MalformedMessage
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


def test_in_time_each_kind_meets_both_guarantees() -> None:
    met = {(plan.exactly_once, kind) for number in range(3 * len(FaultKind)) for plan in [draw_plan(1, number)] for kind in plan.kinds}
    assert met == {(exactly_once, kind) for exactly_once in (False, True) for kind in FaultKind}


@EXAMPLES
@given(SEEDS, st.integers(1, 60))
def test_rounds_that_share_a_job_have_one_guarantee_and_none_is_left_out(seed: int, rounds: int) -> None:
    plans = [draw_plan(seed, number) for number in range(rounds)]
    found = blocks(plans)
    assert sorted(plan.round for block in found for plan in block) == list(range(rounds))
    assert all(len({plan.exactly_once for plan in block}) == 1 and len(block) <= ROUNDS_A_JOB for block in found)
    assert sum(plan.exactly_once for plan in plans) == rounds // EXACTLY_ONCE_EVERY


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


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_broken_frames_come_between_the_sound_ones_and_are_known_by_their_bytes(seed: int) -> None:
    sound = [Frame("A", frame_of([trade(MIDNIGHT + n, 10.0, 1.0, sequence=n + 1)], 0, "A"), n) for n in range(100)]
    sent = with_broken_ones(sound, random.Random(seed))
    found = broken_among(sent, sound)
    assert [frame for frame in sent if frame.data not in found] == sound
    assert len(found) == len(sent) - len(sound)
    for data in found:
        with pytest.raises(MalformedMessage):
            decode_frame(data)


def test_what_is_broken_is_so_for_every_reader() -> None:
    """A frame of one CLOCK can be cut and still be whole."""
    data = frame_of([clock(MIDNIGHT)], 0, "A")
    for seed in range(200):
        with pytest.raises(MalformedMessage):
            decode_frame(broken(data, random.Random(seed), decode_frame))


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
    return Outcome(topics, {"features": table, "signals": lake_rows(())}, keys, (), (b"no frame",), {b"tickflow:feature:S": {b"f": b"v"}})


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
    assert compare(GOOD, again, PLAIN).repeated == 1
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
        (replace(GOOD, redis={b"tickflow:feature:S": {b"f": b"w"}}), 0, 0, True),
        (replace(GOOD, redis={}), 0, 0, True),
        (replace(GOOD, refused=()), 1, 0, True),
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
        "rejected nowhere",
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


def test_of_another_log_every_frame_must_be_stored_once_and_every_broken_one_rejected() -> None:
    keys = {**GOOD.keys, "market_frames": (("S", 0, 0), ("S", 0, 1)), "rejects": (("S", 0, 0, 0),)}
    stored = replace(GOOD, keys=keys, told=keys["rejects"], refused=(b"no frame", b"broken"))
    expected = replace(GOOD, keys={**GOOD.keys, "market_frames": (("S", 0, 0),), "rejects": ()})
    assert compare(expected, stored, OTHER_LOG, [b"broken"], 2).held
    assert compare(expected, stored, OTHER_LOG, [b"broken"], 3).lost == 1
    assert compare(expected, stored, OTHER_LOG, [], 2).duplicated == 1
    assert compare(expected, stored, OTHER_LOG, [b"broken", b"other"], 2).lost == 1
    assert compare(expected, replace(stored, told=()), OTHER_LOG, [b"broken"], 2).lost == 1
    again = replace(stored, told=2 * keys["rejects"])
    assert compare(expected, again, OTHER_LOG, [b"broken"], 2).held
    assert compare(expected, again, replace(OTHER_LOG, exactly_once=True), [b"broken"], 2).duplicated == 1
    twice = replace(stored, keys={**keys, "market_frames": (*keys["market_frames"], ("S", 0, 1))})
    assert compare(expected, twice, OTHER_LOG, [b"broken"], 2).duplicated == 1


def test_a_part_is_the_same_wherever_it_lies_in_the_log() -> None:
    first, second = row(1, symbol="A"), replace(row(1, symbol="B"), position=Position("t", 0, 7))
    both = replace(outcome(first, second), redis={b"tickflow:feature:A": {}, b"tickflow:feature:B": {b"f": b"v"}}, refused=())
    alone = replace(outcome(replace(second, position=Position("t", 0, 2))), redis={b"tickflow:feature:B": {b"f": b"v"}}, refused=())
    assert compare(part_of(alone, ["B"], {"frames": (0,)}), part_of(both, ["B"], {"frames": (5,)}), PLAIN).held
    assert not compare(part_of(alone, ["B"], {"frames": (0,)}), part_of(both, ["B"], {"frames": (4,)}), PLAIN).held


def test_a_round_that_hangs_is_ended_and_counts_as_one_that_did_not_hold() -> None:
    with pytest.raises(TooLate), time_limit(0.05):
        Event().wait(60)
    found = counted([(PLAIN, unfinished("it hangs")), (PLAIN, compare(GOOD, GOOD, PLAIN))])
    assert (found["rounds"], found["digest_equal"], found["failed"], found["holds"]) == (2, 1, [1], False)
