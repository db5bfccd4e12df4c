"""What the loop over events works with besides the symbol's state: the event at hand, counters, scratch."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.errors import Reason
from udfs.kernels.compiled import kernel
from udfs.kernels.events import BOOK_DEPTH, FACT_NUMBERS, EventKind, FrameColumns
from udfs.kernels.feature_vector import FEATURE_COUNT
from udfs.kernels.outputs import BAR, ROW
from udfs.kernels.symbol_state import Record

TRADE: Final = int(EventKind.TRADE)
QUOTE: Final = int(EventKind.QUOTE)
BOOK: Final = int(EventKind.BOOK)
VENDOR_BAR: Final = int(EventKind.BAR)
STATUS: Final = int(EventKind.STATUS)
CLOCK: Final = int(EventKind.CLOCK)
CONTEXT: Final = int(EventKind.CONTEXT)
NEWS: Final = int(EventKind.NEWS)
REFERENCE: Final = int(EventKind.REFERENCE)
SESSION: Final = int(EventKind.SESSION)
ADJUSTMENT: Final = int(EventKind.ADJUSTMENT)
_COLUMN_LENGTH: Final = int(Reason.COLUMN_LENGTH)
_UNKNOWN_KIND: Final = int(Reason.UNKNOWN_KIND)
_ACCEPTED: Final = int(Reason.ACCEPTED)

EVENT: Final = np.dtype(
    [
        ("index", "i8"),
        ("kind", "i8"),
        ("flags", "i8"),
        ("event_time", "i8"),
        ("available_time", "i8"),
        ("sequence", "i8"),
        ("side", "i8"),
        ("status", "i8"),
        ("numbers", "f8", (FACT_NUMBERS,)),
        ("levels", "f8", (4, BOOK_DEPTH)),
    ]
)
"""One event taken out of the columns. `numbers` holds the row of its kind's table, `levels` that of a BOOK."""

WORK: Final = np.dtype(
    [
        ("event", EVENT),
        ("rows", "i8"),
        ("bars", "i8"),
        ("bars_closed", "i8"),
        ("places", "i8", (CONTEXT + 1,)),
        ("values", "f8", (FEATURE_COUNT,)),
    ]
)
"""Numbers of rows and bars written, of bars closed whether published or not, and of rows of each payload table met; one row's values."""


class Scratch(NamedTuple):
    """Room for the results of a frame, used again by the next. Rows and bars are also seen as bytes, which copy many times faster."""

    verdicts: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.void]
    bars: npt.NDArray[np.void]
    work: npt.NDArray[np.void]
    row_bytes: memoryview
    bar_bytes: memoryview


def scratch_outputs(events: int) -> Scratch:
    """Room for the results of a frame of so many events."""
    # A second closes once, and each level above has at most one open bar besides those that the frame's own seconds fill.
    rows, bars = np.zeros(events, ROW), np.zeros(4 * (events + 16), BAR)
    return Scratch(np.zeros(events, np.uint8), rows, bars, np.zeros(1, WORK), rows.view(np.uint8).data, bars.view(np.uint8).data)


@kernel
def begin(work: Record) -> None:
    """Make the counters zero."""
    work.rows, work.bars, work.bars_closed = 0, 0, 0
    for table in range(CONTEXT + 1):
        work.places[table] = 0


@kernel
def heads_agree(columns: FrameColumns) -> bool:
    """Whether the columns that every event has are of one length."""
    count = columns.kind.shape[0]
    times_agree = columns.event_time.shape[0] == count and columns.available_time.shape[0] == count
    return times_agree and columns.flags.shape[0] == count and columns.sequence.shape[0] == count


@kernel
def read_event(work: Record, columns: FrameColumns, index: int) -> int:
    """Take event `index` out of the columns: ACCEPTED, or why it cannot be read."""
    event = work.event
    event.index, event.kind, event.flags = index, columns.kind[index], columns.flags[index]
    event.event_time, event.available_time = columns.event_time[index], columns.available_time[index]
    event.sequence = columns.sequence[index]
    if event.kind < TRADE or event.kind > ADJUSTMENT:
        return _UNKNOWN_KIND
    table = min(event.kind, CONTEXT)
    place = work.places[table]
    work.places[table] += 1
    return _ACCEPTED if _read_payload(event, columns, place) else _COLUMN_LENGTH


@kernel
def _read_payload(event: Record, columns: FrameColumns, place: int) -> bool:
    if event.kind == TRADE:
        if place >= columns.trade_sides.shape[0]:
            return False
        event.side = columns.trade_sides[place]
        return _read_numbers(event.numbers, columns.trades, place)
    if event.kind == QUOTE:
        return _read_numbers(event.numbers, columns.quotes, place)
    if event.kind == BOOK:
        return _read_levels(event.levels, columns.books, place)
    if event.kind == VENDOR_BAR:
        return _read_numbers(event.numbers, columns.bars, place)
    if event.kind == STATUS:
        if place >= columns.statuses.shape[0]:
            return False
        event.status = columns.statuses[place]
    if event.kind >= CONTEXT:
        return _read_numbers(event.numbers, columns.facts, place)
    return True


@kernel
def _read_numbers(numbers: Record, table: Record, place: int) -> bool:
    if place >= table.shape[0] or table.shape[1] > numbers.shape[0]:
        return False
    for column in range(table.shape[1]):
        numbers[column] = table[place, column]
    return True


@kernel
def _read_levels(levels: Record, table: Record, place: int) -> bool:
    if place >= table.shape[0] or table.shape[1:] != (4, BOOK_DEPTH):
        return False
    for row in range(4):
        for level in range(BOOK_DEPTH):
            levels[row, level] = table[place, row, level]
    return True
