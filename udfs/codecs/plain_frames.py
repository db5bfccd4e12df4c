"""The quick way from a frame's bytes to its columns: one compiled pass over what `encode_frame` writes, into room that is used again.

It takes only frames in their plain form: fields in order, none empty, columns that fit together, at most `PLAIN_EVENTS` events, no facts.
Whatever is different in any way is left to `frames.decode_frame`, which knows every form and every error; both give the same columns.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

import numba
import numpy as np
from numba import types

from udfs.codecs.frame_columns import EMPTY, EVENT_COLUMNS, PAYLOAD_KINDS, ROW_TYPES
from udfs.codecs.frames import LARGEST_FRAME_BYTES
from udfs.codecs.wire import PREFIX_BYTES, MessageFraming
from udfs.kernels.compiled import OPTIONS, kernel, source_number
from udfs.kernels.events import FACT_KINDS, FrameColumns

PLAIN_EVENTS: Final = 256
"""Events of the largest frame that is read this way."""

_PLAIN: Final = {name: row for name, row in ROW_TYPES.items() if name != "facts"}
_ROOM: Final = np.dtype([(name, row.base, (PLAIN_EVENTS, *row.shape)) for name, row in _PLAIN.items()], align=True)
_ROW_BYTES: Final = tuple(row.itemsize for row in _PLAIN.values())
_PLACES: Final[Mapping[str, Any]] = _ROOM.fields or {}
_STARTS: Final = tuple(int(_PLACES[name][1]) for name in _PLAIN)
_COLUMNS: Final = len(_PLAIN)
_KIND, _FLAGS, _EVENT_TIME, _AVAILABLE_TIME, _SEQUENCE = range(EVENT_COLUMNS)
_SYMBOL_FIELD, _SOURCE_FIELD, _CONTROL_FIELD, _FIRST_COLUMN_FIELD = 1, 3, 4, 5
_LENGTH_DELIMITED: Final = 2
_NOT_PLAIN: Final = -1
_FIRST_FACT, _LAST_FACT = int(min(FACT_KINDS)), int(max(FACT_KINDS))


Octets: TypeAlias = Any
Numbers: TypeAlias = Any
"""Arrays of uint8 and int64 inside compiled code, where the compiler and not the type checker knows what comes out of them."""


class PlainFrame(NamedTuple):
    """What the last frame held, valid until the next one is read."""

    events: int
    control_version: int
    columns: FrameColumns
    """Longer than `events` and the payloads: room for `PLAIN_EVENTS` rows each, of which the first ones count; none for facts."""


class PlainFrameReader:
    """Reads frames of one framing. One thread uses it."""

    def __init__(self, framing: MessageFraming, largest_bytes: int = LARGEST_FRAME_BYTES) -> None:
        room = np.zeros(1, _ROOM)
        self._room = room.view(np.uint8)
        self._columns = EMPTY._replace(**{name: room[name][0] for name in _PLAIN})
        self._accepted, self._largest_bytes = framing.accepted, largest_bytes
        self._rows = np.zeros(_COLUMNS, np.int64)
        self._read = compiled_reader()

    def read(self, symbol: bytes, data: bytes) -> PlainFrame | None:
        """The frame, when it is plain and of this symbol (UTF-8); None leaves it to `decode_frame`."""
        if data[:PREFIX_BYTES] not in self._accepted or len(data) > self._largest_bytes:
            return None
        events, control_version = self._read(np.frombuffer(data, np.uint8), np.frombuffer(symbol, np.uint8), self._room, self._rows)
        return None if events == _NOT_PLAIN else PlainFrame(events, control_version, self._columns)


@kernel
def _varint(data: Octets, at: int) -> tuple[int, int]:
    """(value, position after it) of a varint below 2**49; the value is -1 where there is none."""
    value = 0
    for count in range(7):
        if at >= data.shape[0]:
            return -1, at
        byte: Any = np.int64(data[at])
        at += 1
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return (value, at) if byte or not count else (-1, at)
    return -1, at


@kernel
def _is_text(data: Octets, begin: int, end: int) -> bool:
    """Whether it is ASCII, and so certainly valid UTF-8."""
    strange = 0
    for position in range(begin, end):
        strange += data[position] >= 0x80
    return strange == 0


@kernel
def _equals(data: Octets, begin: int, end: int, other: Octets) -> bool:
    if end - begin != other.shape[0]:
        return False
    differing = 0
    for position in range(other.shape[0]):
        differing += data[begin + position] != other[position]
    return differing == 0


@kernel
def _take_column(data: Octets, begin: int, end: int, column: int, room: Octets, rows: Numbers) -> bool:
    """Copy a column to its place, where every kind of number is aligned; false where it does not fit."""
    count, rest = divmod(end - begin, _ROW_BYTES[column])
    if rest or count > PLAIN_EVENTS:
        return False
    rows[column] = count
    start = _STARTS[column]
    for position in range(end - begin):
        room[start + position] = data[begin + position]
    return True


@kernel
def _completed(room: Octets, rows: Numbers) -> bool:
    """Fill in the columns that were left out because they say nothing; false where columns do not fit together."""
    events = rows[_KIND]
    if events == 0 or rows[_EVENT_TIME] != events:
        return False
    if rows[_FLAGS] == 0:
        room[_STARTS[_FLAGS] : _STARTS[_FLAGS] + events] = 0
        rows[_FLAGS] = events
    if rows[_AVAILABLE_TIME] == 0:
        for position in range(8 * events):
            room[_STARTS[_AVAILABLE_TIME] + position] = room[_STARTS[_EVENT_TIME] + position]
        rows[_AVAILABLE_TIME] = events
    if rows[_SEQUENCE] == 0:
        room[_STARTS[_SEQUENCE] : _STARTS[_SEQUENCE] + 8 * events] = 0
        rows[_SEQUENCE] = events
    return rows[_FLAGS] == events and rows[_AVAILABLE_TIME] == events and rows[_SEQUENCE] == events and _payloads_fit(room, rows)


@kernel
def _payloads_fit(room: Octets, rows: Numbers) -> bool:
    kinds = room[_STARTS[_KIND] : _STARTS[_KIND] + rows[_KIND]]
    for payload in range(len(PAYLOAD_KINDS)):
        count = 0
        for kind in kinds:
            count += kind == PAYLOAD_KINDS[payload]
        if rows[EVENT_COLUMNS + payload] != count:
            return False
    facts = 0
    for kind in kinds:
        facts += _FIRST_FACT <= kind <= _LAST_FACT
    return facts == 0


@kernel
def _read_plain(data: Octets, symbol: Octets, room: Octets, rows: Numbers) -> tuple[int, int]:
    """(events, control version), (-1, 0) for a frame that is not plain."""
    rows[:] = 0
    at, last_field, control_version, is_the_symbols = PREFIX_BYTES, 0, 0, False
    while at < data.shape[0]:
        tag: Any = np.int64(data[at])
        field, wire = tag >> 3, tag & 7
        value, at = _varint(data, at + 1)
        if field <= last_field or value <= 0 or field >= _FIRST_COLUMN_FIELD + _COLUMNS:
            return _NOT_PLAIN, 0
        last_field = field
        if field == _CONTROL_FIELD:
            if wire != 0:
                return _NOT_PLAIN, 0
            control_version = value
            continue
        end = at + value
        if wire != _LENGTH_DELIMITED or end > data.shape[0]:
            return _NOT_PLAIN, 0
        if field == _SYMBOL_FIELD:
            is_the_symbols = _equals(data, at, end, symbol)
        elif field <= _SOURCE_FIELD:
            if not _is_text(data, at, end):
                return _NOT_PLAIN, 0
        elif not _take_column(data, at, end, field - _FIRST_COLUMN_FIELD, room, rows):
            return _NOT_PLAIN, 0
        at = end
    return (rows[_KIND], control_version) if is_the_symbols and _completed(room, rows) else (_NOT_PLAIN, 0)


@cache
def compiled_reader() -> Callable[..., tuple[int, int]]:
    """Compile the pass, or load it from the disk cache. Once a process; a second when compiled, milliseconds when loaded."""
    sources = source_number(__name__)

    @numba.njit(cache=True, **OPTIONS)
    def read_plain_frame(data, symbol, room, rows):  # type: ignore[no-untyped-def]
        return _read_plain(data, symbol, room, rows) if sources > 0 else (_NOT_PLAIN, 0)

    received = types.Array(types.uint8, 1, "C", readonly=True)
    read_plain_frame.compile((received, received, types.uint8[::1], types.int64[::1]))
    read_plain_frame.disable_compile()
    return read_plain_frame
