"""The loop over the events of a frame, and its one compiled entry."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numba
import numpy as np
from numba import types

from udfs.errors import Reason
from udfs.kernels.bars import CLOSED_COUNT
from udfs.kernels.compiled import OPTIONS, kernel, source_number
from udfs.kernels.event_application import CLOCK, STATUS, apply_event, quarantine, verdict_of
from udfs.kernels.events import FrameColumns
from udfs.kernels.firewall import ACCEPTED
from udfs.kernels.kernel_settings import COMPILED_SETTINGS
from udfs.kernels.outputs import BAR, ROW
from udfs.kernels.row_features import fill_row
from udfs.kernels.symbol_state import SYMBOL_STATE, Record

ROW_COUNT: Final = 2
"""Place in `counts` of the number of rows written so far."""
_CURSORS: Final = 8
"""First place in `counts` of the numbers of events of each kind met so far."""
COUNTS_LENGTH: Final = _CURSORS + 256
_COLUMN_LENGTH: Final = int(Reason.COLUMN_LENGTH)


@kernel
def _lengths_agree(columns: FrameColumns) -> bool:
    count = columns.kind.shape[0]
    times_agree = columns.event_time.shape[0] == count and columns.available_time.shape[0] == count
    return times_agree and columns.flags.shape[0] == count and columns.sequence.shape[0] == count


@kernel
def _row_is_due(state: Record, settings: Record, kind: int, bar_closed: bool) -> bool:
    """No row before there is a price. A CLOCK or STATUS has a row only when it closed a bar."""
    if state.first_price_time == 0:
        return False
    time_is_due = state.clock - state.last_row_time >= settings.row_interval_nanoseconds
    return bar_closed or (time_is_due and kind != CLOCK and kind != STATUS)


@kernel
def _take_event(
    state: Record, settings: Record, columns: FrameColumns, index: int, rows: Record, bars: Record, counts: Record, values: Record
) -> int:
    kind = int(columns.kind[index])
    place = counts[_CURSORS + kind]
    counts[_CURSORS + kind] += 1
    verdict = verdict_of(state, settings, columns, index, place)
    if verdict != ACCEPTED:
        state.rejected += 1
        quarantine(state, kind, columns.event_time[index], verdict)
        return verdict
    closed_before = counts[CLOSED_COUNT]
    apply_event(state, settings, columns, index, place, bars, counts)
    bar_closed = counts[CLOSED_COUNT] > closed_before
    if kind == CLOCK and bar_closed:
        state.event_number += 1
    if _row_is_due(state, settings, kind, bar_closed):
        state.last_row_time = state.clock
        fill_row(rows[counts[ROW_COUNT]], values, state, settings, index, bar_closed)
        counts[ROW_COUNT] += 1
    return ACCEPTED


def _readonly(scalar: Any, dimensions: int) -> Any:
    return types.Array(scalar, dimensions, "C", readonly=True)


def _signature() -> tuple[Any, ...]:
    """Read-only columns: what lies over received bytes is, and what is not can be read too."""
    state = numba.from_dtype(SYMBOL_STATE)[::1]
    head = [_readonly(types.uint8, 1)] * 2 + [_readonly(types.int64, 1)] * 3
    payloads = [_readonly(types.float64, 2), _readonly(types.int8, 1), _readonly(types.float64, 2), _readonly(types.float64, 3)]
    payloads += [_readonly(types.float64, 2), _readonly(types.uint8, 1)]
    outputs = [types.uint8[::1], numba.from_dtype(ROW)[::1], numba.from_dtype(BAR)[::1], types.int64[::1], types.float64[::1]]
    return (state, *head, *payloads, numba.from_dtype(COMPILED_SETTINGS)[::1], *outputs)


@cache
def compiled_event_loop() -> Callable[..., None]:
    """Compile the loop, or load it from the disk cache. Once a process; seconds when compiled, milliseconds when loaded."""
    sources = source_number(module for name, module in sorted(sys.modules.items()) if name.startswith("udfs."))

    @numba.njit(cache=True, **OPTIONS)
    def take_events(
        state, kind, flags, event_time, available_time, sequence, trades, trade_sides, quotes, books, bars, statuses,
        settings, verdicts, out_rows, out_bars, counts, values
    ):  # type: ignore[no-untyped-def]  # fmt: skip
        columns = FrameColumns(kind, flags, event_time, available_time, sequence, trades, trade_sides, quotes, books, bars, statuses)
        counts[:] = 0
        agree = sources > 0 and _lengths_agree(columns)
        for index in range(kind.shape[0]):
            verdict = _COLUMN_LENGTH
            if agree:
                verdict = _take_event(state[0], settings[0], columns, index, out_rows, out_bars, counts, values)
            verdicts[index] = verdict

    take_events.compile(_signature())
    take_events.disable_compile()
    return take_events


def scratch_outputs(events: int) -> tuple[np.ndarray, ...]:
    """Room for the results of a frame of so many events: verdicts, rows, bars, counts, values."""
    from udfs.kernels.feature_vector import FEATURE_COUNT

    # A second closes once, and each level above has at most one open bar besides those that the frame's own seconds fill.
    bars = 4 * (events + 16)
    return np.zeros(events, np.uint8), np.zeros(events, ROW), np.zeros(bars, BAR), np.zeros(COUNTS_LENGTH, np.int64), np.zeros(FEATURE_COUNT)
