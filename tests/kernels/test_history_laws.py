"""What was loaded before a feature's warm-up does not show in its value: not a bit of it, or as little as its `memory` says."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.kernel_events import MIDNIGHT, SECOND, Event, random_walk, sound, trade
from tests.support.kernel_runs import differing_features, rows_of, run
from udfs.kernels.advance import Advance
from udfs.kernels.events import FACT_KINDS, EventFlag, EventKind
from udfs.kernels.feature_traits import FADING_BARS, FADING_TOLERANCE, Memory
from udfs.kernels.feature_vector import Feature

MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
PACES = (SECOND, 20 * SECOND, 60 * SECOND, 600 * SECOND)
LONGEST_PARTIAL_WINDOW = 6 * MINUTE
"""A rolling VWAP is valid with the first trade in its window, so it must first be full. With its hop."""


def with_memory(*memories: Memory) -> set[str]:
    return {feature.name.lower() for feature in Feature if feature.memory in memories}


def in_order(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: event.event_time)


def beginnings(events: list[Event]) -> list[int]:
    """Places of priced trades that are the first event of their minute but for facts, so that it is whole without what came before."""
    priced = [event.kind == EventKind.TRADE and not event.flags & EventFlag.VOLUME_ONLY for event in events]
    ticks = [place for place, event in enumerate(events) if event.kind not in FACT_KINDS]
    pairs = itertools.pairwise(ticks)
    return [place for before, place in pairs if priced[place] and events[place].event_time // MINUTE != events[before].event_time // MINUTE]


def common_rows(long: Advance, short: Advance, begin: int, since: int) -> tuple[Advance, Advance]:
    """Rows of events that both have, from a time on."""
    kept, places, short_places = np.intersect1d(long.row_event_index, short.row_event_index + begin, return_indices=True)
    late = long.row_event_time[places] >= since
    assert len(kept)
    return rows_of(long, places[late]), rows_of(short, short_places[late])


def where_short_is_valid(long: Advance, short: Advance) -> Advance:
    """The long run with the features masked that the short one says nothing about."""
    values = np.where(short.row_valid, long.row_values, np.float32(np.nan))
    return long._replace(row_values=values, row_valid=long.row_valid & short.row_valid)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 30), st.sampled_from(PACES), st.integers(0, 1000))
def test_a_window_forgets_all_that_was_before_it(seed: int, pace: int, cut: int) -> None:
    """The log from any whole minute on: what is valid has the same bits as with all that came before."""
    events = sound(in_order(random_walk(seed, 600, pace)))
    begin = (begins := beginnings(events))[cut % len(begins)]
    long, short = common_rows(run(events), run(events[begin:]), begin, events[begin].event_time + LONGEST_PARTIAL_WINDOW)
    allowed = with_memory(Memory.SESSION, Memory.FADING, Memory.WHOLE, Memory.LOADED)
    assert set(differing_features(where_short_is_valid(long, short), short)) <= allowed


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 30), st.integers(0, 1000))
def test_a_session_forgets_all_that_was_before_it(seed: int, cut: int) -> None:
    events = sound(in_order(random_walk(seed, 600, 400 * SECOND)))
    sessions = {place: int(event.numbers[0]) * SECOND for place, event in enumerate(events) if event.kind == EventKind.SESSION}
    begin = (begins := [place for place in beginnings(events) if place < max(sessions)])[cut % len(begins)]
    start = next(start for place, start in sessions.items() if place >= begin)
    long, short = common_rows(run(events), run(events[begin:]), begin, start)
    assert set(differing_features(where_short_is_valid(long, short), short)) <= with_memory(Memory.FADING, Memory.WHOLE, Memory.LOADED)


@pytest.mark.parametrize("history", [50, 400, 2000])
@pytest.mark.parametrize("seed", range(3))
def test_a_recursion_fades(history: int, seed: int) -> None:
    """After so many minute bars as are promised; of a running total only the changes are the same."""
    events = sound(in_order(random_walk(seed, history + 3 * FADING_BARS, 90 * SECOND)))
    begin = next(place for place in beginnings(events) if place >= history)
    whole, part = run(events), run(events[begin:])
    settled = whole.bars["start_time"][(whole.bars["length_seconds"] == 60) & (whole.bars["event_index"] >= begin)][FADING_BARS]
    long, short = common_rows(whole, part, begin, int(settled) + 2 * MINUTE)
    assert len(long.row_values) > 100
    for name in with_memory(Memory.FADING):
        left, right = column(long, name), column(short, name)
        assert np.isfinite(left).all()
        np.testing.assert_allclose(left, right, rtol=0, atol=FADING_TOLERANCE * np.abs(left).max(), err_msg=name)
    for name in with_memory(Memory.WHOLE):
        np.testing.assert_allclose(np.diff(column(long, name)), np.diff(column(short, name)), atol=1e-3, err_msg=name)


def column(result: Advance, name: str) -> npt.NDArray[np.float64]:
    return result.row_values[:, Feature[name.upper()]].astype(np.float64)


@pytest.mark.parametrize("history", [0, 50, 2000])
def test_prices_a_thousand_million_times_higher_leave_no_rounding_behind(history: int) -> None:
    """After two days, nothing but the recursive features can tell what was before."""
    recent = random_walk(5, 300, 30 * SECOND, start=MIDNIGHT)
    before = MIDNIGHT - 2 * DAY
    link = [trade(before, 100.0), *_quote_and_book(before)]
    old = [event._replace(numbers=tuple(number * 1e9 for number in event.numbers)) for event in _older(history, before) if event.kind < 6]
    with_history, without = run([*old, *link, *recent]), run([*link, *recent])
    settled = slice(-len(without.row_values) // 2, None)
    different = differing_features(rows_of(with_history, settled), rows_of(without, settled))
    assert set(different) <= with_memory(Memory.FADING, Memory.WHOLE, Memory.LOADED)


def _quote_and_book(time: int) -> list[Event]:
    return [event._replace(event_time=time) for event in random_walk(1, 60, SECOND) if event.kind in (2, 3)][:2]


def _older(events: int, end: int) -> list[Event]:
    return random_walk(7, events, 20 * SECOND, start=end - max(events, 1) * MINUTE)
