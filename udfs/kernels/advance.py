"""The one call that moves a symbol forward: events in; verdicts, feature rows and closed bars out."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from udfs.kernels.event_loop import compiled_event_loop
from udfs.kernels.events import FrameColumns
from udfs.kernels.kernel_settings import KernelSettings, compiled_settings
from udfs.kernels.outputs import BAR, ROW
from udfs.kernels.symbol_state import SymbolState
from udfs.kernels.work_area import scratch_outputs

__all__ = ["Advance", "KernelSettings", "advance", "warm_up"]

_SCRATCH_EVENTS: Final = 256
"""Frames up to this length share one scratch per thread; longer ones get their own."""


class Advance(NamedTuple):
    """What happened to the events of one frame (n events, r rows, b bars, F features). Rows and bars are read-only."""

    verdicts: npt.NDArray[np.uint8]
    """(n,) `udfs.errors.Reason` of each event; 0 is accepted."""
    row_values: npt.NDArray[np.float32]
    """(r, F) in the order of `feature_vector.Feature`; NaN where not valid."""
    row_valid: npt.NDArray[np.bool_]
    """(r, F) false while warming up, missing or stale."""
    row_event_index: npt.NDArray[np.int32]
    """(r,) which event of the frame the row follows."""
    row_event_time: npt.NDArray[np.int64]
    """(r,) the symbol's clock: what the windows of the row end at."""
    row_available_time: npt.NDArray[np.int64]
    """(r,) greatest available time of the events used so far."""
    row_event_number: npt.NDArray[np.int64]
    """(r,) how many of the symbol's events had been accepted, this one included; unique per row."""
    row_bar_closed: npt.NDArray[np.bool_]
    """(r,) true when the event closed a bar, false when the row is there because the row interval had passed."""
    row_price: npt.NDArray[np.float64]
    """(r,) mid price, or the price in force where there is no usable book; NaN while there is neither."""
    row_flags: npt.NDArray[np.uint8]
    """(r,) `outputs.RowFlag` bits."""
    bars: npt.NDArray[np.void]
    """(b,) of `outputs.BAR`, in the order they closed."""

    @property
    def is_quiet(self) -> bool:
        """Whether every event was accepted and nothing came of them: most frames, and so worth asking first."""
        nothing_made = self.row_values is _NO_ROWS[0] and self.bars is _NO_BARS
        return nothing_made and self.verdicts is _accepted(len(self.verdicts))


RowFields: TypeAlias = tuple[
    npt.NDArray[np.float32],
    npt.NDArray[np.bool_],
    npt.NDArray[np.int32],
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
    npt.NDArray[np.bool_],
    npt.NDArray[np.float64],
    npt.NDArray[np.uint8],
]


class _Workspace(threading.local):
    """Buffers of one thread, made once. The loop releases the GIL, so threads must not share them."""

    def __init__(self) -> None:
        self.loop = compiled_event_loop()
        self.scratch = scratch_outputs(_SCRATCH_EVENTS)
        self.settings: KernelSettings | None = None
        self.compiled_settings = compiled_settings(KernelSettings())

    def use(self, settings: KernelSettings) -> npt.NDArray[np.void]:
        """Settings as the loop wants them; checked when they change."""
        if settings is not self.settings:
            self.compiled_settings, self.settings = compiled_settings(settings), settings
        return self.compiled_settings


_WORKSPACE: list[_Workspace] = []


def warm_up() -> None:
    """Compile the kernels or load them from the disk cache now, rather than at the first event. Call it when a worker opens."""
    _workspace()


def _workspace() -> _Workspace:
    if not _WORKSPACE:
        _WORKSPACE.append(_Workspace())
    return _WORKSPACE[0]


def advance(state: SymbolState, columns: FrameColumns, settings: KernelSettings, events: int | None = None) -> Advance:
    """Take the events of one frame in log order. Changes `state`, an array (1,) of `symbol_state.SYMBOL_STATE`, in place.

    The result does not depend on how the log is cut into frames, nor on the state having been written out and read back in between.
    Columns may be read-only, and longer than `events` where they are room that is used again. Columns of unequal length, or an event
    without its payload, are rejected with COLUMN_LENGTH.
    """
    workspace = _WORKSPACE[0] if _WORKSPACE else _workspace()
    if events is None:
        events = len(columns.kind)
    scratch = workspace.scratch if events <= _SCRATCH_EVENTS else scratch_outputs(events)
    verdicts, rows, bars, work, row_bytes, bar_bytes = scratch
    counts = workspace.loop(state, events, *columns, workspace.use(settings), verdicts, rows, bars, work)
    row_count, bar_count, rejected = counts
    # Copies: the buffers belong to the next call.
    row_fields = _row_fields(np.frombuffer(bytes(row_bytes[: row_count * ROW.itemsize]), ROW)) if row_count else _NO_ROWS
    closed_bars = np.frombuffer(bytes(bar_bytes[: bar_count * BAR.itemsize]), BAR) if bar_count else _NO_BARS
    return Advance(verdicts[:events].copy() if rejected else _accepted(events), *row_fields, closed_bars)


def _row_fields(rows: npt.NDArray[np.void]) -> RowFields:
    """Fields of rows in the order that Advance has them."""
    values, valid = rows["values"], rows["valid"].view(np.bool_)
    times = rows["event_index"], rows["event_time"], rows["available_time"], rows["event_number"]
    return values, valid, *times, rows["bar_closed"], rows["price"], rows["flags"]


@lru_cache(maxsize=_SCRATCH_EVENTS)
def _accepted(events: int) -> npt.NDArray[np.uint8]:
    """(events,) read-only verdicts of a frame whose events were all accepted."""
    return np.frombuffer(bytes(events), np.uint8)


_NO_ROWS: Final = _row_fields(np.zeros(0, ROW))
_NO_BARS: Final = np.zeros(0, BAR)
