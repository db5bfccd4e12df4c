"""What is rejected and why: one line a case. A rejected event leaves nothing behind but a count, and where it says so a quarantine."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest

from tests.support.fact_streams import session_at
from tests.support.kernel_events import MIDNIGHT, SECOND, Event, bar, book, clock, columns_of, fact, quote, status, trade
from udfs.errors import Reason
from udfs.kernels.advance import KernelSettings, advance
from udfs.kernels.events import BOOK_DEPTH, EventFlag, EventKind
from udfs.kernels.symbol_state import SymbolState, new_state

SETTINGS = KernelSettings()
NOW = MIDNIGHT + 12 * 3600 * SECOND
NAN, INFINITY = math.nan, math.inf
LARGEST = 2.0**53
SESSION = session_at(NOW // SECOND)
GAP, SNAPSHOT, UNSYNCHRONISED = int(EventFlag.SEQUENCE_GAP), int(EventFlag.SNAPSHOT), int(EventFlag.UNSYNCHRONISED)


class Case(NamedTuple):
    """An event after a trade, a quote and a book at NOW, each with sequence 10."""

    name: str
    event: Event
    reason: Reason


CASES = [
    Case("trade", trade(NOW, 100.0), Reason.ACCEPTED),
    Case("trade of size 0 is a price without volume", trade(NOW, 100.0, 0.0), Reason.ACCEPTED),
    Case("trade out of order by what is allowed", trade(NOW - 2 * SECOND, 100.0), Reason.ACCEPTED),
    Case("trade out of order by a nanosecond more", trade(NOW - 2 * SECOND - 1, 100.0), Reason.LATE),
    Case("trade with the next number", trade(NOW, 100.0, sequence=11), Reason.ACCEPTED),
    Case("trade with the same number", trade(NOW, 100.0, sequence=10), Reason.DUPLICATE),
    Case("trade with an older number", trade(NOW, 100.0, sequence=9), Reason.DUPLICATE),
    Case("trade at NaN", trade(NOW, NAN), Reason.NOT_A_NUMBER),
    Case("trade at infinity", trade(NOW, INFINITY), Reason.NOT_A_NUMBER),
    Case("trade of NaN size", trade(NOW, 100.0, NAN), Reason.NOT_A_NUMBER),
    Case("trade at 0", trade(NOW, 0.0), Reason.PRICE_NOT_POSITIVE),
    Case("trade below 0", trade(NOW, -1.0), Reason.PRICE_NOT_POSITIVE),
    Case("trade of negative size", trade(NOW, 100.0, -1.0), Reason.SIZE_NEGATIVE),
    Case("trade with a gap before it is a trade", trade(NOW, 100.0, flags=GAP), Reason.ACCEPTED),
    Case("trade before time began", trade(SETTINGS.minimum_time - 1, 100.0), Reason.TIME_ABSURD),
    Case("trade at time 0", trade(0, 100.0), Reason.TIME_ABSURD),
    Case("trade of the far future", trade(2**62, 100.0)._replace(delay=NOW - 2**62), Reason.TIME_ABSURD),
    Case("trade as far ahead of its arrival as is allowed", trade(NOW, 100.0)._replace(delay=-2 * SECOND), Reason.ACCEPTED),
    Case("trade a nanosecond further ahead", trade(NOW, 100.0)._replace(delay=-2 * SECOND - 1), Reason.CLOCK_SKEW),
    Case("trade as far ahead as a clock can be", trade(NOW, 100.0)._replace(delay=-60 * SECOND), Reason.CLOCK_SKEW),
    Case("trade further ahead than that", trade(NOW, 100.0)._replace(delay=-60 * SECOND - 1), Reason.TIME_ABSURD),
    Case("quote from the future", quote(NOW, 99.0, 101.0)._replace(delay=-3 * SECOND), Reason.CLOCK_SKEW),
    Case("clock from the future", clock(NOW + 9 * SECOND)._replace(delay=-3 * SECOND), Reason.CLOCK_SKEW),
    Case("trade of the greatest size", trade(NOW, 100.0, LARGEST), Reason.ACCEPTED),
    Case("trade of more than that", trade(NOW, 100.0, LARGEST + 2), Reason.SIZE_IMPOSSIBLE),
    Case("quote of impossible size", quote(NOW, 99.0, 101.0, 1.0, LARGEST + 2), Reason.SIZE_IMPOSSIBLE),
    Case("book of impossible size", book(NOW, [99.0], [101.0], size=1e300), Reason.SIZE_IMPOSSIBLE),
    Case("bar of impossible volume", bar(NOW, (100.0, 101.0, 99.0, 100.5), 1e300), Reason.SIZE_IMPOSSIBLE),
    Case("trade less than 1 % up", trade(NOW, 100.9), Reason.ACCEPTED),
    Case("trade over 1 % up", trade(NOW, 101.5), Reason.PRICE_JUMP),
    Case("trade over 1 % down", trade(NOW, 98.5), Reason.PRICE_JUMP),
    Case("trade ten times too high", trade(NOW, 1000.0), Reason.PRICE_JUMP),
    Case("trade ten times too low", trade(NOW, 10.0), Reason.PRICE_JUMP),
    Case("trade far off that counts in volume only", trade(NOW, 10.0, flags=int(EventFlag.VOLUME_ONLY)), Reason.ACCEPTED),
    Case("trade far off after time enough", trade(NOW + 9 * SECOND, 102.9), Reason.ACCEPTED),
    Case("trade too far off for that time", trade(NOW + 9 * SECOND, 103.1), Reason.PRICE_JUMP),
    Case("quote all above", quote(NOW, 102.1, 103.0), Reason.PRICE_JUMP),
    Case("quote all below", quote(NOW, 97.0, 97.9), Reason.PRICE_JUMP),
    Case("bid alone, far above", quote(NOW, 103.0, NAN), Reason.PRICE_JUMP),
    Case("quote that is very wide", quote(NOW, 1.0, 10_000.0), Reason.ACCEPTED),
    Case("book all above", book(NOW, [103.0], [104.0]), Reason.PRICE_JUMP),
    Case("snapshot all above", book(NOW, [103.0], [104.0], SNAPSHOT), Reason.ACCEPTED),
    Case("bar far off", bar(NOW, (10.0, 10.0, 10.0, 10.0), 1.0), Reason.ACCEPTED),
    Case("trade that was available never", trade(NOW, 100.0)._replace(delay=-NOW), Reason.TIME_ABSURD),
    Case("trade that is available in 2262", trade(NOW, 100.0)._replace(delay=2**63 - 1 - NOW), Reason.TIME_ABSURD),
    Case("quote", quote(NOW, 99.0, 101.0), Reason.ACCEPTED),
    Case("quote that locks", quote(NOW, 100.0, 100.0), Reason.ACCEPTED),
    Case("quote that crosses", quote(NOW, 101.0, 100.0), Reason.CROSSED_BOOK),
    Case("quote without a bid", quote(NOW, NAN, 101.0, NAN), Reason.ACCEPTED),
    Case("quote without anything", quote(NOW, NAN, NAN, 0.0, 0.0), Reason.ACCEPTED),
    Case("quote with a bid of no size", quote(NOW, 99.0, 101.0, NAN), Reason.NOT_A_NUMBER),
    Case("quote at infinity", quote(NOW, 99.0, INFINITY), Reason.NOT_A_NUMBER),
    Case("quote at 0", quote(NOW, 0.0, 101.0), Reason.PRICE_NOT_POSITIVE),
    Case("quote of negative size", quote(NOW, 99.0, 101.0, 1.0, -1.0), Reason.SIZE_NEGATIVE),
    Case("quote with the same number", quote(NOW, 99.0, 101.0, sequence=10), Reason.DUPLICATE),
    Case("book", book(NOW, [99.0, 98.0], [101.0, 102.0]), Reason.ACCEPTED),
    Case("book that is empty", book(NOW, [], []), Reason.ACCEPTED),
    Case("book that crosses", book(NOW, [101.0], [100.0]), Reason.CROSSED_BOOK),
    Case("book whose bids rise", book(NOW, [98.0, 99.0], [101.0]), Reason.LEVELS_UNSORTED),
    Case("book whose asks fall", book(NOW, [99.0], [102.0, 101.0]), Reason.LEVELS_UNSORTED),
    Case("book with a level twice", book(NOW, [99.0, 99.0], [101.0]), Reason.LEVELS_UNSORTED),
    Case("book with a hole", book(NOW, [99.0, NAN, 97.0], [101.0]), Reason.LEVELS_UNSORTED),
    Case("book at 0", book(NOW, [99.0, 0.0], [101.0]), Reason.PRICE_NOT_POSITIVE),
    Case("book of negative size", book(NOW, [99.0], [101.0], size=-1.0), Reason.SIZE_NEGATIVE),
    Case("book of infinite size", book(NOW, [99.0], [101.0], size=INFINITY), Reason.NOT_A_NUMBER),
    Case("book after a gap", book(NOW, [99.0], [101.0], GAP), Reason.SEQUENCE_GAP),
    Case("book after a gap and not rebuilt", book(NOW, [], [], GAP | UNSYNCHRONISED), Reason.SEQUENCE_GAP),
    Case("snapshot that mends a gap", book(NOW, [99.0], [101.0], GAP | SNAPSHOT), Reason.ACCEPTED),
    Case("book that could not be rebuilt yet", book(NOW, [], [], UNSYNCHRONISED), Reason.ACCEPTED),
    Case("book with the same number", book(NOW, [99.0], [101.0], sequence=10), Reason.DUPLICATE),
    Case("snapshot with the same number", book(NOW, [99.0], [101.0], SNAPSHOT, 10), Reason.DUPLICATE),
    Case("snapshot that starts the numbering again", book(NOW, [99.0], [101.0], SNAPSHOT, 3), Reason.ACCEPTED),
    Case("bar", bar(NOW, (100.0, 101.0, 99.0, 100.5), 10.0), Reason.ACCEPTED),
    Case("bar that ends at the watermark is closed", bar(NOW - 2 * SECOND, (100.0, 101.0, 99.0, 100.5), 10.0), Reason.LATE),
    Case("bar with NaN", bar(NOW, (100.0, 101.0, 99.0, NAN), 10.0), Reason.NOT_A_NUMBER),
    Case("bar at 0", bar(NOW, (100.0, 101.0, 0.0, 100.5), 10.0), Reason.PRICE_NOT_POSITIVE),
    Case("bar of negative volume", bar(NOW, (100.0, 101.0, 99.0, 100.5), -1.0), Reason.SIZE_NEGATIVE),
    Case("bar of no length", bar(NOW, (100.0, 101.0, 99.0, 100.5), 1.0, 0.0), Reason.NOT_A_NUMBER),
    Case("bar of half a second", bar(NOW, (100.0, 101.0, 99.0, 100.5), 1.0, 0.5), Reason.NOT_A_NUMBER),
    Case("bar whose high is below its close", bar(NOW, (100.0, 100.2, 99.0, 100.5), 1.0), Reason.LEVELS_UNSORTED),
    Case("status", status(NOW, 2), Reason.ACCEPTED),
    Case("status 0", status(NOW, 0), Reason.UNKNOWN_STATUS),
    Case("status 9", status(NOW, 9), Reason.UNKNOWN_STATUS),
    Case("clock", clock(NOW + 5 * SECOND), Reason.ACCEPTED),
    Case("clock of the past says nothing new", clock(NOW - 3600 * SECOND), Reason.ACCEPTED),
    Case("clock of the far future", clock(NOW + 86_400 * SECOND)._replace(delay=-86_400 * SECOND), Reason.TIME_ABSURD),
    Case("context", fact(EventKind.CONTEXT, NOW, 0.01), Reason.ACCEPTED),
    Case("context of which nothing is known", fact(EventKind.CONTEXT, NOW), Reason.ACCEPTED),
    Case("context with infinity", fact(EventKind.CONTEXT, NOW, INFINITY), Reason.NOT_A_NUMBER),
    Case("news", fact(EventKind.NEWS, NOW), Reason.ACCEPTED),
    Case("news of long ago is not late", fact(EventKind.NEWS, NOW - 86_400 * SECOND), Reason.ACCEPTED),
    Case("news from the future", fact(EventKind.NEWS, NOW)._replace(delay=-61 * SECOND), Reason.TIME_ABSURD),
    Case("news before time began", fact(EventKind.NEWS, 0), Reason.TIME_ABSURD),
    Case("news without a word", fact(EventKind.NEWS, NOW, NAN, NAN, NAN, 0.0), Reason.EMPTY_NEWS),
    Case("the numbering says nothing of a fact", fact(EventKind.NEWS, NOW)._replace(sequence=10), Reason.ACCEPTED),
    Case("reference", fact(EventKind.REFERENCE, NOW), Reason.ACCEPTED),
    Case("reference of a code below 0", fact(EventKind.REFERENCE, NOW, -1.0), Reason.FACT_ABSURD),
    Case("reference that ends before it begins", fact(EventKind.REFERENCE, NOW, 1.0, 1.0, 5.0, 4.0), Reason.FACT_ABSURD),
    Case("context of a rank above 1", fact(EventKind.CONTEXT, NOW, *[NAN] * 5, 1.1), Reason.FACT_ABSURD),
    Case("context of returns as large as can be", fact(EventKind.CONTEXT, NOW, 1.0, -1.0, 1.0, -1.0), Reason.ACCEPTED),
    *(
        Case(f"context of a return in percent, number {place}", fact(EventKind.CONTEXT, NOW, *[NAN] * place, -1.01), Reason.FACT_ABSURD)
        for place in range(4)
    ),
    Case("session", fact(EventKind.SESSION, NOW, *SESSION), Reason.ACCEPTED),
    Case("session of which nothing is known", fact(EventKind.SESSION, NOW), Reason.FACT_ABSURD),
    Case(
        "session that closes before it opens",
        fact(EventKind.SESSION, NOW, SESSION[0], SESSION[2], *SESSION[1:2], *SESSION[3:]),
        Reason.FACT_ABSURD,
    ),
    Case("session of half a second", fact(EventKind.SESSION, NOW, SESSION[0], SESSION[1] + 0.5, *SESSION[2:]), Reason.FACT_ABSURD),
    Case("split of two for one", fact(EventKind.ADJUSTMENT, NOW, NOW / SECOND, 2.0), Reason.ACCEPTED),
    Case("dividend", fact(EventKind.ADJUSTMENT, NOW, NOW / SECOND, NAN, 1.0), Reason.ACCEPTED),
    Case("dividend of all that it costs", fact(EventKind.ADJUSTMENT, NOW, NOW / SECOND, NAN, 100.0), Reason.FACT_ABSURD),
    Case("split of nothing for one", fact(EventKind.ADJUSTMENT, NOW, NOW / SECOND, 0.0), Reason.FACT_ABSURD),
    Case("adjustment of a second that is still to come", fact(EventKind.ADJUSTMENT, NOW - 1, NOW / SECOND, 2.0), Reason.FACT_ABSURD),
    Case("adjustment of no time", fact(EventKind.ADJUSTMENT, NOW), Reason.FACT_ABSURD),
    Case("kind 0", Event(0, NOW), Reason.UNKNOWN_KIND),
    Case("kind 77", Event(77, NOW), Reason.UNKNOWN_KIND),
    Case("kind 255", Event(255, NOW), Reason.UNKNOWN_KIND),
]
QUARANTINE = ("book_quarantine", "quote_quarantine", "crossed_time")
REMEMBERED = {
    Reason.CLOCK_SKEW: ("plausibility",),
    Reason.PRICE_JUMP: ("plausibility", *QUARANTINE),
    Reason.CROSSED_BOOK: QUARANTINE,
    Reason.SEQUENCE_GAP: ("microstructure", *QUARANTINE),
}
"""What of the state an event may change that is rejected for a reason."""
NEEDS_A_STREAM = {Reason.FROZEN_QUOTE, Reason.LOCKED_BOOK}
"""Tested in test_plausibility: one event after a quiet minute cannot show them."""


def _state() -> SymbolState:
    """After a quiet minute, and a trade, a quote and a book at NOW."""
    state, minute = new_state(), [NOW - step * SECOND for step in range(60, 3, -2)]
    advance(state, columns_of([event for time in minute for event in (trade(time, 100.0), quote(time, 99.0, 101.0))]), SETTINGS)
    events = [trade(NOW, 100.0, sequence=10), quote(NOW, 99.0, 101.0, sequence=10), book(NOW, [99.0], [101.0], sequence=10)]
    assert advance(state, columns_of(events), SETTINGS).verdicts.tolist() == [0, 0, 0]
    return state


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_verdict(case: Case) -> None:
    """The reason is the expected one; an event that is not used changes a counter, and the quarantine where the book contradicts itself."""
    state, before = _state(), _state()
    result = advance(state, columns_of([case.event]), SETTINGS)
    assert Reason(result.verdicts[0]) is case.reason
    if case.reason is not Reason.ACCEPTED:
        assert not len(result.row_values)
        assert not len(result.bars)
        before["rejected"] += 1
        for field in REMEMBERED.get(case.reason, ()):
            before[field] = state[field]
        if "book_quarantine" in REMEMBERED.get(case.reason, ()):
            before["top"]["source"] = state["top"]["source"]
        assert state.tobytes() == before.tobytes()


def test_every_reason_of_the_firewall_has_a_case() -> None:
    covered = {case.reason for case in CASES}
    assert {reason for reason in Reason if reason < Reason.MALFORMED_FRAME} == covered | NEEDS_A_STREAM


def test_one_bad_event_does_not_take_the_next_one_with_it() -> None:
    """Payloads stay with their events when others are rejected."""
    events = [trade(NOW, NAN), trade(NOW, 101.0), Event(99, NOW), quote(NOW, 5.0, 4.0), quote(NOW, 7.0, 8.0), trade(NOW + SECOND, 102.0)]
    result = advance(new_state(), columns_of(events), SETTINGS)
    assert result.verdicts.tolist() == [Reason.NOT_A_NUMBER, 0, Reason.UNKNOWN_KIND, Reason.CROSSED_BOOK, 0, 0]
    assert result.row_price.tolist() == [101.0, 7.5]


def test_columns_of_unequal_length_are_refused_not_read_beyond() -> None:
    columns = columns_of([trade(NOW, 100.0), quote(NOW, 99.0, 101.0)])
    short_heads = advance(new_state(), columns._replace(event_time=columns.event_time[:1]), SETTINGS)
    assert short_heads.verdicts.tolist() == [Reason.COLUMN_LENGTH] * 2
    no_payload = advance(new_state(), columns._replace(quotes=columns.quotes[:0]), SETTINGS)
    assert no_payload.verdicts.tolist() == [0, Reason.COLUMN_LENGTH]
    thin_books = columns_of([book(NOW, [99.0], [101.0])])._replace(books=np.ones((1, 4, BOOK_DEPTH - 1)))
    assert advance(new_state(), thin_books, SETTINGS).verdicts.tolist() == [Reason.COLUMN_LENGTH]


def test_writable_columns_are_taken_too() -> None:
    columns = columns_of([trade(NOW, 100.0)])
    writable = columns._replace(**{name: column.copy() for name, column in columns._asdict().items()})
    assert advance(new_state(), writable, SETTINGS).verdicts.tolist() == [0]


def test_an_empty_frame_is_nothing() -> None:
    result = advance(new_state(), columns_of([]), SETTINGS)
    assert [len(field) for field in result] == [0] * len(result)


def test_kinds_are_those_of_the_wire() -> None:
    """The cases above know every kind."""
    assert {case.event.kind for case in CASES if case.event.kind in set(EventKind)} == set(EventKind)
