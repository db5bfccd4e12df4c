"""Vendor files: bars, Tardis, CME, foreign exchange and LOBSTER pairs."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from jobs.gateway.detect import open_source
from jobs.gateway.market_event import RejectedLine
from tests.support.market_files import events_of, items_of, write_lines, write_zip
from udfs.kernels.events import EventFlag, EventKind, TradingStatus

NANOSECONDS = 1_000_000_000


def utc(text: str) -> int:
    """Nanoseconds of a UTC time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NANOSECONDS


def test_minute_bars_carry_the_time_of_their_end(tmp_path: Path) -> None:
    lines = ["date,ToD,open,high,low,close,volume", "2018-02-16,09:31:00,1,4,0.5,2,10.0"]
    event = events_of(write_lines(tmp_path / "ABC.csv.gz", lines))[0]
    assert (event.symbol, event.event_time, event.payload) == ("ABC", utc("2018-02-16 14:31:00"), (1.0, 4.0, 0.5, 2.0, 10.0, 60.0))


def test_daily_bars_end_at_midnight_in_new_york(tmp_path: Path) -> None:
    scaled = events_of(write_zip(tmp_path / "abc.zip", "abc.csv", ["19980102 00:00,10000,40000,5000,20000,10"]))[0]
    plain = events_of(
        write_lines(tmp_path / "ABC.csv", ["Date,Open,High,Low,Close,Adj Close,Volume", "1998-01-02,1.0,4.0,0.5,2.0,1.9,10"])
    )[0]
    assert scaled == plain
    assert (scaled.event_time, scaled.payload) == (utc("1998-01-03 05:00:00"), (1.0, 4.0, 0.5, 2.0, 10.0, 86_400.0))


TARDIS = "exchange,symbol,timestamp,local_timestamp,"


def test_tardis_trades_and_quotes_have_both_times(tmp_path: Path) -> None:
    trades = write_lines(tmp_path / "t.csv", [TARDIS + "id,side,price,amount", "x,abc,1583020803145000,1583020803307160,q,sell,8531.5,21"])
    event = events_of(trades)[0]
    assert (event.symbol, event.event_time, event.available_time) == ("ABC.X", 1583020803145000000, 1583020803307160000)
    assert event.payload == (8531.5, 21.0, -1.0)
    quotes = write_lines(
        tmp_path / "q.csv", [TARDIS + "ask_amount,ask_price,bid_price,bid_amount", "x,abc,1,2,5,10.5,10.25,7", "x,abc,1,2,,,10.25,7"]
    )
    first, second = events_of(quotes)
    assert first.payload == (10.25, 7.0, 10.5, 5.0)
    assert math.isnan(second.payload[2])


def test_tardis_book_snapshots_are_whole_books(tmp_path: Path) -> None:
    columns = ",".join(f"asks[{i}].price,asks[{i}].amount,bids[{i}].price,bids[{i}].amount" for i in range(2))
    event = events_of(write_lines(tmp_path / "b.csv", [TARDIS + columns, "x,abc,1,2,11,1,10,2,12,3,9,4"]))[0]
    levels = np.asarray(event.payload)
    assert event.flags == EventFlag.SNAPSHOT
    assert levels[:, :2].tolist() == [[10, 9], [2, 4], [11, 12], [1, 3]]
    assert np.isnan(levels[:, 2:]).all()


def test_tardis_rows_of_one_change_carry_the_book_after_all_of_them(tmp_path: Path) -> None:
    rows = [
        "x,abc,1,100,false,bid,5,1",
        "x,abc,1,200,true,bid,10,2",
        "x,abc,1,200,true,ask,11,1",
        "x,abc,2,300,false,ask,11,0",
        "x,abc,2,300,false,nonsense,11,0",
        "x,abc,2,300,false,bid,11,3",
        "x,abc,2,300,false,ask,12,4",
    ]
    items = items_of(write_lines(tmp_path / "i.csv", [TARDIS + "is_snapshot,side,price,amount", *rows]))
    events = [item for item in items if not isinstance(item, RejectedLine)]
    assert len(items) == len(rows)
    assert [event.flags for event in events] == [EventFlag.UNSYNCHRONISED, EventFlag.SNAPSHOT, EventFlag.SNAPSHOT, 0, 0, 0]
    tops = [np.asarray(event.payload)[:, 0].tolist() for event in events[1:]]
    assert tops == [[10.0, 2.0, 11.0, 1.0]] * 2 + [[11.0, 3.0, 12.0, 4.0]] * 3


MBP_HEADER = "ts_event_ns,ts_recv_ns,instrument_id,price,size,action,side,flags,depth,sequence,bid_px,ask_px,bid_sz,ask_sz,bid_ct,ask_ct"


def test_cme_rows_of_one_packet_keep_increasing_numbers_by_kind(tmp_path: Path) -> None:
    rows = [
        "1719878281218218853,1719878281218485389,118,5528.75,2,T,B,0,0,900,5528.5,5528.75,29,6,22,3",
        "1719878281218218853,1719878281218485389,118,5528.75,1,T,A,0,0,900,5528.5,5528.75,29,6,22,3",
        "1719878281218218853,1719878281218493289,118,5528.75,2,C,A,130,0,900,5528.5,,29,,22,3",
    ]
    events = events_of(write_lines(tmp_path / "mbp.csv", [MBP_HEADER, *rows]))
    assert [event.kind for event in events] == [EventKind.TRADE, EventKind.TRADE, EventKind.QUOTE]
    assert [event.payload for event in events[:2]] == [(5528.75, 2.0, 1.0), (5528.75, 1.0, -1.0)]
    assert events[0].sequence < events[1].sequence
    assert events[2].payload[:2] == (5528.5, 29.0)
    assert math.isnan(events[2].payload[2])
    assert (events[0].event_time, events[0].available_time) == (1719878281218218853, 1719878281218485389)


def test_cme_bars_end_one_length_after_their_time(tmp_path: Path) -> None:
    lines = ["ts_event_ns,instrument_id,open,high,low,close,volume", "1719877200000000000,118,1,4,0.5,2,180"]
    event = events_of(write_lines(tmp_path / "futures_ohlcv-1h_x.csv", lines))[0]
    assert (event.symbol, event.event_time, event.payload[5]) == ("118", 1719880800000000000, 3600.0)


def test_foreign_exchange_quotes_have_no_sizes(tmp_path: Path) -> None:
    written = events_of(
        write_lines(tmp_path / "usdjpy-ticks.csv", ["timestamp,bid,ask", "2013-01-01 22:00:00.295000+00:00,86.655,86.728"])
    )[0]
    compact = events_of(write_lines(tmp_path / "DAT_ASCII_EURUSD_T_2020.csv", ["20200701 170000065,1.121200,1.121720,0"]))[0]
    assert (written.symbol, written.event_time) == ("USDJPY", utc("2013-01-01 22:00:00") + 295_000_000)
    assert (compact.symbol, compact.event_time) == ("EURUSD", utc("2020-07-01 22:00:00") + 65_000_000)
    assert (compact.payload[0], compact.payload[2]) == (1.1212, 1.12172)
    assert (compact.payload[1], compact.payload[3]) == (0.0, 0.0)


MESSAGES = [
    "34200.017459617,1,1,18,5853300,1",
    "34200.1,3,1,18,5853300,1",
    "34200.189607670,4,2,21,5859100,1",
    "34200.2,5,0,1,5859200,-1",
    "34200.3,6,-1,500,5859200,-1",
    "34200.4,7,0,0,-1,-1",
    "34200.5,7,0,0,1,-1",
]
BOOK_ROW = "5859400,200,5853300,18,5859800,200,-9999999999,0"


def write_pair(folder: Path, messages: list[str], rows: list[str]) -> Path:
    """A message file and its book file."""
    write_lines(folder / "ABC_2012-06-21_34200000_57600000_orderbook_2.csv", rows)
    return write_lines(folder / "ABC_2012-06-21_34200000_57600000_message_2.csv", messages)


def test_lobster_messages_become_books_trades_and_statuses(tmp_path: Path) -> None:
    write_pair(tmp_path, MESSAGES, [BOOK_ROW] * len(MESSAGES))
    events = events_of(tmp_path)
    kinds = [EventKind.BOOK, EventKind.BOOK, EventKind.TRADE, EventKind.TRADE, EventKind.TRADE, EventKind.STATUS, EventKind.STATUS]
    assert [event.kind for event in events] == kinds
    assert events[0].event_time == utc("2012-06-21 13:30:00") + 17_459_617
    assert [event.payload for event in events[2:]] == [
        (585.91, 21.0, -1.0),
        (585.92, 1.0, 1.0),
        (585.92, 500.0, 0.0),
        (TradingStatus.HALTED,),
        (TradingStatus.OPEN,),
    ]
    levels = np.asarray(events[0].payload)
    assert levels[:, 0].tolist() == [585.33, 18.0, 585.94, 200.0]
    assert np.isnan(levels[:2, 1]).all()
    assert levels[2:, 1].tolist() == [585.98, 200.0]


@pytest.mark.parametrize(("messages", "rows"), [(3, 2), (2, 3)])
def test_lobster_lines_without_a_partner_are_rejected(tmp_path: Path, messages: int, rows: int) -> None:
    items = items_of(write_pair(tmp_path, MESSAGES[:messages], [BOOK_ROW] * rows))
    assert [isinstance(item, RejectedLine) for item in items] == [False, False, True]


def test_a_lobster_message_file_alone_says_what_is_missing(tmp_path: Path) -> None:
    write_pair(tmp_path, MESSAGES, [BOOK_ROW] * len(MESSAGES))
    write_lines(tmp_path / "XYZ_2012-06-21_34200000_57600000_message_2.csv", MESSAGES)
    reasons = dict(open_source(tmp_path).skipped)
    assert reasons["XYZ_2012-06-21_34200000_57600000_message_2.csv"] == "its orderbook file is missing"
