"""What a frame's columns must look like, and how to cut and join them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from udfs.kernels.events import BOOK_DEPTH, FACT_KINDS, FACT_NUMBERS, EventKind, FrameColumns

ROW_TYPES: Final[dict[str, np.dtype[Any]]] = {
    "kind": np.dtype("<u1"),
    "flags": np.dtype("<u1"),
    "event_time": np.dtype("<i8"),
    "available_time": np.dtype("<i8"),
    "sequence": np.dtype("<i8"),
    "trades": np.dtype(("<f8", (2,))),
    "trade_sides": np.dtype("<i1"),
    "quotes": np.dtype(("<f8", (4,))),
    "books": np.dtype(("<f8", (4, BOOK_DEPTH))),
    "bars": np.dtype(("<f8", (6,))),
    "statuses": np.dtype("<u1"),
    "facts": np.dtype(("<f8", (FACT_NUMBERS,))),
}
"""The type of one row of each column, little-endian, in the order of `FrameColumns`."""

EVENT_COLUMNS: Final = 5
"""The first columns have one row an event, the others one row an event of their kind."""

PAYLOAD_KINDS: Final = tuple(
    int(kind) for kind in (EventKind.TRADE, EventKind.TRADE, EventKind.QUOTE, EventKind.BOOK, EventKind.BAR, EventKind.STATUS)
)
"""The kind whose events have a row in each payload column but the last, in column order."""

FACTS: Final = bytes(FACT_KINDS)
"""The kinds whose events have a row in the last column."""


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array.flags.writeable = False
    return array


EMPTY: Final = FrameColumns(*(_read_only(np.empty(0, row)) for row in ROW_TYPES.values()))
"""Columns of no event at all, of the right types and shapes."""

_SHARED: Final = 512
_ZEROS_U8: Final = tuple(_read_only(np.zeros(events, np.uint8)) for events in range(_SHARED))
_ZEROS_I64: Final = tuple(_read_only(np.zeros(events, np.int64)) for events in range(_SHARED))


def zeros_u8(events: int) -> npt.NDArray[np.uint8]:
    """(events,) read-only zeros, shared for short frames."""
    return _ZEROS_U8[events] if events < _SHARED else _read_only(np.zeros(events, np.uint8))


def zeros_i64(events: int) -> npt.NDArray[np.int64]:
    """(events,) read-only zeros, shared for short frames."""
    return _ZEROS_I64[events] if events < _SHARED else _read_only(np.zeros(events, np.int64))


def problem(columns: FrameColumns) -> str:
    """What is wrong with the columns' lengths and shapes, or an empty string."""
    if not len(columns.kind):
        return "the frame holds no event"
    for (name, row), column, rows in zip(ROW_TYPES.items(), _arrays(columns), expected_rows(columns.kind), strict=True):
        if column.shape != (rows, *row.shape):
            return f"column {name} has shape {column.shape}; its events need {(rows, *row.shape)}"
    return ""


def expected_rows(kind: npt.NDArray[np.uint8]) -> tuple[int, ...]:
    """Rows that each column needs for events of these kinds."""
    raw = kind.tobytes()
    payloads = tuple(raw.count(payload_kind) for payload_kind in PAYLOAD_KINDS)
    return (*(len(raw),) * EVENT_COLUMNS, *payloads, count_facts(raw))


def count_facts(kinds: bytes) -> int:
    """How many of the events are facts."""
    return len(kinds) - len(kinds.translate(None, FACTS))


def fact_rows(kinds: npt.NDArray[np.uint8], kind: EventKind) -> npt.NDArray[np.intp]:
    """Rows of the column `facts` that the events of one kind have."""
    facts = kinds[np.isin(kinds, FACT_KINDS)]
    return np.flatnonzero(facts == kind)


def to_bytes(columns: FrameColumns) -> list[bytes]:
    """Each column as little-endian bytes, row-major."""
    return [column.astype(row.base, copy=False).tobytes() for column, row in zip(_arrays(columns), ROW_TYPES.values(), strict=True)]


def slice_columns(columns: FrameColumns, start: int, stop: int) -> FrameColumns:
    """The events `start` to `stop` (not included) with their payloads, as views."""
    before = expected_rows(columns.kind[:start])
    rows = expected_rows(columns.kind[start:stop])
    return FrameColumns(*(column[first : first + count] for column, first, count in zip(_arrays(columns), before, rows, strict=True)))


def cut(columns: FrameColumns, at: Sequence[int]) -> list[FrameColumns]:
    """Cut into consecutive pieces before the events numbered in `at` (increasing); pieces without events are left out."""
    edges = [0, *at, len(columns.kind)]
    return [slice_columns(columns, start, stop) for start, stop in pairwise(edges) if start < stop]


def concatenate(pieces: Sequence[FrameColumns]) -> FrameColumns:
    """One after the other; the opposite of `cut`."""
    if not pieces:
        return EMPTY
    return FrameColumns(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))


def _arrays(columns: FrameColumns) -> tuple[npt.NDArray[Any], ...]:
    return columns
