"""Laws of the frame codec: to the bit there and back, total on damaged bytes, indifferent to where frames are cut."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.bits import bits
from tests.support.strategies import damaged, frame_columns, frames
from udfs.codecs.frame_columns import EMPTY, ROW_TYPES, concatenate, cut, slice_columns
from udfs.codecs.frames import MarketFrame, decode_frame, encode_frame, frame_of_one
from udfs.codecs.generated.market_frame_pb2 import MarketFrame as FrameMessage
from udfs.codecs.wire import PINNED_IDS, SchemaIds, prefix
from udfs.errors import MalformedMessage, Reason
from udfs.kernels.events import FACT_NUMBERS, EventFlag, EventKind, FrameColumns

PREFIX = prefix(PINNED_IDS["MarketFrame"])
ENCODED = frames().map(lambda frame: encode_frame(*frame))

TIME = 1_700_000_000_000_000_000
EXAMPLE = MarketFrame(
    "BTCUSDT",
    "binance",
    "capture",
    7,
    EMPTY._replace(
        kind=np.array([EventKind.TRADE, EventKind.QUOTE, EventKind.CLOCK], np.uint8),
        flags=np.array([EventFlag.VOLUME_ONLY, 0, 0], np.uint8),
        event_time=np.array([TIME, TIME + 1, TIME + 2], np.int64),
        available_time=np.array([TIME + 5, TIME + 6, TIME + 7], np.int64),
        sequence=np.array([41, 42, 0], np.int64),
        trades=np.array([[60000.5, 0.25]]),
        trade_sides=np.array([-1], np.int8),
        quotes=np.array([[60000.0, 1.0, np.nan, np.nan]]),
    ),
)
GOLDEN = (
    "00000003e9000a0742544355534454120762696e616e63651a076361707475726520072a0301020632030100003a1800002a"
    "36fe9c971701002a36fe9c971702002a36fe9c9717421805002a36fe9c971706002a36fe9c971707002a36fe9c97174a1829"
    "000000000000002a000000000000000000000000000000521000000000104ced40000000000000d03f5a01ff622000000000"
    "004ced40000000000000f03f000000000000f87f000000000000f87f"
)


def message_of(frame: MarketFrame) -> FrameMessage:
    return FrameMessage.FromString(encode_frame(*frame)[len(PREFIX) :])


def refusal(data: bytes) -> Reason:
    with pytest.raises(MalformedMessage) as caught:
        decode_frame(data)
    return caught.value.reason


@given(frames())
def test_decoding_gives_back_every_bit(frame: MarketFrame) -> None:
    """decode(encode(frame)) == frame, with NaN payloads and unknown kinds."""
    assert bits(decode_frame(encode_frame(*frame))) == bits(frame)


@given(frames())
def test_decoded_columns_suit_compiled_kernels(frame: MarketFrame) -> None:
    """Whatever the frame, the columns have the same types and layout, so that a kernel is compiled once."""
    columns: tuple[npt.NDArray[Any], ...] = decode_frame(encode_frame(*frame)).columns
    for (name, row), column in zip(ROW_TYPES.items(), columns, strict=True):
        assert column.dtype == row.base, name
        assert column.shape[1:] == row.shape, name
        assert column.flags.c_contiguous, name
        assert column.flags.aligned, name
        assert not column.flags.writeable, name


@given(frames())
def test_encoding_is_a_function_of_the_frame(frame: MarketFrame) -> None:
    """A decoded frame encodes to the same bytes, however its columns lie in memory."""
    data = encode_frame(*frame)
    every_other: list[Any] = [np.repeat(column, 2, axis=0)[::2] for column in frame.columns]
    strided = FrameColumns(*every_other)
    assert encode_frame(*decode_frame(data)) == data
    assert encode_frame(*frame._replace(columns=strided)) == data


@given(damaged(ENCODED))
def test_damaged_bytes_are_refused_or_decoded_to_a_sound_frame(data: bytes) -> None:
    """Nothing but MalformedMessage comes out, and what passes is a frame that encodes again."""
    try:
        frame = decode_frame(data)
    except MalformedMessage:
        return
    assert bits(decode_frame(encode_frame(*frame))) == bits(frame)


@given(st.binary(max_size=200) | st.binary(max_size=200).map(PREFIX.__add__))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    """The decoder is total."""
    with suppress(MalformedMessage):
        decode_frame(data)


@given(frame_columns(), st.data())
def test_cutting_and_joining_is_the_identity(columns: FrameColumns, data: st.DataObject) -> None:
    """concatenate(cut(columns)) == columns wherever it is cut, and every piece is a sound frame."""
    at = sorted(data.draw(st.lists(st.integers(0, len(columns.kind)))))
    pieces = cut(columns, at)
    decoded = [decode_frame(encode_frame("A", "", "", 0, piece, news_of(piece))).columns for piece in pieces]
    assert bits(concatenate(pieces)) == bits(columns)
    assert bits(concatenate(decoded)) == bits(columns)


@given(frames())
def test_every_event_alone_is_the_frame_cut_everywhere(frame: MarketFrame) -> None:
    """frame_of_one keeps the event, its payload and the frame's head."""
    ones = [decode_frame(frame_of_one(frame, index)) for index in range(len(frame.columns.kind))]
    assert bits(concatenate([one.columns for one in ones])) == bits(frame.columns)
    assert {one[:4] for one in ones} == {frame[:4]}
    assert tuple(text for one in ones for text in one.news_texts) == frame.news_texts


def news_of(columns: FrameColumns) -> list[str]:
    """A text for each NEWS event."""
    return ["text"] * int((columns.kind == EventKind.NEWS).sum())


@pytest.mark.parametrize("texts", [(), ("one", "two")])
def test_every_news_event_needs_its_text(texts: tuple[str, ...]) -> None:
    columns = slice_columns(EXAMPLE.columns, 2, 3)._replace(kind=np.array([EventKind.NEWS], np.uint8), facts=np.zeros((1, FACT_NUMBERS)))
    with pytest.raises(ValueError, match="its events need 1"):
        encode_frame("A", "", "", 0, columns, texts)
    message = FrameMessage.FromString(encode_frame("A", "", "", 0, columns, ("one",))[len(PREFIX) :])
    message.ClearField("news_texts")
    message.news_texts.extend(texts)
    assert refusal(PREFIX + message.SerializeToString()) == Reason.COLUMN_LENGTH


@pytest.mark.parametrize("index", [-1, 3])
def test_no_frame_of_an_event_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError, match="of a frame of 3"):
        frame_of_one(EXAMPLE, index)


def test_golden_bytes() -> None:
    """The bytes on the wire never change: stored logs must stay readable, and replay compares them."""
    assert encode_frame(*EXAMPLE).hex() == GOLDEN
    assert bits(decode_frame(bytes.fromhex(GOLDEN))) == bits(EXAMPLE)


@pytest.mark.parametrize("column", list(ROW_TYPES))
def test_a_column_of_another_length_is_refused(column: str) -> None:
    """One byte more, one row more, or a row less: COLUMN_LENGTH, and never a frame."""
    row = ROW_TYPES[column]
    whole = getattr(message_of(EXAMPLE), column)
    for wrong in (whole + bytes(1), whole + bytes(row.itemsize), whole[: -row.itemsize] if whole else bytes(2 * row.itemsize)):
        message = message_of(EXAMPLE)
        setattr(message, column, wrong)
        if wrong == b"" and column in {"flags", "available_time", "sequence"}:
            continue
        assert refusal(PREFIX + message.SerializeToString()) == Reason.COLUMN_LENGTH


@pytest.mark.parametrize(("kind", "payload"), [(kind, kind != EventKind.CLOCK and kind <= EventKind.ADJUSTMENT) for kind in range(1, 14)])
def test_a_kind_needs_its_payload_and_unknown_kinds_need_none(kind: int, payload: bool) -> None:
    data = PREFIX + FrameMessage(symbol="A", kind=bytes([kind]), event_time=bytes(8)).SerializeToString()
    if payload:
        assert refusal(data) == Reason.COLUMN_LENGTH
    else:
        assert decode_frame(data).columns.kind.tolist() == [kind]


def test_a_frame_without_events_is_refused() -> None:
    assert refusal(PREFIX + FrameMessage(symbol="A").SerializeToString()) == Reason.MALFORMED_FRAME
    with pytest.raises(ValueError, match="holds no event"):
        encode_frame("A", "", "", 0, EMPTY)


def test_a_negative_control_version_is_refused() -> None:
    message = message_of(EXAMPLE)
    message.control_version = -1
    assert refusal(PREFIX + message.SerializeToString()) == Reason.MALFORMED_FRAME


def test_framing_is_checked_before_the_message() -> None:
    data = encode_frame(*EXAMPLE)
    assert refusal(b"\x01" + data[1:]) == Reason.MALFORMED_FRAME
    assert refusal(prefix(PINNED_IDS["Signal"]) + data[6:]) == Reason.UNKNOWN_SCHEMA
    assert refusal(data[:5] + b"\x02" + data[6:]) == Reason.MALFORMED_FRAME
    assert refusal(data[:4]) == Reason.MALFORMED_FRAME
    assert refusal(b"") == Reason.MALFORMED_FRAME


def test_the_message_index_may_be_written_out() -> None:
    data = encode_frame(*EXAMPLE)
    assert bits(decode_frame(data[:5] + b"\x02\x00" + data[6:])) == bits(EXAMPLE)


def test_a_registry_changes_the_id_and_older_ids_stay_readable() -> None:
    framing = SchemaIds({"MarketFrame": 70_000}, {"MarketFrame": (12,)}).framing("MarketFrame")
    data = encode_frame(*EXAMPLE, framing=framing)
    assert data[:6] == b"\x00\x00\x01\x11\x70\x00"
    assert bits(decode_frame(data, framing)) == bits(EXAMPLE)
    assert bits(decode_frame(prefix(12) + data[6:], framing)) == bits(EXAMPLE)
    assert refusal(data) == Reason.UNKNOWN_SCHEMA


def test_too_large_is_refused_without_parsing() -> None:
    assert refusal(PREFIX + bytes(1 << 20)) == Reason.FRAME_TOO_LARGE
    with pytest.raises(MalformedMessage, match="frame_too_large"):
        decode_frame(encode_frame(*EXAMPLE), largest_bytes=10)


def test_columns_that_do_not_fit_are_not_encoded() -> None:
    with pytest.raises(ValueError, match=r"frame of BTCUSDT: column quotes has shape \(0, 4\); its events need \(1, 4\)"):
        encode_frame(*EXAMPLE._replace(columns=EXAMPLE.columns._replace(quotes=EMPTY.quotes)))


def test_a_long_frame_has_its_own_zeros() -> None:
    """Absent columns of frames longer than the shared zeros."""
    events = 2000
    kind = np.full(events, EventKind.CLOCK, np.uint8)
    times = np.arange(events, dtype=np.int64)
    zeros = np.zeros(events, np.int64)
    columns = EMPTY._replace(kind=kind, flags=zeros.astype(np.uint8), event_time=times, available_time=times, sequence=zeros)
    assert bits(decode_frame(encode_frame("A", "", "", 0, columns)).columns) == bits(columns)
    assert bits(slice_columns(columns, 5, 7).event_time) == bits(times[5:7])
