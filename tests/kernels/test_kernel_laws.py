"""Laws that hold for every feature of the vector, whatever the events are. A new feature is under them without a further line."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.support.kernel_events import MIDNIGHT, SECOND, Event, believable_streams, columns_of, random_walk, trade, wild_streams
from udfs.errors import Reason
from udfs.kernels.advance import Advance, KernelSettings, advance
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.feature_vector import FEATURE_COUNT, FEATURE_NAMES, FEATURE_SET, MODEL_INPUTS, Feature, feature_set_id
from udfs.kernels.symbol_state import SYMBOL_STATE, new_state

SETTINGS = KernelSettings()
EXAMPLES = settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink])


def run(events: list[Event], kernel_settings: KernelSettings = SETTINGS) -> Advance:
    """All events as one frame."""
    return advance(new_state(), columns_of(events), kernel_settings)


def run_cut(events: list[Event], cuts: list[int]) -> tuple[list[Advance], list[int]]:
    """The same in frames that begin at the cuts, the state written out and read back before each; frames and where they begin."""
    edges = sorted({0, *(cut % len(events) for cut in cuts), len(events)})
    blob, results = new_state().tobytes(), []
    for begin, end in itertools.pairwise(edges):
        state = np.frombuffer(blob, SYMBOL_STATE).copy()
        results.append(advance(state, columns_of(events[begin:end]), SETTINGS))
        blob = state.tobytes()
    return results, edges[:-1]


def joined(results: list[Advance], begins: list[int]) -> dict[str, bytes]:
    """Bytes of every output, with event indexes counted through all frames."""
    shifted = [
        result._replace(row_event_index=result.row_event_index + begin, bars=_shifted(result.bars, begin))
        for result, begin in zip(results, begins)
    ]
    return {name: np.concatenate([getattr(result, name) for result in shifted]).tobytes() for name in Advance._fields}


def _shifted(bars: npt.NDArray[np.void], begin: int | npt.NDArray[np.int64]) -> npt.NDArray[np.void]:
    moved = bars.copy()
    moved["event_index"] += begin
    return moved


def differing_features(left: Advance, right: Advance) -> list[str]:
    """Names of the features whose bits or validity differ in any row."""
    bits_differ = left.row_values.view(np.uint32) != right.row_values.view(np.uint32)
    return [name for name, wrong in zip(FEATURE_NAMES, (bits_differ | (left.row_valid != right.row_valid)).any(axis=0)) if wrong]


@EXAMPLES
@given(wild_streams(), st.lists(st.integers(0, 1000), max_size=8))
def test_cuts_and_restarts_change_no_bit(events: list[Event], cuts: list[int]) -> None:
    """The same events in other frames, with the state through bytes in between, give the same verdicts, rows and bars."""
    whole = joined([run(events)], [0])
    parts = joined(*run_cut(events, cuts))
    assert [name for name in whole if whole[name] != parts[name]] == []


@EXAMPLES
@given(wild_streams(), st.integers(0, 1000))
def test_what_comes_later_changes_nothing_before(events: list[Event], cut: int) -> None:
    """Rows and bars up to an event are the same when the log ends there: nothing looks ahead."""
    end = cut % len(events) + 1
    known, whole = run(events[:end]), run(events)
    rows, bars = len(known.row_values), len(known.bars)
    assert known.verdicts.tolist() == whole.verdicts[:end].tolist()
    assert known.bars.tobytes() == whole.bars[:bars].tobytes()
    assert (whole.bars["event_index"][bars:] >= end).all()
    assert (whole.row_event_index[rows:] >= end).all()
    assert differing_features(known, whole._replace(row_values=whole.row_values[:rows], row_valid=whole.row_valid[:rows])) == []


@EXAMPLES
@given(wild_streams())
def test_twice_the_same_events_twice_the_same_bits(events: list[Event]) -> None:
    states = new_state(), new_state()
    first, second = (advance(state, columns_of(events), SETTINGS) for state in states)
    assert states[0].tobytes() == states[1].tobytes()
    assert joined([first], [0]) == joined([second], [0])


@EXAMPLES
@given(wild_streams())
def test_a_value_is_finite_or_not_valid(events: list[Event]) -> None:
    result = run(events)
    assert np.isfinite(result.row_values[result.row_valid]).all()
    assert np.isnan(result.row_values[~result.row_valid]).all()
    assert not np.isinf(result.row_price).any()


@EXAMPLES
@given(wild_streams())
def test_rows_and_bars_are_in_order_and_know_nothing_of_the_future(events: list[Event]) -> None:
    """Rows are numbered uniquely, their times never go back, and a bar ends before the clock of the event that closed it."""
    result, columns = run(events), columns_of(events)
    assert (np.diff(result.row_event_number) > 0).all()
    assert (np.diff(result.row_event_time) >= 0).all()
    assert (np.diff(result.row_available_time) >= 0).all()
    assert (columns.event_time[result.row_event_index] <= result.row_event_time).all()
    assert (columns.available_time[result.row_event_index] <= result.row_available_time).all()
    ends = result.bars["start_time"] + result.bars["length_seconds"] * NANOSECONDS_PER_SECOND
    closers = result.bars["event_index"]
    clocks = np.maximum.accumulate(np.where(result.verdicts == Reason.ACCEPTED, columns.event_time, 0))
    assert (ends <= clocks[closers]).all()
    assert (result.verdicts[result.row_event_index] == Reason.ACCEPTED).all()
    assert set(closers.tolist()) <= set(result.row_event_index[result.row_bar_closed].tolist()) | _before_a_price(events, result)


def _before_a_price(events: list[Event], result: Advance) -> set[int]:
    """Events before the first row: volume may close a bar before there is any price to make a row of."""
    first = result.row_event_index[0] if len(result.row_values) else len(events)
    return set(range(int(first)))


@EXAMPLES
@given(wild_streams())
def test_bars_hold_their_prices(events: list[Event]) -> None:
    bars = run(events).bars
    bars = bars[~np.isnan(bars["close"])]
    for name in ("open", "close"):
        assert (bars["low"] <= bars[name]).all()
        assert (bars[name] <= bars["high"]).all()
    assert (bars["volume"] >= 0).all()
    assert (bars["start_time"] % (bars["length_seconds"] * NANOSECONDS_PER_SECOND) == 0).all()
    keys = list(zip(bars["length_seconds"].tolist(), bars["start_time"].tolist(), strict=True))
    assert len(keys) == len(set(keys))


@EXAMPLES
@given(believable_streams())
def test_late_events_change_nothing(events: list[Event]) -> None:
    """The stream without them gives the same rows and bars."""
    whole = run(events)
    in_time = [event for event, verdict in zip(events, whole.verdicts) if verdict == Reason.ACCEPTED]
    without = run(in_time)
    assert (without.verdicts == Reason.ACCEPTED).all()
    assert differing_features(whole, without) == []
    assert _unplaced(whole.bars) == _unplaced(without.bars)


def _unplaced(bars: npt.NDArray[np.void]) -> bytes:
    """Bytes of bars but for the event that closed them."""
    return _shifted(bars, -bars["event_index"]).tobytes()


@EXAMPLES
@given(wild_streams())
def test_published_lengths_change_no_feature(events: list[Event]) -> None:
    everything, minutes = run(events), run(events, SETTINGS._replace(bar_lengths_seconds=(60,)))
    assert differing_features(everything, minutes) == []
    assert everything.bars[everything.bars["length_seconds"] == 60].tobytes() == minutes.bars.tobytes()


RECURSIVE = {feature for feature in Feature if feature.name.startswith(("EMA", "MACD", "RSI", "ATR", "OBV", "PRICE_TO_EMA"))}
"""Features that remember all bars by definition."""


@pytest.mark.parametrize("history", [0, 50, 2000])
def test_values_do_not_depend_on_how_long_the_history_was(history: int) -> None:
    """After two days, nothing but the recursive indicators can tell what was before: not a bit of rounding is left of it."""
    recent = random_walk(5, 300, 30 * SECOND, start=MIDNIGHT)
    before = MIDNIGHT - 2 * 86_400 * SECOND
    link = [trade(before, 100.0), *_quote_and_book(before)]
    old = [event._replace(numbers=tuple(number * 1e9 for number in event.numbers)) for event in _older(history, before) if event.kind != 6]
    with_history, without = run([*old, *link, *recent]), run([*link, *recent])
    settled = slice(-len(without.row_values) // 2, None)
    same = differing_features(
        with_history._replace(row_values=with_history.row_values[settled], row_valid=with_history.row_valid[settled]),
        without._replace(row_values=without.row_values[settled], row_valid=without.row_valid[settled]),
    )
    assert {Feature[name.upper()] for name in same} <= RECURSIVE


def _quote_and_book(time: int) -> list[Event]:
    return [event._replace(event_time=time) for event in random_walk(1, 60, SECOND) if event.kind in (2, 3)][:2]


def _older(events: int, end: int) -> list[Event]:
    return random_walk(7, events, 20 * SECOND, start=end - max(events, 1) * 60 * SECOND)


def test_recursive_indicators_forget() -> None:
    """From 200, 500 and 2000 minute bars of history the smoothed indicators agree."""
    recent = random_walk(5, 800, 60 * SECOND, start=MIDNIGHT)
    begins = {bars: MIDNIGHT - (bars + 600) * 90 * SECOND for bars in (200, 500, 2000)}
    ends = [run([*random_walk(9, bars, 60 * SECOND, start=begin), *recent]) for bars, begin in begins.items()]
    places = [int(feature) for feature in sorted(RECURSIVE) if feature != Feature.OBV]
    last = np.array([result.row_values[-1, places] for result in ends], np.float64)
    assert np.isfinite(last).all()
    np.testing.assert_allclose(last, np.broadcast_to(last[2], last.shape), rtol=1e-6)


def test_state_is_small_and_has_no_padding() -> None:
    """Its bytes are a function of the events alone, and thousands of symbols fit."""
    assert SYMBOL_STATE.itemsize <= 5120
    assert sum(field[0].itemsize for field in (SYMBOL_STATE.fields or {}).values()) == SYMBOL_STATE.itemsize
    assert all(offset % 8 == 0 for dtype, offset, *_ in (SYMBOL_STATE.fields or {}).values() if dtype.itemsize >= 8)


def test_the_feature_set_is_named_by_what_it_means() -> None:
    assert feature_set_id() == FEATURE_SET
    assert len(FEATURE_SET) == 16
    assert len(set(FEATURE_NAMES)) == FEATURE_COUNT == len(Feature)
    assert [int(feature) for feature in Feature] == list(range(FEATURE_COUNT))
    assert MODEL_INPUTS
    assert all(feature.unit != "price" for feature in Feature if feature.model_input)
    assert all(feature.formula and feature.warm_up for feature in Feature)


@EXAMPLES
@given(st.integers(0, 1000), st.integers(2, 40))
def test_model_inputs_do_not_scale_with_price_or_size(seed: int, factor: int) -> None:
    """The same market with every price and size times a power of two has the same model inputs."""
    scale = 2.0 ** (factor % 7)
    events = [event for event in random_walk(seed % 20, 150, 20 * SECOND) if event.kind in (1, 2)]
    scaled = [event._replace(numbers=_scaled(event, scale)) for event in events]
    left, right = run(events), run(scaled)
    places = list(MODEL_INPUTS)
    np.testing.assert_allclose(left.row_values[:, places], right.row_values[:, places], rtol=1e-5, atol=1e-12)


def _scaled(event: Event, scale: float) -> tuple[float, ...]:
    if event.kind == 1:
        return event.numbers[0] * scale, event.numbers[1] * scale, event.numbers[2]
    return tuple(number * scale for number in event.numbers)
