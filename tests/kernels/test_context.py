"""What the rest of the market does: the context of a late event brings nothing back."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.support.kernel_events import MIDNIGHT, SECOND, Event, fact, trade
from tests.support.kernel_runs import run
from udfs.kernels.events import EventKind
from udfs.kernels.feature_vector import Feature


def context(time: int, vix: float) -> Event:
    return fact(EventKind.CONTEXT, time, 0.001, 0.002, 0.003, 0.004, 0.005, 0.5, vix, 4.0)


def test_the_context_of_a_late_event_does_not_begin_the_session_anew() -> None:
    """Events around midnight come out of order: the one of the day before tells the newest values, and the first ones stay."""
    after, before = MIDNIGHT + SECOND // 2, MIDNIGHT - SECOND // 2
    log = [context(after, 20.0), trade(after, 100.0), context(before, 30.0), trade(before, 100.0)]
    result = run([*log, context(after + 2 * SECOND, 25.0), trade(after + 2 * SECOND, 100.0)])
    assert set(result.verdicts.tolist()) == {0}
    assert result.row_values[-1, Feature.VIX_CHANGE] == pytest.approx(math.log(25 / 20), rel=1e-6)


def test_the_context_of_a_late_event_is_as_fresh_as_the_one_before_it() -> None:
    time = MIDNIGHT + 3600 * SECOND
    log = [context(time, 20.0), trade(time, 100.0), context(time - 59 * SECOND, 21.0), trade(time + 5 * SECOND, 100.0)]
    assert run(log).row_values[-1, Feature.VIX_LEVEL] == 21.0


def minutes(start: int, moves: list[float], prices: list[float]) -> list[Event]:
    """Of each minute the return of the index at its end, and the price of the symbol, which lasts from 5 s before until then."""
    times = [start + 60 * place * SECOND for place in range(len(moves))]
    rows = zip(times, moves, prices, strict=True)
    return [event for time, move, price in rows for event in (trade(time - 5 * SECOND, price), index(time, move), trade(time, price))]


def prices_of(moves: list[float], start: float = 100.0) -> list[float]:
    return list(map(float, start * np.exp(np.cumsum(moves))))


def moves_of(seed: int, count: int, size: float) -> list[float]:
    return list(map(float, size * np.random.default_rng(seed).normal(size=count)))


def index(time: int, move: float) -> Event:
    return fact(EventKind.CONTEXT, time, 0.0, move)


def last_beta(events: list[Event]) -> float:
    return float(run(events).row_values[-1, Feature.BETA])


@pytest.mark.parametrize("minute", [3, 40])
@pytest.mark.parametrize("factor", [0.5, 0.9, 1.01, 1.1, 2.0])
def test_a_misprint_of_the_index_does_not_move_the_beta(minute: int, factor: float) -> None:
    """Of a symbol with beta 2. Neither while it warms up nor later; both returns are left out, there and back."""
    sound = moves_of(5, 60, 3e-4)
    spoilt, prices = sound.copy(), prices_of([2 * move for move in sound])
    spoilt[minute] += math.log(factor)
    spoilt[minute + 1] -= math.log(factor)
    assert last_beta(minutes(MIDNIGHT, sound, prices)) == pytest.approx(2, rel=1e-3)
    assert last_beta(minutes(MIDNIGHT, spoilt, prices)) == pytest.approx(2, rel=1e-3)


def test_an_index_that_has_become_wild_counts_again() -> None:
    """Thirty times as wild, and turned round: within two hours, for what is left out teaches how wild it is."""
    calm, wild = moves_of(5, 60, 3e-4), moves_of(6, 120, 9e-3)
    prices = prices_of([*(2 * move for move in calm), *(-move for move in wild)])
    assert last_beta(minutes(MIDNIGHT, [*calm, *wild], prices)) == pytest.approx(-1, rel=0.05)
