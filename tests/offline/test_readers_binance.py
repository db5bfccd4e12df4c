"""Binance captures: one item a message, exact times, symbols by market, a rebuilt book that equals the truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.gateway.detect import open_source
from jobs.gateway.market_event import MarketEvent, RejectedLine
from tests.support.book_flows import BOOK_CHANGES
from tests.support.market_files import MILLISECOND, START_NANOSECONDS, CaptureWriter, SlowBook, events_of, items_of, write_lines
from udfs.errors import Reason
from udfs.kernels.events import EventFlag, EventKind, Side

REUSES_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)


def small_capture(futures: bool = False) -> CaptureWriter:
    capture = CaptureWriter(futures=futures)
    capture.depth(1, 5, [(99.0, 2.0)], [], previous=0)
    capture.snapshot(3, [(98.0, 1.0)], [(101.0, 1.0)])
    capture.quote(5, (99.0, 2.0), (101.0, 1.0))
    capture.trade(7, 101.0, 0.25, buyer_is_maker=False)
    capture.depth(6, 8, [(99.0, 0.0)], [(100.5, 4.0)], previous=5)
    return capture


@pytest.mark.parametrize("name", ["spot_abcusdt.gz", "capture.txt"])
def test_every_message_becomes_one_event_with_both_times(tmp_path: Path, name: str) -> None:
    events = events_of(write_lines(tmp_path / name, small_capture().lines))
    assert [event.kind for event in events] == [EventKind.BOOK, EventKind.BOOK, EventKind.QUOTE, EventKind.TRADE, EventKind.BOOK]
    assert {event.symbol for event in events} == {"ABCUSDT.SPOT"}
    assert [event.available_time for event in events] == [START_NANOSECONDS + index * MILLISECOND for index in range(5)]
    ahead = [event.event_time - event.available_time for event in events]
    assert ahead == [1270 * MILLISECOND, 0, 0, 1270 * MILLISECOND, 1270 * MILLISECOND]
    assert [event.flags for event in events] == [EventFlag.UNSYNCHRONISED, EventFlag.SNAPSHOT, 0, 0, 0]
    assert [event.sequence for event in events] == [0, 5, 5, 7, 8]
    assert events[3].payload == (101.0, 0.25, Side.BUY)
    assert np.asarray(events[1].payload)[:, 0].tolist() == [99.0, 2.0, 101.0, 1.0]
    assert np.asarray(events[4].payload)[:, 0].tolist() == [98.0, 1.0, 100.5, 4.0]


def test_the_same_symbol_of_two_markets_has_two_names(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.gz", small_capture().lines)
    write_lines(tmp_path / "b.gz", small_capture(futures=True).lines)
    source = open_source(tmp_path)
    assert source.symbols == ("ABCUSDT.SPOT", "ABCUSDT.USDM")
    assert sum(1 for _ in source.events()) == 10


def test_futures_quotes_have_the_venue_time(tmp_path: Path) -> None:
    quote = next(
        event for event in events_of(write_lines(tmp_path / "x", small_capture(futures=True).lines)) if event.kind == EventKind.QUOTE
    )
    assert quote.event_time - quote.available_time == 1270 * MILLISECOND


BAD_MESSAGES = [
    "not json at all",
    f"{START_NANOSECONDS} " + '{"e":"trade"',
    f"{START_NANOSECONDS} " + '{"result":null,"id":1}',
    f"{START_NANOSECONDS} " + '{"e":"trade","s":"ABCUSDT","t":1,"p":"x","q":"1","T":1700000000000,"m":true}',
    f"{START_NANOSECONDS} " + '{"e":"kline","s":"ABCUSDT"}',
    f"{START_NANOSECONDS} " + '{"e":"trade","s":"ABCUSDT","t":1,"p":"1","q":"1","T":99999999999999999,"m":true}',
    f"{START_NANOSECONDS} " + '{"e":"depthUpdate","s":"ABCUSDT","U":9,"u":9,"E":1700000000000,"b":[["nan","1"]],"a":[]}',
    f"{START_NANOSECONDS} []",
    f"{START_NANOSECONDS} " + '{"e":{"x":1},"s":"ABCUSDT"}',
    "\x00\x01\x02",
]


@pytest.mark.parametrize("line", BAD_MESSAGES)
def test_a_bad_line_is_rejected_with_its_bytes_and_number_and_the_rest_is_read(tmp_path: Path, line: str) -> None:
    capture = small_capture()
    capture.lines.insert(3, line)
    items = items_of(write_lines(tmp_path / "spot.txt", capture.lines))
    rejected = [item for item in items if isinstance(item, RejectedLine)]
    assert len(items) == 6
    assert [(item.line_number, item.raw, item.reason) for item in rejected] == [(4, line.encode(), Reason.MALFORMED_INPUT_LINE)]


@pytest.mark.parametrize("futures", [False, True])
def test_a_rejected_depth_update_leaves_a_gap_in_the_book(tmp_path: Path, futures: bool) -> None:
    capture = small_capture(futures)
    capture.lines[-1] = capture.lines[-1][:-20]
    capture.depth(9, 9, [(97.0, 1.0)], [], previous=8)
    last = items_of(write_lines(tmp_path / "x.txt", capture.lines))[-1]
    assert isinstance(last, MarketEvent)
    assert last.flags == EventFlag.SEQUENCE_GAP | EventFlag.UNSYNCHRONISED


def test_aggregate_trades_beside_trades_repeat_a_trade_number(tmp_path: Path) -> None:
    capture = small_capture()
    aggregate = {
        "e": "aggTrade",
        "E": 1,
        "s": "ABCUSDT",
        "a": 2,
        "f": 6,
        "l": 7,
        "p": "101.0",
        "q": "1",
        "T": 1_700_000_000_000,
        "m": True,
        "M": True,
    }
    capture.add(dict(aggregate), "aggTrade")
    assert events_of(write_lines(tmp_path / "x", capture.lines))[-1].sequence == 7
    alone = CaptureWriter()
    alone.add(dict(aggregate), "aggTrade")
    event = events_of(write_lines(tmp_path / "alone", alone.lines))[-1]
    assert (event.sequence, event.payload) == (2, (101.0, 1.0, Side.SELL))


def test_partial_depth_streams_are_whole_books(tmp_path: Path) -> None:
    capture = small_capture()
    capture.add({"lastUpdateId": 50, "bids": [["90.0", "1"]], "asks": [["91.0", "2"]]}, "depth20@100ms")
    event = events_of(write_lines(tmp_path / "x", capture.lines))[-1]
    assert (event.kind, event.sequence, event.flags) == (EventKind.BOOK, 50, EventFlag.SNAPSHOT)
    assert np.asarray(event.payload)[:, 0].tolist() == [90.0, 1.0, 91.0, 2.0]


def test_lines_without_a_local_time_are_available_when_they_happened(tmp_path: Path) -> None:
    lines = [line.partition(" ")[2] for line in small_capture(futures=True).lines if "lastUpdateId" not in line]
    events = events_of(write_lines(tmp_path / "futures.jsonl", lines))
    assert all(event.available_time == event.event_time for event in events)


def test_a_compressed_file_that_breaks_off_ends_in_one_rejected_line(tmp_path: Path) -> None:
    capture = CaptureWriter()
    for number in range(2000):
        capture.trade(number + 1, 100.0 + number % 7, 1.0 + number % 11, buyer_is_maker=number % 2 == 0)
    path = write_lines(tmp_path / "spot.gz", capture.lines)
    path.write_bytes(path.read_bytes()[:-2000])
    items = items_of(path)
    assert [type(item) for item in items].count(RejectedLine) <= 2
    last = items[-1]
    assert isinstance(last, RejectedLine)
    assert "breaks off" in last.detail


@REUSES_FOLDER
@given(changes=BOOK_CHANGES, snapshot_after=st.integers(0, 30), lag=st.integers(0, 5), futures=st.booleans())
def test_the_rebuilt_book_equals_the_true_one_after_the_snapshot(
    tmp_path: Path, changes: list[tuple[list[tuple[float, float]], list[tuple[float, float]]]], snapshot_after: int, lag: int, futures: bool
) -> None:
    capture, truth, expected = CaptureWriter(futures=futures), SlowBook(), []
    snapshot: tuple[int, list[tuple[float, float]], list[tuple[float, float]]] | None = None
    for index, (bids, asks) in enumerate([([], []), *changes]):
        if index == min(snapshot_after, len(changes)):
            snapshot = (index * 4, list(truth.bids.items()), list(truth.asks.items()))
        if snapshot is not None and index == min(snapshot_after + lag, len(changes)):
            capture.snapshot(*snapshot)
            expected.append(truth.best(1))
        truth.apply(bids, asks)
        capture.depth(index * 4 + 1, index * 4 + 4, bids, asks, previous=index * 4)
        expected.append(truth.best(1))
    events = events_of(write_lines(tmp_path / "x.txt", capture.lines))
    assert len(events) == len(capture.lines)
    usable = [(event, best) for event, best in zip(events, expected, strict=True) if not event.flags & EventFlag.UNSYNCHRONISED]
    assert usable
    for event, (bid, ask) in usable:
        levels = np.asarray(event.payload)
        found = [[(price, quantity)] if price == price else [] for price, quantity in (levels[:2, 0], levels[2:, 0])]
        assert found == [bid, ask]


def test_json_numbers_may_be_written_as_numbers(tmp_path: Path) -> None:
    line = json.dumps(
        {"e": "trade", "E": 1700000000000, "T": 1700000000000, "s": "ABC", "t": 1, "p": 1.5, "q": 2, "m": False, "X": "MARKET"}
    )
    assert events_of(write_lines(tmp_path / "x", [line]))[0].payload == (1.5, 2.0, Side.BUY)
