"""Market frames on the wire: bytes to columns and back, without copying a column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from google.protobuf.message import DecodeError

from udfs.codecs import frame_columns
from udfs.codecs.frame_columns import EMPTY, EVENT_COLUMNS, ROW_TYPES, count_facts, zeros_i64, zeros_u8
from udfs.codecs.generated.market_frame_pb2 import MarketFrame as FrameMessage
from udfs.codecs.wire import PINNED, PREFIX_BYTES, MessageFraming
from udfs.errors import MalformedMessage, Reason
from udfs.kernels.events import FACT_KINDS, EventKind, FrameColumns

PINNED_FRAMING: Final = PINNED.framing("MarketFrame")
LARGEST_FRAME_BYTES: Final = 1 << 20
"""Default limit on a frame's size; the largest record that a broker takes with its default settings."""

_parse: Final = FrameMessage.FromString
_from_buffer: Final = np.frombuffer
_new_tuple: Final = tuple.__new__
_U8: Final = ROW_TYPES["kind"]
_I64: Final = ROW_TYPES["event_time"]
_TRADE_ROW, _SIDE_ROW, _QUOTE_ROW, _BOOK_ROW, _BAR_ROW, _STATUS_ROW, _FACT_ROW = tuple(ROW_TYPES.values())[EVENT_COLUMNS:]
_NO_PAYLOADS: Final = EMPTY[EVENT_COLUMNS:]
_TRADE, _QUOTE, _BOOK, _BAR, _STATUS = (
    int(kind) for kind in (EventKind.TRADE, EventKind.QUOTE, EventKind.BOOK, EventKind.BAR, EventKind.STATUS)
)
_FIRST_FACT, _NEWS = int(min(FACT_KINDS)), int(EventKind.NEWS)


class MarketFrame(NamedTuple):
    """A decoded frame. Its columns are read-only views of the message's bytes."""

    symbol: str
    venue: str
    source: str
    """Name of the input that the gateway read the events from."""
    control_version: int
    """The last entry of the control log that the gateway had seen; 0 = none."""
    columns: FrameColumns
    news_texts: tuple[str, ...] = ()
    """The text of each NEWS event."""


def encode_frame(
    symbol: str,
    venue: str,
    source: str,
    control_version: int,
    columns: FrameColumns,
    news_texts: Sequence[str] = (),
    framing: MessageFraming = PINNED_FRAMING,
) -> bytes:
    """A frame as bytes, equal for equal input. Raises ValueError where the columns do not fit together or hold no event."""
    problem = frame_columns.problem(columns) or _texts_problem(bytes(columns.kind), news_texts)
    if problem:
        raise ValueError(f"frame of {symbol}: {problem}")
    return encode_columns(symbol, venue, source, control_version, frame_columns.to_bytes(columns), news_texts, framing)


def encode_columns(
    symbol: str,
    venue: str,
    source: str,
    control_version: int,
    columns: Sequence[bytes],
    news_texts: Sequence[str] = (),
    framing: MessageFraming = PINNED_FRAMING,
) -> bytes:
    """The same from columns that are bytes already, in the order of `FrameColumns`, and known to fit together."""
    kind, flags, event_time, available_time, sequence, trades, trade_sides, quotes, books, bars, statuses, facts = columns
    events = len(kind)
    message = FrameMessage(
        symbol=symbol,
        venue=venue,
        source=source,
        control_version=control_version,
        kind=kind,
        flags=b"" if flags == bytes(events) else flags,
        event_time=event_time,
        available_time=b"" if available_time == event_time else available_time,
        sequence=b"" if sequence == bytes(8 * events) else sequence,
        trades=trades,
        trade_sides=trade_sides,
        quotes=quotes,
        books=books,
        bars=bars,
        statuses=statuses,
        facts=facts,
        news_texts=news_texts,
    )
    return framing.prefix + message.SerializeToString()


def decode_frame(data: bytes, framing: MessageFraming = PINNED_FRAMING, largest_bytes: int = LARGEST_FRAME_BYTES) -> MarketFrame:
    """Bytes to a frame. Raises MalformedMessage and nothing else, whatever the bytes.

    Its reason is MALFORMED_FRAME, UNKNOWN_SCHEMA, FRAME_TOO_LARGE, or COLUMN_LENGTH where a column does not fit the kinds of the events.
    Unknown kinds pass, as events without payload: the kernel rejects them one by one.
    """
    if len(data) > largest_bytes:
        raise MalformedMessage(Reason.FRAME_TOO_LARGE, f"{len(data)} bytes; expected at most {largest_bytes}")
    try:
        message = _parse(data[PREFIX_BYTES:] if data[:PREFIX_BYTES] in framing.accepted else framing.body(data))
        columns = _columns(message)
    except DecodeError as error:
        raise MalformedMessage(Reason.MALFORMED_FRAME, f"not a MarketFrame: {error}") from None
    except ValueError as error:
        raise MalformedMessage(Reason.COLUMN_LENGTH, f"a column is not a whole number of rows: {error}") from None
    control_version = message.control_version
    if control_version < 0:
        raise MalformedMessage(Reason.MALFORMED_FRAME, f"control_version is {control_version}; expected 0 or more")
    texts = tuple(message.news_texts)
    if len(texts) != message.kind.count(_NEWS):
        raise MalformedMessage(Reason.COLUMN_LENGTH, _texts_problem(message.kind, texts))
    return _new_tuple(MarketFrame, (message.symbol, message.venue, message.source, control_version, columns, texts))


def frame_of_one(frame: MarketFrame, event_index: int, framing: MessageFraming = PINNED_FRAMING) -> bytes:
    """One event of a frame as a frame of its own. Raises IndexError where the frame has no such event."""
    if not 0 <= event_index < len(frame.columns.kind):
        raise IndexError(f"event {event_index} of a frame of {len(frame.columns.kind)}")
    columns = frame_columns.slice_columns(frame.columns, event_index, event_index + 1)
    before = int((frame.columns.kind[:event_index] == _NEWS).sum())
    texts = frame.news_texts[before : before + 1] if frame.columns.kind[event_index] == _NEWS else ()
    return encode_frame(frame.symbol, frame.venue, frame.source, frame.control_version, columns, texts, framing)


def _texts_problem(kinds: bytes, news_texts: Sequence[str]) -> str:
    """What is wrong with the number of texts, or an empty string."""
    events = kinds.count(_NEWS)
    return "" if len(news_texts) == events else f"news_texts has {len(news_texts)} texts; its events need {events}"


def _columns(message: FrameMessage) -> FrameColumns:
    """Views of the message's columns. Raises ValueError or MalformedMessage where they do not fit. On the hot path: flat on purpose."""
    kind = message.kind
    events = len(kind)
    if not events:
        raise MalformedMessage(Reason.MALFORMED_FRAME, "the frame holds no event")
    event_time = _from_buffer(message.event_time, _I64)
    raw = message.available_time
    available_time = _from_buffer(raw, _I64) if raw else event_time
    raw = message.flags
    flags = _from_buffer(raw, _U8) if raw else zeros_u8(events)
    raw = message.sequence
    sequence = _from_buffer(raw, _I64) if raw else zeros_i64(events)
    fits = events == len(event_time) == len(available_time) == len(flags) == len(sequence)
    trades, trade_sides, quotes, books, bars, statuses, facts = _NO_PAYLOADS
    raw, raw_sides = message.trades, message.trade_sides
    if raw or raw_sides or _TRADE in kind:
        trades, trade_sides = _from_buffer(raw, _TRADE_ROW), _from_buffer(raw_sides, _SIDE_ROW)
        fits = fits and len(trades) == len(trade_sides) == kind.count(_TRADE)
    raw = message.quotes
    if raw or _QUOTE in kind:
        quotes = _from_buffer(raw, _QUOTE_ROW)
        fits = fits and len(quotes) == kind.count(_QUOTE)
    raw = message.books
    if raw or _BOOK in kind:
        books = _from_buffer(raw, _BOOK_ROW)
        fits = fits and len(books) == kind.count(_BOOK)
    raw = message.bars
    if raw or _BAR in kind:
        bars = _from_buffer(raw, _BAR_ROW)
        fits = fits and len(bars) == kind.count(_BAR)
    raw = message.statuses
    if raw or _STATUS in kind:
        statuses = _from_buffer(raw, _STATUS_ROW)
        fits = fits and len(statuses) == kind.count(_STATUS)
    raw = message.facts
    if raw or max(kind) >= _FIRST_FACT:
        facts = _from_buffer(raw, _FACT_ROW)
        fits = fits and len(facts) == count_facts(kind)
    heads = (_from_buffer(kind, _U8), flags, event_time, available_time, sequence)
    columns = (*heads, trades, trade_sides, quotes, books, bars, statuses, facts)
    if not fits:
        raise MalformedMessage(Reason.COLUMN_LENGTH, frame_columns.problem(FrameColumns(*columns)))
    return _new_tuple(FrameColumns, columns)
