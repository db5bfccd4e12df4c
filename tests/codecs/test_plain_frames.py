"""The quick reader of frames says what the thorough one says, or leaves the frame to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.gateway.event_columns import column_bytes, news_texts
from tests.support.bits import bits
from tests.support.frame_events import events_of
from tests.support.strategies import damaged, frames
from udfs.codecs.frame_columns import EVENT_COLUMNS, expected_rows, fact_rows
from udfs.codecs.frames import PINNED_FRAMING, MarketFrame, decode_frame, encode_columns, encode_frame
from udfs.codecs.plain_frames import PLAIN_EVENTS, PlainFrame, PlainFrameReader
from udfs.codecs.wire import PREFIX_BYTES
from udfs.errors import MalformedMessage
from udfs.kernels.events import FACT_KINDS, FACT_NUMBERS, EventKind, FrameColumns

EXAMPLES = settings(max_examples=300, deadline=None)
READER = PlainFrameReader(PINNED_FRAMING)
TIMES = np.arange(1, PLAIN_EVENTS + 2, dtype=np.int64)


def held(plain: PlainFrame) -> tuple[int, FrameColumns]:
    """Control version and columns of a plain frame, without the room behind them."""
    rows = expected_rows(plain.columns.kind[: plain.events])
    return plain.control_version, FrameColumns(*(column[:count].copy() for column, count in zip(plain.columns, rows, strict=True)))


def clocks(events: int, symbol: str = "A", venue: str = "V") -> bytes:
    times = TIMES[:events].tobytes()
    kinds = bytes([EventKind.CLOCK]) * events
    return encode_columns(symbol, venue, "s", 3, [kinds, bytes(events), times, times, bytes(8 * events), *[b""] * 7])


@EXAMPLES
@given(frames())
def test_what_it_reads_is_the_frame_to_the_bit(frame: MarketFrame) -> None:
    data = encode_frame(*frame)
    plain = READER.read(frame.symbol.encode(), data)
    has_plain_text = bool(frame.symbol) and (frame.venue + frame.source).isascii() and not len(frame.columns.facts)
    if plain is None:
        assert not has_plain_text or frame.control_version >= 1 << 49
        return
    assert bits(held(plain)) == bits((frame.control_version, frame.columns))


@EXAMPLES
@given(st.lists(frames(), min_size=2, max_size=4))
def test_a_frame_leaves_nothing_behind_for_the_next(several: list[MarketFrame]) -> None:
    for frame in several:
        plain = READER.read(frame.symbol.encode(), encode_frame(*frame))
        assert plain is None or bits(held(plain)[1]) == bits(frame.columns)


@EXAMPLES
@given(st.data())
def test_damaged_frames_are_never_read_differently(data: st.DataObject) -> None:
    frame = data.draw(frames())
    raw = data.draw(damaged(st.just(encode_frame(*frame))))
    plain = READER.read(frame.symbol.encode(), raw)
    if plain is None:
        return
    try:
        whole = decode_frame(raw)
    except MalformedMessage as error:
        pytest.fail(f"read a frame that is refused: {error}")
    assert whole.symbol == frame.symbol
    assert bits(held(plain)) == bits((whole.control_version, whole.columns))


@EXAMPLES
@given(frames())
def test_events_become_the_same_bytes_with_and_without_numpy(frame: MarketFrame) -> None:
    known = [kind in list(EventKind) for kind in frame.columns.kind.tolist()]
    if all(known):
        events = list(events_of(frame.symbol, _without_news_numbers(frame.columns), frame.news_texts))
        same = frame._replace(columns=_without_news_numbers(frame.columns))
        assert encode_columns(*frame[:4], column_bytes(events), news_texts(events)) == encode_frame(*same)


def _without_news_numbers(columns: FrameColumns) -> FrameColumns:
    """As the gateway sends it: nobody has read the news yet."""
    facts = columns.facts.copy()
    facts[fact_rows(columns.kind, EventKind.NEWS)] = np.nan
    return columns._replace(facts=facts)


def test_a_frame_with_facts_is_left_alone() -> None:
    """Whether their rows are there or not."""
    times = TIMES[:1].tobytes()
    for kind in FACT_KINDS:
        for facts in (b"", bytes(8 * FACT_NUMBERS)):
            head = [bytes([kind]), bytes(1), times, times, bytes(8)]
            assert READER.read(b"A", encode_columns("A", "V", "s", 3, [*head, *[b""] * 6, facts])) is None


def test_limits() -> None:
    assert READER.read(b"A", clocks(PLAIN_EVENTS)) is not None
    assert READER.read(b"A", clocks(PLAIN_EVENTS + 1)) is None
    assert READER.read(b"B", clocks(1)) is None
    assert READER.read(b"AA", clocks(1)) is None
    assert READER.read(b"A", clocks(1, venue="Börse")) is None
    assert READER.read("Ä".encode(), clocks(1, symbol="Ä")) is not None
    assert PlainFrameReader(PINNED_FRAMING, len(clocks(2))).read(b"A", clocks(2)) is not None
    assert PlainFrameReader(PINNED_FRAMING, len(clocks(2)) - 1).read(b"A", clocks(2)) is None


@pytest.mark.parametrize("raw", [b"", b"\0", clocks(1)[:PREFIX_BYTES], clocks(1)[:-1], b"\1" + clocks(1)[1:]])
def test_what_is_no_frame_is_left_alone(raw: bytes) -> None:
    assert READER.read(b"A", raw) is None


def test_there_is_room_for_every_column() -> None:
    plain = READER.read(b"A", clocks(1))
    assert plain is not None
    assert all(len(column) == PLAIN_EVENTS for column in plain.columns[:-1])
    assert plain.columns.facts.shape == (0, FACT_NUMBERS)
    assert EVENT_COLUMNS == 5
