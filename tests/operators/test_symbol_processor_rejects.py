"""Bad input, whatever it is, becomes a reject with reason, bytes and position; nothing raises, and good events beside it are used."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings

from tests.support.bits import bits
from tests.support.control_memory import SYMBOL, frame_of, process, processor
from tests.support.kernel_events import MIDNIGHT, SECOND, Event, bar, book, quote, status, trade
from tests.support.strategies import damaged, frame_columns, frames
from udfs.codecs.frames import decode_frame, encode_frame
from udfs.codecs.wire import PINNED_IDS, prefix
from udfs.errors import Reason
from udfs.kernels.events import EventFlag, EventKind, FrameColumns
from udfs.operators.symbol_processor import Outcome
from udfs.records import Position, Rejected

EXAMPLES = settings(max_examples=150, deadline=None)
START = MIDNIGHT + 3600 * SECOND
GOOD = frame_of([trade(START, 100.0), trade(START + SECOND, 100.5)])
AT = Position("market.frames", 2, 7)


def rejects(outcome: Outcome) -> list[Rejected]:
    return [record for record in outcome.records if isinstance(record, Rejected)]


def body_of(frame: bytes) -> bytes:
    return frame[6:]


CONTROL_FROM_NOWHERE = frame_of([trade(START, 100.0)], control_version=3)
NO_EVENT = prefix(PINNED_IDS["MarketFrame"]) + b"\x0a\x07BTCUSDT"
SHORT_COLUMN = prefix(PINNED_IDS["MarketFrame"]) + body_of(GOOD) + b"\x32\x03abc"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.MALFORMED_FRAME),
        (b"\x00\x00", Reason.MALFORMED_FRAME),
        (b"not a frame at all", Reason.MALFORMED_FRAME),
        (GOOD[:-3], Reason.MALFORMED_FRAME),
        (NO_EVENT, Reason.MALFORMED_FRAME),
        (b"\x01" + GOOD[1:], Reason.MALFORMED_FRAME),
        (prefix(77) + body_of(GOOD), Reason.UNKNOWN_SCHEMA),
        (prefix(PINNED_IDS["Signal"]) + body_of(GOOD), Reason.UNKNOWN_SCHEMA),
        (SHORT_COLUMN, Reason.COLUMN_LENGTH),
        (GOOD + b"\x00" * 2000, Reason.FRAME_TOO_LARGE),
        (frame_of([trade(START, 100.0)], symbol="ETHUSDT"), Reason.SYMBOL_MISMATCH),
        (CONTROL_FROM_NOWHERE, Reason.MALFORMED_FRAME),
    ],
)
def test_a_bad_frame_is_kept_whole_and_changes_nothing(data: bytes, reason: Reason) -> None:
    worker = processor(largest_frame_bytes=1000)
    _, blob = process(worker, [GOOD])
    outcome = worker.process(SYMBOL, data, AT, blob)
    assert outcome.records == [replace(rejects(outcome)[0], reason=reason, raw=data, position=AT, symbol=SYMBOL, manifest_id="manifest")]
    assert rejects(outcome)[0].detail
    assert (outcome.state, outcome.accepted) == (None, 0)


def test_a_symbol_outside_the_universe_is_refused() -> None:
    universe = frozenset({"ETHUSDT", "SOLUSDT"})
    outcome = processor(universe=universe).process(SYMBOL, GOOD, AT, None)
    assert [(record.reason, record.raw) for record in rejects(outcome)] == [(Reason.UNKNOWN_SYMBOL, GOOD)]
    assert processor(universe=universe | {SYMBOL}).process(SYMBOL, GOOD, AT, None).accepted == 2


UNKNOWN_KIND = Event(99, START)
UNREADABLE = math.nan
BEFORE = [
    book(START, [99.0, 98.0], [101.0, 102.0], flags=int(EventFlag.SNAPSHOT), sequence=10),
    trade(START + SECOND, 100.0, sequence=20),
]
LATER = START + 10 * SECOND


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (trade(LATER, UNREADABLE), Reason.NOT_A_NUMBER),
        (trade(LATER, math.inf), Reason.NOT_A_NUMBER),
        (trade(LATER, 100.0, UNREADABLE), Reason.NOT_A_NUMBER),
        (trade(LATER, -1.0), Reason.PRICE_NOT_POSITIVE),
        (trade(LATER, 0.0), Reason.PRICE_NOT_POSITIVE),
        (quote(LATER, -5.0, 101.0), Reason.PRICE_NOT_POSITIVE),
        (trade(LATER, 100.0, -2.0), Reason.SIZE_NEGATIVE),
        (quote(LATER, 102.0, 101.0), Reason.CROSSED_BOOK),
        (book(LATER, [103.0], [101.0], sequence=11), Reason.CROSSED_BOOK),
        (book(LATER, [98.0, 99.0], [101.0], sequence=11), Reason.LEVELS_UNSORTED),
        (book(LATER, [99.0], [101.0], flags=int(EventFlag.SEQUENCE_GAP), sequence=15), Reason.SEQUENCE_GAP),
        (trade(LATER, 100.0, sequence=20), Reason.DUPLICATE),
        (book(LATER, [99.0], [101.0], sequence=9), Reason.DUPLICATE),
        (trade(START - 60 * SECOND, 100.0), Reason.LATE),
        (trade(0, 100.0), Reason.TIME_ABSURD),
        (trade(-(2**63), 100.0), Reason.TIME_ABSURD),
        (trade(2**62, 100.0)._replace(delay=LATER - 2**62), Reason.TIME_ABSURD),
        (trade(2**63 - 1001, 100.0), Reason.TIME_ABSURD),
        (status(LATER, 9), Reason.UNKNOWN_STATUS),
        (bar(LATER, (100.0, 99.0, 98.0, 100.0), 5.0), Reason.LEVELS_UNSORTED),
        (UNKNOWN_KIND, Reason.UNKNOWN_KIND),
    ],
)
def test_a_bad_event_is_kept_as_a_frame_of_one_and_its_neighbours_are_used(event: Event, reason: Reason) -> None:
    after = trade(LATER + SECOND, 100.5, sequence=21)
    outcome = processor().process(SYMBOL, frame_of([*BEFORE, event, after]), AT, None)
    found = rejects(outcome)
    assert [record.reason for record in found] == [reason]
    assert outcome.accepted == 3
    assert found[0].position == replace(AT, event_index=2)
    assert found[0].event_time == event.event_time
    assert bits(decode_frame(found[0].raw).columns) == bits(decode_frame(frame_of([event])).columns)


def test_rejecting_an_event_leaves_the_same_state_as_its_absence() -> None:
    """What is not believed must not change what follows, quarantine and counters of sequence apart."""
    harmless = [trade(LATER, UNREADABLE), trade(LATER, -1.0), trade(0, 1.0), trade(START - 60 * SECOND, 7.0), status(LATER, 9)]
    after = [trade(LATER + place * SECOND, 100.0 + place) for place in range(1, 90)]
    with_bad, without = (
        [record for record in processor().process(SYMBOL, frame_of(events), AT, None).records if not isinstance(record, Rejected)]
        for events in ([*BEFORE, *harmless, *after], [*BEFORE, *after])
    )
    assert [bits(_unplaced(record)) for record in with_bad] == [bits(_unplaced(record)) for record in without]


def _unplaced(record: object) -> object:
    if isinstance(record, tuple):
        return (replace(record[0], position=AT), record[1])
    return replace(record, position=AT)  # type: ignore[type-var]


@EXAMPLES
@given(damaged(frames(6).map(lambda frame: encode_frame(SYMBOL, *frame[1:3], 0, frame.columns, frame.news_texts))))
def test_damaged_bytes_never_raise_and_nothing_is_lost(data: bytes) -> None:
    """A frame is refused as a whole, or each of its events is accepted or rejected."""
    outcome = processor().process(SYMBOL, data, AT, None)
    if outcome.state is None:
        assert [record.raw for record in rejects(outcome)] == [data]
        assert len(outcome.records) == 1
    else:
        assert outcome.accepted + len(rejects(outcome)) == len(decode_frame(data).columns.kind)


@EXAMPLES
@given(frame_columns(8))
def test_any_bits_in_the_columns_are_accepted_or_kept(columns: FrameColumns) -> None:
    texts = ["text"] * int((columns.kind == EventKind.NEWS).sum())
    outcome = processor().process(SYMBOL, encode_frame(SYMBOL, "v", "s", 0, columns, texts), AT, None)
    found = rejects(outcome)
    assert outcome.accepted + len(found) == len(columns.kind)
    indexes = [record.position.event_index for record in found]
    assert indexes == sorted(set(indexes))
    for record in found:
        kept = decode_frame(record.raw).columns
        assert kept.kind.tolist() == [columns.kind[record.position.event_index]]
        assert kept.event_time.tolist() == [record.event_time] == [columns.event_time[record.position.event_index]]
