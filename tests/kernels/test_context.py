"""What the rest of the market does: the context of a late event brings nothing back."""

from __future__ import annotations

import math

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
