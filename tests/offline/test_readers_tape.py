"""The US tape: times, prices, which trades count, and both kinds of quote file."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.gateway.detect import open_source
from jobs.gateway.market_event import RejectedLine
from tests.support.market_files import events_of, items_of, write_lines, write_zip
from udfs.kernels.events import EventFlag, EventKind

NANOSECONDS = 1_000_000_000
REUSES_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)


def utc(text: str) -> int:
    """Nanoseconds of a UTC time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * NANOSECONDS


@pytest.mark.parametrize(("day", "hours"), [("20131007", 4), ("20131231", 5)])
def test_milliseconds_since_midnight_in_new_york_follow_daylight_saving(tmp_path: Path, day: str, hours: int) -> None:
    path = write_zip(tmp_path / f"abc_{day}_trade.zip", f"{day}_abc_Trade_Tick.csv", ["34200123,123400,100,P,1,0"])
    event = events_of(path)[0]
    assert event.event_time == utc(f"{day[:4]}-{day[4:6]}-{day[6:]} {9 + hours:02d}:30:00") + 123_000_000
    assert (event.symbol, event.payload) == ("ABC", (12.34, 100.0, 0.0))


@pytest.mark.parametrize(
    ("condition", "suspicious", "counts"),
    [
        ("1", 0, True),
        ("20000001", 0, True),
        ("2000", 0, True),
        ("20002020", 0, True),
        ("40", 0, True),
        ("20000080", 0, True),
        ("20", 0, False),
        ("20000020", 0, False),
        ("20100200", 0, False),
        ("4800", 0, False),
        ("1", 1, False),
    ],
)
def test_which_trades_count_for_the_price(tmp_path: Path, condition: str, suspicious: int, counts: bool) -> None:
    line = f"34200000,123400,100,P,{condition},{suspicious}"
    event = events_of(write_lines(tmp_path / "20131007_abc_Trade_Tick.csv", [line]))[0]
    assert event.flags == (0 if counts else EventFlag.VOLUME_ONLY)


def quote_rows(quotes: list[tuple[str, int, int, bool]]) -> list[str]:
    """Rows of exchange, price, size and whether it is a bid."""
    return [
        f"{34_200_000 + index},{price},{size},0,0,{exchange},1,0" if is_bid else f"{34_200_000 + index},0,0,{price},{size},{exchange},1,0"
        for index, (exchange, price, size, is_bid) in enumerate(quotes)
    ]


def test_rows_of_a_consolidated_file_are_the_national_best(tmp_path: Path) -> None:
    """The market falls, each new best set by another exchange: the best kept per exchange would be crossed."""
    quotes = [(exchange, 100_000 - step * 100 + (0 if is_bid else 100), 100 + step, is_bid)
              for step, exchange in enumerate("NPQZKNPQZK") for is_bid in (True, False)]  # fmt: skip
    events = events_of(write_lines(tmp_path / "20131007_abc_quote_tick.csv", quote_rows(quotes)))
    assert len(events) == len(quotes)
    assert math.isnan(events[0].payload[2])
    assert events[-1].payload == (9.91, 109.0, 9.92, 109.0)


EXCHANGE_QUOTES = st.lists(
    st.tuples(st.sampled_from("NPQZ"), st.integers(0, 9), st.sampled_from((0, 100, 200)), st.booleans()), min_size=1, max_size=60
)


@REUSES_FOLDER
@given(EXCHANGE_QUOTES)
def test_rows_by_exchange_give_the_best_over_exchanges_with_sizes_added(tmp_path: Path, drawn: list[tuple[str, int, int, bool]]) -> None:
    quotes = [
        (exchange, (100_000 + ticks * 100 if not is_bid else 90_000 - ticks * 100), size, is_bid) for exchange, ticks, size, is_bid in drawn
    ]
    events = events_of(write_lines(tmp_path / "20131007_abc_quote_tick.csv", quote_rows(quotes)))
    books: dict[bool, dict[str, tuple[int, int]]] = {True: {}, False: {}}
    for event, (exchange, price, size, is_bid) in zip(events, quotes, strict=True):
        books[is_bid].pop(exchange, None)
        if size:
            books[is_bid][exchange] = (price, size)
        for side, pick, offset in ((True, max, 0), (False, min, 2)):
            found = event.payload[offset : offset + 2]
            if books[side]:
                best = pick(price for price, _ in books[side].values())
                assert found == (best / 10_000, sum(size for price, size in books[side].values() if price == best))
            else:
                assert all(math.isnan(number) for number in found)


def test_quotes_come_before_trades_of_the_same_millisecond(tmp_path: Path) -> None:
    write_zip(tmp_path / "abc_20131007_trade.zip", "20131007_abc_Trade_Tick.csv", ["34200000,123400,100,P,1,0"])
    write_zip(tmp_path / "abc_20131007_quote.zip", "20131007_abc_Quote_Tick.csv", ["34200000,123300,100,0,0,P,1,0"])
    assert [event.kind for event in events_of(tmp_path)] == [EventKind.QUOTE, EventKind.TRADE]


def test_bars_are_read_only_where_the_ticks_are_missing(tmp_path: Path) -> None:
    bar = ["34200000,100000,120000,90000,110000,500"]
    write_zip(tmp_path / "tick" / "abc_20131007_trade.zip", "20131007_abc_Trade_Tick.csv", ["34200000,123400,100,P,1,0"])
    write_zip(tmp_path / "minute" / "abc_20131007_trade.zip", "20131007_abc_minute_trade.csv", bar)
    write_zip(tmp_path / "second" / "abc_20131007_trade.zip", "20131007_abc_second_trade.csv", bar)
    write_zip(tmp_path / "minute" / "xyz_20131007_trade.zip", "20131007_xyz_minute_trade.csv", bar)
    source = open_source(tmp_path)
    assert sorted((event.symbol, event.kind) for event in source.events() if not isinstance(event, RejectedLine)) == [
        ("ABC", EventKind.TRADE),
        ("XYZ", EventKind.BAR),
    ]
    assert [file.partition("!")[0] for file, _ in source.skipped] == ["minute/abc_20131007_trade.zip", "second/abc_20131007_trade.zip"]


def test_tape_bars_end_one_length_after_the_time_in_the_file(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "abc_20131007_trade.zip", "20131007_abc_minute_trade.csv", ["34200000,100000,120000,90000,110000,500"])
    event = events_of(path)[0]
    assert (event.event_time, event.payload) == (utc("2013-10-07 13:31:00"), (10.0, 12.0, 9.0, 11.0, 500.0, 60.0))
    quotes = write_zip(tmp_path / "q.zip", "20131007_abc_second_quote.csv", ["34200000,1,2,3,100000,7,4,5,6,100100,8"])
    event = events_of(quotes)[0]
    assert (event.event_time, event.payload) == (utc("2013-10-07 13:30:01"), (10.0, 7.0, 10.01, 8.0))


@pytest.mark.parametrize(
    "line", ["34200000,123400,100,P,1", "x,123400,100,P,1,0", "34200000,12.5,100,P,1,0", "34200000,1,1,P,zz,0", ",,,,,"]
)
def test_bad_rows_are_rejected_one_by_one(tmp_path: Path, line: str) -> None:
    good = "34200000,123400,100,P,1,0"
    items = items_of(write_lines(tmp_path / "20131007_abc_Trade_Tick.csv", [good, line, good]))
    assert [isinstance(item, RejectedLine) for item in items] == [False, True, False]
