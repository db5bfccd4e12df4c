"""Predictions stop while the price runs away, and only then: one bad tick neither halts nor releases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.kernel_events import MIDNIGHT, SECOND, Event, clock, quote, random_walk, status, trade
from tests.support.kernel_runs import SETTINGS, joined, run, run_cut
from udfs.kernels.advance import Advance
from udfs.kernels.breakers.layout import BREAKERS
from udfs.kernels.events import TradingStatus
from udfs.kernels.outputs import RowFlag

START = MIDNIGHT + 3600 * SECOND
WARM_SECONDS = 400
HOLD_SECONDS = SETTINGS.flash_crash_hold_nanoseconds // SECOND


def tick(second: float, price: float) -> list[Event]:
    """A quote around the price, and a trade at it."""
    time = START + round(second * SECOND)
    return [quote(time, price - 0.01, price + 0.01), trade(time + 1000, price)]


def market(prices: dict[int, float], until: int, crashing_seconds: int = 5) -> list[Event]:
    """Ticks twice a second, a cent of noise around a level; `prices` says from which second on the level is another, reached in steps."""
    events: list[Event] = []
    level = target = 100.0
    for half in range(2 * until):
        target = prices.get(half // 2, target) if half % 2 == 0 else target
        step = max(abs(target - level) / (2 * crashing_seconds), 0.05)
        level += float(np.clip(target - level, -step, step))
        events += tick(half / 2, round(level, 2) + 0.01 * (half % 3))
    return events


def crashed(result: Advance) -> list[float]:
    """Seconds from the start at which a row says so."""
    rows = (result.row_flags & RowFlag.FLASH_CRASH) != 0
    return [float(time - START) / SECOND for time in result.row_event_time[rows]]


def test_the_state_is_as_small_as_agreed() -> None:
    assert BREAKERS.itemsize == 64


@pytest.mark.parametrize("target", [95.0, 106.0])
def test_a_crash_stops_predictions_until_it_has_been_calm(target: float) -> None:
    """Seen while it goes on, held from the last row that was beyond, released by itself."""
    found = crashed(run(market({WARM_SECONDS: target}, WARM_SECONDS + 500)))
    assert WARM_SECONDS < found[0] < WARM_SECONDS + 5
    assert WARM_SECONDS + HOLD_SECONDS < found[-1] < WARM_SECONDS + HOLD_SECONDS + 90
    assert np.diff(found).max() < 1.0


def test_a_calm_market_and_an_ordinary_move_stop_nothing() -> None:
    assert crashed(run(market({}, WARM_SECONDS + 300))) == []
    assert crashed(run(market({WARM_SECONDS: 100.4, WARM_SECONDS + 90: 100.0}, WARM_SECONDS + 300))) == []
    assert crashed(run(random_walk(3, 3000, 400_000_000))) == []


@example(place=1239, factor=0.993, kind=1)
@given(
    place=st.integers(2 * WARM_SECONDS, 2 * WARM_SECONDS + 500),
    factor=st.sampled_from([0.9, 0.985, 0.993, 1.007, 1.02, 3.0]),
    kind=st.integers(0, 2),
)
@settings(max_examples=25, deadline=None)
def test_one_bad_tick_does_not_halt(place: int, factor: float, kind: int) -> None:
    """A trade, a quote, or both, whether or not the firewall lets them through."""
    events = market({}, WARM_SECONDS + 300)
    for at in ([2 * place], [2 * place + 1], [2 * place, 2 * place + 1])[kind]:
        numbers = events[at].numbers
        prices = (0, 2) if len(numbers) == 4 else (0,)
        events[at] = events[at]._replace(numbers=tuple(value * factor if spot in prices else value for spot, value in enumerate(numbers)))
    assert crashed(run(events)) == []


@given(st.integers(10, HOLD_SECONDS - 20), st.sampled_from([0.5, 0.993, 1.05, 1.0526]))
@settings(max_examples=15, deadline=None)
def test_one_tick_does_not_release_nor_prolong(second: int, factor: float) -> None:
    """Also one that comes back to where the price was before the crash."""
    events = market({WARM_SECONDS: 95.0}, WARM_SECONDS + 450)
    plain = crashed(run(events))
    spot = 2 * 2 * (WARM_SECONDS + 75 + second % 200) + 1
    events[spot] = events[spot]._replace(numbers=(events[spot].numbers[0] * factor, *events[spot].numbers[1:]))
    assert crashed(run(events)) == plain


def test_bars_that_a_clock_closes_confirm_nothing() -> None:
    """One trade far away and then silence: the bars of the next seconds tell of the same trade again."""
    events = [event for second in range(WARM_SECONDS) for event in [trade(START + second * SECOND, 100.0 + 0.01 * (second % 3))]]
    last = START + WARM_SECONDS * SECOND
    events += [trade(last, 99.1), *[clock(last + second * SECOND) for second in range(1, 40)]]
    result = run(events)
    assert len(result.row_event_time) >= WARM_SECONDS + 3
    assert crashed(result) == []


def test_trades_alone_tell_a_crash() -> None:
    prices = [100.0 + 0.01 * (second % 3) for second in range(WARM_SECONDS)] + [99.6, 99.2, 98.8, 98.4, 98.0, 97.6, 97.2]
    found = crashed(run([trade(START + second * SECOND, price) for second, price in enumerate(prices)]))
    assert found
    assert found[0] > WARM_SECONDS


@pytest.mark.parametrize("pause", ["silence", "halt"])
def test_a_gap_over_a_pause_is_no_crash_and_a_crash_after_it_is(pause: str) -> None:
    """An opening far from the last close: what spans the pause is not judged; what comes after it is."""
    before, gap = market({}, WARM_SECONDS), 900 if pause == "silence" else 30
    shift = (WARM_SECONDS + gap) * SECOND
    after = [event._replace(event_time=event.event_time + shift) for event in market({100: 90.0}, 110)]
    after = [
        event._replace(numbers=tuple(1.03 * value if spot != 1 else value for spot, value in enumerate(event.numbers))) for event in after
    ]
    last = before[-1].event_time
    middle = [status(last + SECOND, TradingStatus.HALTED), status(START + shift - SECOND, TradingStatus.OPEN)] if pause == "halt" else []
    found = crashed(run([*before, *middle, *after]))
    opened = WARM_SECONDS + gap
    assert found
    assert found[0] > opened + 100


@pytest.mark.parametrize("pause", ["silence", "halt"])
def test_a_pause_after_a_crash_is_no_calm(pause: str) -> None:
    """Neither bars that a clock closes in it, nor quotes while trading is halted, nor what comes right after it."""
    before, opened = market({WARM_SECONDS: 95.0}, WARM_SECONDS + 20), 3700
    after = [event._replace(event_time=event.event_time + opened * SECOND) for event in market({}, HOLD_SECONDS + 100)]
    after = [
        event._replace(numbers=tuple(0.95 * value if spot != 1 else value for spot, value in enumerate(event.numbers))) for event in after
    ]
    quiet = [clock(START + second * SECOND) for second in range(WARM_SECONDS + 30, opened - 10, 10)]
    if pause == "halt":
        quotes = [quote(event.event_time + 1, 94.99, 95.01) for event in quiet]
        quiet = [
            status(START + (WARM_SECONDS + 25) * SECOND, TradingStatus.HALTED),
            *(both for pair in zip(quiet, quotes) for both in pair),
        ]
        quiet.append(status(START + opened * SECOND - 1000, TradingStatus.OPEN))
    result = run([*before, *quiet, *after])
    found = crashed(result)
    rows = result.row_event_time[result.row_event_time >= START + round(found[0] * SECOND)]
    assert (rows > START + 1000 * SECOND).sum() > (rows >= START + opened * SECOND).sum()
    held = rows < START + (opened + HOLD_SECONDS - 1) * SECOND
    assert len(found) >= held.sum()
    assert opened + HOLD_SECONDS - 1 < found[-1] < opened + HOLD_SECONDS + 1


@given(st.lists(st.integers(0, 10_000), max_size=6))
@settings(max_examples=8, deadline=None)
def test_where_frames_are_cut_and_workers_restart_does_not_matter(cuts: list[int]) -> None:
    events = market({WARM_SECONDS: 95.0}, WARM_SECONDS + 20)
    whole = joined([run(events)], [0])
    assert joined(*run_cut(events, cuts)) == whole


def test_rows_on_old_data_say_so() -> None:
    """A feed that froze while the clock goes on, without a book; and an event that came long after it happened."""
    frozen = run(
        [*[trade(START + second * SECOND, 100.0) for second in range(5)], *[clock(START + second * SECOND) for second in range(6, 400)]]
    )
    ages = frozen.row_event_time - (START + 4 * SECOND)
    assert ((frozen.row_flags & RowFlag.STALE) != 0).tolist() == (ages > SETTINGS.stale_book_nanoseconds).tolist()
    assert (ages > SETTINGS.stale_book_nanoseconds).any()
    late = run([trade(START, 100.0), trade(START + SECOND, 100.0)._replace(delay=61 * SECOND), trade(START + 2 * SECOND, 100.0)])
    assert ((late.row_flags & RowFlag.STALE) != 0).tolist() == [False, True, False]
