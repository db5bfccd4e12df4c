"""Nothing looks ahead: the log may end anywhere, and what was said before stays. And the law does catch who peeks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.support.kernel_events import Event, believable_streams, wild_streams
from tests.support.kernel_runs import Run, assert_nothing_looks_ahead, run
from udfs.kernels.advance import Advance
from udfs.kernels.feature_vector import Feature


@settings(max_examples=200, deadline=None)
@given(wild_streams(), st.integers(0, 1000))
def test_what_comes_later_changes_nothing_before(events: list[Event], cut: int) -> None:
    """Rows and bars up to an event are the same when the log ends there."""
    assert_nothing_looks_ahead(run, events, cut % len(events) + 1)


def with_the_next_price(events: list[Event]) -> Advance:
    """Peeks: the return of a second is the one that the next row will have."""
    result, place = run(events), Feature.RETURN_1_SECOND
    values = result.row_values.copy()
    values[:-1, place] = result.row_values[1:, place]
    return result._replace(row_values=values, row_valid=np.isfinite(values))


def with_the_range_of_the_whole_log(events: list[Event]) -> Advance:
    """Peeks: the distance to the day's high knows the highest price there will ever be."""
    result, place = run(events), Feature.DAY_HIGH_DISTANCE
    values = result.row_values.copy()
    highest = np.nanmax(result.row_price) if len(values) else np.nan
    values[:, place] = np.log(result.row_price / highest)
    return result._replace(row_values=values, row_valid=np.isfinite(values))


def with_bars_before_they_close(events: list[Event]) -> Advance:
    """Peeks: the number of trades of a minute counts those that are still to come in it."""
    result, place = run(events), Feature.TRADE_COUNT_1_MINUTE
    values, minutes = result.row_values.copy(), result.row_event_time // 60_000_000_000
    values[:, place] = [(minutes == minute).sum() for minute in minutes]
    return result._replace(row_values=values, row_valid=np.isfinite(values))


@pytest.mark.parametrize("planted", [with_the_next_price, with_the_range_of_the_whole_log, with_bars_before_they_close])
def test_a_feature_that_peeks_is_caught(planted: Run) -> None:
    @settings(max_examples=200, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(believable_streams(), st.integers(0, 1000))
    def law(events: list[Event], cut: int) -> None:
        assert_nothing_looks_ahead(planted, events, cut % len(events) + 1)

    with pytest.raises(AssertionError):
        law()
