"""The loop over the events of a frame, and its one compiled entry."""

# mypy: no-warn-return-any
from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numba
from numba import types

from udfs.errors import Reason
from udfs.kernels.compiled import OPTIONS, kernel, source_number
from udfs.kernels.event_application import apply_event, quarantine, verdict_of
from udfs.kernels.events import FrameColumns
from udfs.kernels.firewall import ACCEPTED
from udfs.kernels.kernel_settings import COMPILED_SETTINGS
from udfs.kernels.outputs import BAR, ROW, RowFlag
from udfs.kernels.row_features import fill_row
from udfs.kernels.symbol_state import SYMBOL_STATE, Record
from udfs.kernels.work_area import CLOCK, STATUS, WORK, begin, heads_agree, read_event

_COLUMN_LENGTH: Final = int(Reason.COLUMN_LENGTH)
_STALE: Final = int(RowFlag.STALE)


@kernel
def _row_is_due(state: Record, settings: Record, kind: int, bar_closed: bool) -> bool:
    """No row before there is a price. Only what comes from the market has one without closing a bar."""
    if state.first_price_time == 0:
        return False
    time_is_due = state.clock - state.last_row_time >= settings.row_interval_nanoseconds
    return bar_closed or (time_is_due and kind < STATUS)


@kernel
def _take_event(state: Record, settings: Record, work: Record, rows: Record, bars: Record) -> int:
    event = work.event
    verdict = verdict_of(state, settings, event)
    if verdict != ACCEPTED:
        quarantine(state, event, verdict)
        return verdict
    closed_before = work.bars_closed
    apply_event(state, settings, event, work, bars)
    bar_closed = work.bars_closed > closed_before
    if event.kind == CLOCK and bar_closed:
        state.event_number += 1
    if _row_is_due(state, settings, event.kind, bar_closed):
        state.last_row_time = state.clock
        row = rows[work.rows]
        fill_row(row, work.values, state, settings, event.index, bar_closed)
        if event.kind != CLOCK and event.available_time - event.event_time > settings.stale_book_nanoseconds:
            row.flags |= _STALE
        work.rows += 1
    return ACCEPTED


def _readonly(scalar: Any, dimensions: int) -> Any:
    return types.Array(scalar, dimensions, "C", readonly=True)


def _signature() -> tuple[Any, ...]:
    """Read-only columns: what lies over received bytes is, and what is not can be read too."""
    head = [_readonly(types.uint8, 1)] * 2 + [_readonly(types.int64, 1)] * 3
    payloads = [_readonly(types.float64, 2), _readonly(types.int8, 1), _readonly(types.float64, 2), _readonly(types.float64, 3)]
    payloads += [_readonly(types.float64, 2), _readonly(types.uint8, 1), _readonly(types.float64, 2)]
    state, settings, rows, bars, work = (numba.from_dtype(dtype)[::1] for dtype in (SYMBOL_STATE, COMPILED_SETTINGS, ROW, BAR, WORK))
    return (state, types.int64, *head, *payloads, settings, types.uint8[::1], rows, bars, work)


@cache
def compiled_event_loop() -> Callable[..., tuple[int, int, int]]:
    """Compile the loop, or load it from the disk cache. Once a process; seconds when compiled, milliseconds when loaded.

    It takes the first `events` events of the columns and gives the numbers of rows, bars and rejected events.
    """
    sources = source_number(__name__)

    @numba.njit(cache=True, **OPTIONS)
    def take_events(  # type: ignore[no-untyped-def]
        state, events, kind, flags, event_time, available_time, sequence, trades, trade_sides, quotes, books, bars, statuses, facts,
        settings, verdicts, out_rows, out_bars, work
    ):  # fmt: skip
        columns = FrameColumns(kind, flags, event_time, available_time, sequence, trades, trade_sides, quotes, books, bars, statuses, facts)
        begin(work[0])
        agree = sources > 0 and heads_agree(columns)
        rejected = 0
        for index in range(events):
            verdict = read_event(work[0], columns, index) if agree else _COLUMN_LENGTH
            if verdict == ACCEPTED:
                verdict = _take_event(state[0], settings[0], work[0], out_rows, out_bars)
            rejected += verdict != ACCEPTED
            verdicts[index] = verdict
        state[0].rejected += rejected
        return work[0].rows, work[0].bars, rejected

    take_events.compile(_signature())
    take_events.disable_compile()
    return take_events
