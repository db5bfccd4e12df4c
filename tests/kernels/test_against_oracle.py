"""The kernels against the slow symbol, after every event of random streams."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings

from tests.support.kernel_events import SECOND, Event, believable_streams, columns_of, random_walk, spoilt
from tests.support.kernel_oracles import SlowSymbol
from tests.support.oracle_parts import OracleBar
from udfs.errors import Reason
from udfs.kernels.advance import Advance, KernelSettings, advance
from udfs.kernels.events import NANOSECONDS_PER_SECOND, EventKind
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.kernels.symbol_state import new_state

SETTINGS = KernelSettings()


@settings(max_examples=50, deadline=None)
@given(believable_streams(40))
def test_equals_the_slow_symbol_after_every_event(events: list[Event]) -> None:
    """Verdicts, rows with every feature, and bars of all lengths."""
    slow, state, known_bars, last_row = SlowSymbol(SETTINGS), new_state(), 0, 0
    for event in events:
        accepted = slow.take(event)
        result = advance(state, columns_of([event]), SETTINGS)
        assert (result.verdicts[0] == Reason.ACCEPTED) == accepted
        bars = slow.bars() if accepted else []
        closed = bars[known_bars:]
        _assert_bars(result, closed)
        known_bars += len(closed)
        due = slow.clock - last_row >= SETTINGS.row_interval_nanoseconds and event.kind < EventKind.STATUS
        expect_row = accepted and bool(slow.prints) and (bool(closed) or due)
        assert len(result.row_values) == expect_row
        if expect_row:
            last_row = slow.clock
            assert result.row_event_time.tolist() == [slow.clock]
            assert result.row_bar_closed.tolist() == [bool(closed)]
            _assert_features(result, 0, slow.features())
            slow.pairs.note_row(slow)


PACES = {"50 ms": 50_000_000, "1 s": SECOND, "15 s": 15 * SECOND, "2 min": 120 * SECOND, "20 min": 1200 * SECOND}


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_slow_symbol_when_windows_are_full(pace: str, seed: int) -> None:
    """Every bar, and every feature at every 20th row."""
    events = random_walk(seed, 400, PACES[pace])
    result = advance(new_state(), columns_of(events), SETTINGS)
    slow, checked = SlowSymbol(SETTINGS), range(seed, len(result.row_values), 20)
    rows, every = dict(zip(result.row_event_index[checked].tolist(), checked, strict=True)), set(result.row_event_index.tolist())
    for index, event in enumerate(events):
        assert slow.take(event) == (result.verdicts[index] == Reason.ACCEPTED)
        if index in rows:
            _assert_features(result, rows[index], slow.features())
        if index in every:
            slow.pairs.note_row(slow)
    _assert_bars(result, slow.bars())


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("seed", range(3))
def test_equals_the_slow_symbol_when_some_events_cannot_be_believed(pace: str, seed: int) -> None:
    """The same with prices that jump, alone or for good, quotes that stand still, and books that stay locked."""
    events = spoilt(random_walk(seed, 300, PACES[pace]), seed)
    result = advance(new_state(), columns_of(events), SETTINGS._replace(row_interval_nanoseconds=0))
    slow, row_of = SlowSymbol(SETTINGS), {int(index): row for row, index in enumerate(result.row_event_index)}
    for index, event in enumerate(events):
        assert slow.take(event) == (result.verdicts[index] == Reason.ACCEPTED)
        if index in row_of and index % 10 == seed:
            _assert_features(result, row_of[index], slow.features())
        if index in row_of:
            slow.pairs.note_row(slow)
    _assert_bars(result, slow.bars())


def test_spoilt_streams_have_everything_that_is_not_believed() -> None:
    """So the comparison above means something."""
    streams = [spoilt(random_walk(seed, 300, pace), seed) for pace in PACES.values() for seed in range(3)]
    found = {Reason(int(verdict)) for events in streams for verdict in advance(new_state(), columns_of(events), SETTINGS).verdicts}
    assert found == {Reason.ACCEPTED, Reason.LATE, Reason.PRICE_JUMP, Reason.FROZEN_QUOTE, Reason.LOCKED_BOOK}


def test_the_streams_fill_every_window() -> None:
    """Each feature is valid somewhere in them, so the comparison above means something."""
    valid = [advance(new_state(), columns_of(random_walk(0, 400, pace)), SETTINGS).row_valid.any(axis=0) for pace in PACES.values()]
    assert [name for name, filled in zip(FEATURE_NAMES, np.any(valid, axis=0), strict=True) if not filled] == []


def _assert_bars(result: Advance, expected: list[OracleBar]) -> None:
    ends = result.bars["start_time"] + result.bars["length_seconds"] * NANOSECONDS_PER_SECOND
    assert list(zip(ends.tolist(), result.bars["length_seconds"].tolist(), strict=True)) == [bar[:2] for bar in expected]
    for name in OracleBar._fields[2:]:
        np.testing.assert_allclose(result.bars[name], [getattr(bar, name) for bar in expected], rtol=1e-12, err_msg=name)


def _assert_features(result: Advance, row: int, expected: dict[str, float]) -> None:
    found = dict(zip(FEATURE_NAMES, result.row_values[row].tolist(), strict=True))
    wrong = {name: (found[name], value) for name, value in expected.items() if not _is_close(found[name], value)}
    assert not wrong
    assert result.row_valid[row].tolist() == [not math.isnan(expected[name]) for name in FEATURE_NAMES]


def _is_close(found: float, expected: float) -> bool:
    return (math.isnan(found) and math.isnan(expected)) or math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9)
