"""A split or dividend in the log leaves every feature as if prices and sizes had been in the new units from the beginning."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.test_scale_laws import PACES, market, scaled
from tests.support.kernel_events import MIDNIGHT, SECOND, Event, clock, columns_of, fact, quote, trade
from tests.support.kernel_runs import run
from udfs.errors import Reason
from udfs.kernels.advance import Advance, KernelSettings, advance
from udfs.kernels.events import FACT_KINDS, EventKind
from udfs.kernels.feature_vector import Feature
from udfs.kernels.symbol_state import new_state


def adjusted(events: list[Event], place: int, numbers: tuple[float, float], price: float, size: float) -> list[Event]:
    """The events from a place on in other units, with the ADJUSTMENT before them. No later event is from before it."""
    time = max(event.event_time for event in events[:place]) + 1
    effective = -(-time // SECOND)
    later = [event for event in events[place:] if event.event_time >= effective * SECOND or event.kind in FACT_KINDS]
    change = fact(EventKind.ADJUSTMENT, effective * SECOND, float(effective), *numbers)
    return [*events[:place], change, *(scaled(event, price, size) for event in later)]


def without_change(events: list[Event], place: int, price: float, size: float) -> list[Event]:
    """The same, all in the new units."""
    changed = adjusted(events, place, (math.nan, math.nan), price, size)
    return [scaled(event, price, size) for event in changed[:place]] + changed[place:]


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 30), st.sampled_from([*PACES, "vendor bars"]), st.integers(1, 390), st.sampled_from((-3, -1, 1, 2)))
def test_after_a_split_all_is_as_if_it_had_always_been(seed: int, pace: str, cut: int, power: int) -> None:
    """To the bit, in rows and bars, but for running totals of rounding: factors are powers of two."""
    events, factor = market(seed, pace), 2.0**power
    place = 1 + cut % (len(events) - 1)
    split = run(adjusted(events, place, (factor, math.nan), 1 / factor, factor))
    always = run(without_change(events, place, 1 / factor, factor))
    assert_same_after(split, always, place, rtol=1e-6)


@pytest.mark.parametrize("pace", [*PACES, "vendor bars"])
@pytest.mark.parametrize("place", [150, 300])
def test_a_dividend_takes_its_share_of_all_earlier_prices(pace: str, place: int) -> None:
    events = market(2, pace)[:400]
    place = min(place, len(events) - 1)
    before = run(events[:place])
    last = float(before.row_values[-1, Feature.LAST_PRICE]) if pace == "vendor bars" else _mark(events[:place])
    cash = last / 64
    changed = adjusted(events, place, (math.nan, cash), 1 - cash / last, 1.0)
    always = without_change(events, place, 1 - cash / last, 1.0)
    assert_same_after(run(changed), run(always), place, rtol=1e-4)


def _mark(events: list[Event]) -> float:
    state = new_state()
    advance(state, columns_of(events), KernelSettings())
    return float(state["mark_price"][0])


def assert_same_after(one: Advance, other: Advance, place: int, rtol: float) -> None:
    """Verdicts everywhere, rows and bars from a place on."""
    assert one.verdicts.tolist() == other.verdicts.tolist()
    assert one.row_event_index.tolist() == other.row_event_index.tolist()
    later = one.row_event_index >= place
    differ = (one.row_valid != other.row_valid)[later].any(axis=0)
    assert [feature.name for feature in Feature if differ[feature]] == []
    for feature in Feature:
        left, right = one.row_values[later, feature], other.row_values[later, feature]
        np.testing.assert_allclose(left, right, rtol=rtol, atol=1e-6, err_msg=feature.name)
    for name in ("open", "high", "low", "close", "volume", "notional", "signed_volume"):
        np.testing.assert_allclose(
            one.bars[name][one.bars["event_index"] >= place], other.bars[name][other.bars["event_index"] >= place], rtol=rtol, err_msg=name
        )


def split_now(time: int, factor: float) -> Event:
    return fact(EventKind.ADJUSTMENT, time, time / SECOND, factor)


def quiet_minute(price: float, begin: int) -> list[Event]:
    times = range(begin, begin + 40 * SECOND, SECOND)
    return [event for time in times for event in (trade(time, price), quote(time, price * 0.999, price * 1.001))]


def test_a_split_is_no_price_jump_and_is_one_without_being_told() -> None:
    old, later = quiet_minute(100.0, MIDNIGHT), quiet_minute(25.0, MIDNIGHT + 60 * SECOND)
    told = run([*old, split_now(MIDNIGHT + 60 * SECOND, 4.0), *later])
    assert set(told.verdicts.tolist()) == {0}
    assert Reason.PRICE_JUMP in run([*old, *later]).verdicts.tolist()


def test_a_clock_before_a_split_does_not_lose_it() -> None:
    """One that closes the last bar at the very second from which prices are in the new units, or a later one."""
    old, later = quiet_minute(100.0, MIDNIGHT), quiet_minute(25.0, MIDNIGHT + 120 * SECOND)
    for second in (60, 90):
        told = run(
            [*old, clock(MIDNIGHT + second * SECOND), fact(EventKind.ADJUSTMENT, later[0].event_time, MIDNIGHT / SECOND + 60, 4.0), *later]
        )
        assert set(told.verdicts.tolist()) == {0}


def test_an_adjustment_is_taken_once_and_never_after_its_time() -> None:
    """The gateway may say it again; and what came too late must not spoil what is in the new units already."""
    old, later = quiet_minute(100.0, MIDNIGHT), quiet_minute(50.0, MIDNIGHT + 60 * SECOND)
    change = split_now(MIDNIGHT + 60 * SECOND, 2.0)
    once = run([*old, change, *later])
    again = run([*old, change, change, *later, change])
    assert once.row_values.tobytes() == again.row_values.tobytes()
    assert again.verdicts.tolist() == [0] * len(again.verdicts)


def test_nothing_is_changed_where_nothing_is_known() -> None:
    first = run([split_now(MIDNIGHT, 2.0), *quiet_minute(100.0, MIDNIGHT)])
    assert first.row_values.tobytes() == run(quiet_minute(100.0, MIDNIGHT)).row_values.tobytes()
