"""The kernels against the slow symbol, after every event of random streams."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings

from tests.support.kernel_events import Event, believable_streams, columns_of
from tests.support.kernel_oracles import OracleBar, SlowSymbol
from udfs.errors import Reason
from udfs.kernels.advance import Advance, KernelSettings, advance
from udfs.kernels.events import NANOSECONDS_PER_SECOND, EventKind
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.kernels.symbol_state import new_state

SETTINGS = KernelSettings()


@settings(max_examples=60, deadline=None)
@given(believable_streams(60))
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
        due = slow.clock - last_row >= SETTINGS.row_interval_nanoseconds and event.kind != EventKind.CLOCK
        expect_row = accepted and bool(slow.prints) and (bool(closed) or due)
        assert len(result.row_values) == expect_row
        if expect_row:
            last_row = slow.clock
            assert result.row_event_time.tolist() == [slow.clock]
            assert result.row_bar_closed.tolist() == [bool(closed)]
            _assert_features(result, slow.features())


def _assert_bars(result: Advance, expected: list[OracleBar]) -> None:
    ends = result.bars["start_time"] + result.bars["length_seconds"] * NANOSECONDS_PER_SECOND
    assert list(zip(ends.tolist(), result.bars["length_seconds"].tolist(), strict=True)) == [bar[:2] for bar in expected]
    for name in OracleBar._fields[2:]:
        np.testing.assert_allclose(result.bars[name], [getattr(bar, name) for bar in expected], rtol=1e-12, err_msg=name)


def _assert_features(result: Advance, expected: dict[str, float]) -> None:
    found = dict(zip(FEATURE_NAMES, result.row_values[0].tolist(), strict=True))
    wrong = {name: (found[name], value) for name, value in expected.items() if not _is_close(found[name], value)}
    assert not wrong
    assert result.row_valid[0].tolist() == [not math.isnan(expected[name]) for name in FEATURE_NAMES]


def _is_close(found: float, expected: float) -> bool:
    return (math.isnan(found) and math.isnan(expected)) or math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9)
