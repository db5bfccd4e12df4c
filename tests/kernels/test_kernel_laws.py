"""Laws that hold for every feature of the vector, whatever the events are. A new feature is under them without a further line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.kernel_events import Event, believable_streams, columns_of, wild_streams
from tests.support.kernel_runs import SETTINGS, differing_features, joined, run, run_cut, shifted
from udfs.errors import Reason
from udfs.kernels.advance import Advance, advance
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.feature_vector import FEATURE_COUNT, FEATURE_NAMES, FEATURE_SET, MODEL_INPUTS, Feature, feature_set_id
from udfs.kernels.symbol_state import SYMBOL_STATE, new_state

EXAMPLES = settings(max_examples=200, deadline=None)


@EXAMPLES
@given(wild_streams(), st.lists(st.integers(0, 1000), max_size=8))
def test_cuts_and_restarts_change_no_bit(events: list[Event], cuts: list[int]) -> None:
    """The same events in other frames, with the state through bytes in between, give the same verdicts, rows and bars."""
    whole = joined([run(events)], [0])
    parts = joined(*run_cut(events, cuts))
    assert [name for name in whole if whole[name] != parts[name]] == []


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
    in_time = [event for event, verdict in zip(events, whole.verdicts) if verdict != Reason.LATE]
    without = run(in_time)
    assert without.verdicts.tolist() == [verdict for verdict in whole.verdicts.tolist() if verdict != Reason.LATE]
    assert differing_features(whole, without) == []
    assert _unplaced(whole.bars) == _unplaced(without.bars)


def _unplaced(bars: npt.NDArray[np.void]) -> bytes:
    """Bytes of bars but for the event that closed them."""
    return shifted(bars, -bars["event_index"]).tobytes()


@EXAMPLES
@given(wild_streams())
def test_published_lengths_change_no_feature(events: list[Event]) -> None:
    everything, minutes = run(events), run(events, SETTINGS._replace(bar_lengths_seconds=(60,)))
    assert differing_features(everything, minutes) == []
    assert everything.bars[everything.bars["length_seconds"] == 60].tobytes() == minutes.bars.tobytes()


def test_state_is_small_and_has_no_padding() -> None:
    """Its bytes are a function of the events alone, and thousands of symbols fit."""
    assert SYMBOL_STATE.itemsize <= 8192 - 512
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
