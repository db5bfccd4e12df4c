"""A model that says the same of everything is held back after three windows, and let go when it says something else for long enough."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.kernel_events import MIDNIGHT, SECOND
from udfs.kernels.breakers.one_sided import count_direction
from udfs.kernels.symbol_state import SYMBOL_STATE, SymbolState, new_state

WINDOW = 600 * SECOND
STEP = SECOND
MODEL = 0xDEADBEEF


def told(directions: list[int], state: SymbolState | None = None, model: int = MODEL, start: int = MIDNIGHT) -> list[bool]:
    """Whether the breaker is open after each direction, told once a second."""
    state = new_state() if state is None else state
    return [count_direction(state, direction, start + place * STEP, model, WINDOW) for place, direction in enumerate(directions)]


def test_only_one_direction_for_three_windows_opens_it() -> None:
    for direction in (1, -1):
        found = told([direction] * 2400)
        assert 1780 < found.index(True) < 1820
        assert all(found[found.index(True) :])


def test_a_mix_or_doubt_never_opens_it() -> None:
    assert not any(told([1] * 9 + [0] + [1, 1, 1, -1] * 1500))
    assert not any(told([1, 1, 1, 1, 1, 1, 1, 1, 1, 0] * 600))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2300), st.sampled_from([-1, 0]))
def test_one_signal_neither_opens_nor_closes_it(place: int, other: int) -> None:
    """Law: one signal more or less moves the moment by less than a minute, and opens it only once."""
    changed = told([1] * place + [other] + [1] * (2399 - place))
    assert abs(changed.index(True) - told([1] * 2400).index(True)) <= 45
    assert sum(before != after for before, after in pairwise(changed)) == 1


def test_it_closes_when_the_mean_is_back() -> None:
    found = told([1] * 2400 + [-1] * 120)
    closed = found.index(False, 2400)
    assert 2400 + 30 < closed < 2400 + 90
    assert not any(found[closed:])


def test_another_model_starts_anew() -> None:
    state = new_state()
    assert told([1] * 2400, state)[-1]
    assert not told([1], state, MODEL + 1, MIDNIGHT + 2400 * STEP)[0]
    assert not any(told([1] * 1700, state, MODEL + 1, MIDNIGHT + 2401 * STEP))


def test_a_pause_counts_for_little() -> None:
    """Two signals a week apart are no week of one opinion."""
    state = new_state()
    day = 86_400 * SECOND
    assert not any(count_direction(state, 1, MIDNIGHT + place * day, MODEL, WINDOW) for place in range(20))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.integers(-5 * SECOND, 400 * SECOND)), max_size=60))
def test_it_touches_nothing_else_and_survives_being_written_out(steps: list[tuple[int, int]]) -> None:
    state, other, time = new_state(), new_state(), MIDNIGHT
    for direction, step in steps:
        time += step
        written = state.tobytes()
        assert count_direction(state, direction, time, MODEL, WINDOW) == count_direction(other, direction, time, MODEL, WINDOW)
        assert count_direction(restored(written), direction, time, MODEL, WINDOW) == (state["breakers"]["one_sided"][0] == 1)
        other = restored(other.tobytes())
    assert state.tobytes() == other.tobytes()
    assert -1 <= state["breakers"]["direction_mean"][0] <= 1
    fresh = new_state()
    for name in ("direction_mean", "direction_time", "direction_model", "one_sided"):
        state["breakers"][name] = fresh["breakers"][name]
    assert state.tobytes() == fresh.tobytes()


def restored(data: bytes) -> SymbolState:
    return np.frombuffer(bytearray(data), SYMBOL_STATE)


def test_a_window_of_nothing_turns_it_off() -> None:
    state = new_state()
    assert not any(count_direction(state, 1, MIDNIGHT + place * SECOND, MODEL, 0) for place in range(5000))
    assert state.tobytes() == new_state().tobytes()
