"""The decision without an event is what the log without that event gives, and the moment of a row is that of its event."""

from __future__ import annotations

import math

from jobs.explanation.left_out import without_each
from jobs.explanation.made_again import MadeAgain, Recent
from jobs.explanation.moment import moment_of, up_to
from jobs.lake.reading import StoredFrame
from tests.support.busy_market import busy_market, lopsided, model_entries, models
from tests.support.control_memory import SYMBOL, MemoryReader, fetch_from, frame_of
from tests.support.kernel_events import MIDNIGHT, SECOND, Event, trade
from udfs.codecs.state_blob import pack_state
from udfs.codecs.wire import PINNED
from udfs.kernels.events import FACT_NUMBERS, EventKind
from udfs.kernels.signal_rules import Thresholds
from udfs.kernels.symbol_state import new_state
from udfs.operators.control_log import ControlLog, ControlLogSettings
from udfs.operators.control_state import ControlSnapshot
from udfs.operators.symbol_processor import PricedRow, SymbolProcessor
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import Position, Signal

SETTINGS = WorkerSettings("manifest", ControlLogSettings("memory"), thresholds=Thresholds(0.0, 0.0))
PIECE = 40


def control() -> ControlLog:
    return ControlLog(MemoryReader(model_entries("first")), fetch_from(models()))


def frames_of(events: list[Event]) -> list[StoredFrame]:
    pieces = [events[first : first + PIECE] for first in range(0, len(events), PIECE)]
    return [
        StoredFrame(SYMBOL, MIDNIGHT, Position("market.frames", 2, place), frame_of(piece, 1), "") for place, piece in enumerate(pieces)
    ]


def last_of(events: list[Event], kind: type) -> object | None:
    """The last row or signal that the events make, if it is made at the last of them."""
    processor, blob, records = SymbolProcessor(SETTINGS, control()), None, []
    for frame in frames_of(events):
        outcome = processor.process(SYMBOL, frame.frame, frame.position, blob)
        blob, records = outcome.state or blob, outcome.records
    made = [record for record in records if isinstance(record, kind)]
    at_the_end = [record for record in made if _event_index(record) == (len(events) - 1) % PIECE]
    return at_the_end[-1] if at_the_end else None


def _event_index(record: object) -> int:
    return record.row.position.event_index if isinstance(record, PricedRow) else record.position.event_index  # type: ignore[attr-defined]


def made_again(events: list[Event], later: list[Event]) -> MadeAgain:
    """The signal at the last of the events, whose frame holds later ones too."""
    row, signal = last_of(events, PricedRow), last_of(events, Signal)
    assert isinstance(row, PricedRow)
    assert isinstance(signal, Signal)
    recent = Recent(tuple(frames_of([*events, *later])), pack_state(new_state()), SETTINGS, control())
    return MadeAgain(signal, row, ControlSnapshot(), len(recent.frames), recent)


def market() -> tuple[list[Event], list[Event]]:
    """Events up to a row in the middle of a frame, and what follows in that frame."""
    events = busy_market(2, 150)
    start = events[-1].event_time
    events += [news(start + SECOND), trade(start + 2 * SECOND, 101.0), lopsided(start + 3 * SECOND, 0.7)]
    events = events[len(events) % PIECE :][-3 * PIECE :]
    whole = [*events, trade(start + 4 * SECOND, 100.0), lopsided(start + 5 * SECOND, -0.9)]
    return whole, [trade(start + 6 * SECOND, 90.0), lopsided(start + 7 * SECOND, 0.9)]


def news(time: int) -> Event:
    return Event(EventKind.NEWS, time, (math.nan,) * FACT_NUMBERS, sequence=7)


def test_the_decision_without_an_event_is_that_of_the_log_without_it() -> None:
    events, later = market()
    found = without_each(made_again(events, later))
    assert [each["without"] for each in found].count("news") == 1
    assert [each["without"] for each in found].count("trade") == 5
    assert [each["event_time_ns"] for each in found] == sorted((each["event_time_ns"] for each in found), reverse=True)
    for each in found:
        place = each["kafka_offset"] * PIECE + each["event_index"]
        expected = last_of(_without(events, place), Signal)
        assert each["row"] == isinstance(expected, Signal)
        if isinstance(expected, Signal):
            assert (each["direction"], each["confidence"]) == (expected.direction.name.lower(), expected.confidence)
            assert each["expected_return"] == expected.expected_return


def _without(events: list[Event], place: int) -> list[Event]:
    return [*events[:place], *events[place + 1 :]]


def test_the_moment_is_that_of_the_event_and_not_of_the_frames_end() -> None:
    events, later = market()
    again = made_again(events, later)
    walk = again.recent.walk()
    for frame in again.recent.frames[:-1]:
        walk.over(frame)
    cut = up_to(again.recent.frame.frame, again.row.row.position.event_index, PINNED.framing("MarketFrame"))
    walk.over(again.recent.frame._replace(frame=cut))
    moment = moment_of(walk.state())
    assert moment["clock_ns"] == events[-1].event_time
    assert moment["book"]["levels"][0]["bid_size"] < moment["book"]["levels"][0]["ask_size"], "the later book leans the other way"
    assert moment["windows"]["seconds"][-1]["second"] == events[-1].event_time // SECOND
    assert {bar["length_seconds"] for bar in moment["windows"]["open_bars"]} >= {60}
