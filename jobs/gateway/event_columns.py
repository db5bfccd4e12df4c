"""Events of one symbol as the columns of a frame."""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from jobs.gateway.market_event import MarketEvent
from udfs.codecs.frame_columns import ROW_TYPES
from udfs.kernels.events import FACT_KINDS, FACT_NUMBERS, EventKind, FrameColumns

_TRADE, _QUOTE, _BOOK, _BAR, _STATUS = (
    int(kind) for kind in (EventKind.TRADE, EventKind.QUOTE, EventKind.BOOK, EventKind.BAR, EventKind.STATUS)
)
_NEWS, _FIRST_FACT = int(EventKind.NEWS), int(min(FACT_KINDS))
_NO_NUMBERS = (math.nan,) * FACT_NUMBERS
_BOOK_DTYPE = ROW_TYPES["books"].base
_SWAPPED = sys.byteorder != "little"


def columns_of(events: Sequence[MarketEvent]) -> FrameColumns:
    """The events, in their order, as read-only columns. `events` holds at least one event of one symbol."""
    return FrameColumns(*(np.frombuffer(raw, row) for raw, row in zip(column_bytes(events), ROW_TYPES.values(), strict=True)))


def column_bytes(events: Sequence[MarketEvent]) -> tuple[bytes, ...]:
    """The same columns as little-endian bytes, in the order of `FrameColumns`; without numpy, whose calls cost more than so few numbers."""
    _, kinds, event_times, available_times, sequences, flags, payloads = zip(*events, strict=True)
    times = (_packed("q", event_times), _packed("q", available_times), _packed("q", sequences))
    facts = _fact_bytes(kinds, payloads) if max(kinds) >= _FIRST_FACT else b""
    return (bytes(kinds), bytes(flags), *times, *_payload_bytes(kinds, payloads), facts)


def news_texts(events: Sequence[MarketEvent]) -> list[str]:
    """Texts of the NEWS events among them."""
    return [str(event[6]) for event in events if event[1] == _NEWS]


def _fact_bytes(kinds: Sequence[int], payloads: Sequence[Any]) -> bytes:
    """One row a fact. That of NEWS has no numbers yet: whoever reads its text puts them there."""
    facts = [payload for kind, payload in zip(kinds, payloads, strict=True) if kind in FACT_KINDS]
    rows = [_NO_NUMBERS if isinstance(fact, str) else (*fact, *_NO_NUMBERS)[:FACT_NUMBERS] for fact in facts]
    return _packed("d", chain.from_iterable(rows))


def _payload_bytes(kinds: Sequence[int], payloads: Sequence[Any]) -> tuple[bytes, bytes, bytes, bytes, bytes, bytes]:
    trades: list[float] = []
    sides: list[int] = []
    quotes: list[Any] = []
    books: list[bytes] = []
    bars: list[Any] = []
    statuses: list[int] = []
    for kind, payload in zip(kinds, payloads, strict=True):
        if kind == _QUOTE:
            quotes.append(payload)
        elif kind == _TRADE:
            price, size, side = payload
            trades += (price, size)
            sides.append(int(side))
        elif kind == _BOOK:
            books.append(payload.astype(_BOOK_DTYPE, copy=False).tobytes())
        elif kind == _BAR:
            bars.append(payload)
        elif kind == _STATUS:
            statuses.append(int(payload[0]))
    return (
        _packed("d", trades), _packed("b", sides), _packed("d", chain.from_iterable(quotes)), b"".join(books),
        _packed("d", chain.from_iterable(bars)), bytes(statuses),
    )  # fmt: skip


def _packed(typecode: str, numbers: Any) -> bytes:
    packed = array(typecode, numbers)
    if _SWAPPED:
        packed.byteswap()
    return packed.tobytes()
