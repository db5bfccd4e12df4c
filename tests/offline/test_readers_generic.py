"""CSV and Parquet by a column mapping."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.gateway.detect import open_source
from jobs.gateway.market_event import Item, MarketEvent, RejectedLine
from jobs.gateway.readers.column_mapping import parse_mapping
from tests.support.market_files import events_of, write_lines
from udfs.errors import SourceError
from udfs.kernels.events import EventKind

START = 1_704_067_200_000_000_000


def read(path: Path, columns: str) -> list[Item]:
    """Items by a mapping."""
    return list(open_source(path, parse_mapping(columns)).events())


def test_trades_by_name(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "x.csv", ["ticker,ts,px,qty,who", "ABC,1704067200123,1005,2,buy", "XYZ,1704067200124,1010,,sell", "ABC,oops,1,1,buy"]
    )
    items = read(path, "time=ts,price=px,size=qty,symbol=ticker,side=who,time_unit=ms,price_scale=100")
    assert items[0] == MarketEvent("ABC", EventKind.TRADE, START + 123_000_000, START + 123_000_000, 0, 0, (10.05, 2.0, 1.0))
    assert isinstance(items[1], MarketEvent)
    assert items[1].symbol == "XYZ"
    assert math.isnan(items[1].payload[1])
    assert isinstance(items[2], RejectedLine)


def test_columns_by_number_for_a_file_without_a_header(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "abc.txt", ["1704067200;9.5;1;10;2", "1704067199.5;9.5;1;10;2"])
    items = read(path, "time=0,bid=1,bid_size=2,ask=3,ask_size=4,time_unit=s,delimiter=;")
    assert [(item.event_time, item.available_time) for item in items if isinstance(item, MarketEvent)] == [
        (START, START),
        (START - 500_000_000, START),
    ]
    assert all(isinstance(item, MarketEvent) and (item.symbol, item.payload) == ("ABC", (9.5, 1.0, 10.0, 2.0)) for item in items)


def test_bars_may_be_timed_by_their_start_in_a_zone(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "abc.csv", ["t,o,h,l,c,v", "2023-12-31 19:00:00,1,4,0.5,2,10"])
    mapping = tmp_path / "columns.toml"
    mapping.write_text(
        '[columns]\ntime="t"\nopen="o"\nhigh="h"\nlow="l"\nclose="c"\nvolume="v"\nbar_time="start"\nbar_seconds=300\ntime_zone="America/New_York"\n'
    )
    items = read(path, str(mapping))
    assert items == [MarketEvent("ABC", EventKind.BAR, START + 300 * 10**9, START + 300 * 10**9, 0, 0, (1.0, 4.0, 0.5, 2.0, 10.0, 300.0))]


def test_usual_names_need_no_mapping_and_bars_tell_their_length(tmp_path: Path) -> None:
    lines = ["Timestamp,Open,High,Low,Close,Volume", "2024-01-01,1,4,0.5,2,10", "2024-01-02,1,4,0.5,2,10"]
    first, second = events_of(write_lines(tmp_path / "abc.csv", lines))
    assert (first.event_time, first.payload) == (START, (1.0, 4.0, 0.5, 2.0, 10.0, 86_400.0))
    assert second.event_time == START + 86_400 * 10**9


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_parquet_keeps_nanoseconds_in_and_without_a_zone(tmp_path: Path, zone: str | None) -> None:
    times = pa.array([START + 123_456_789, START + 1, None], pa.timestamp("ns", tz=zone))
    table = pa.table({"ts": times, "px": [1.5, 2.5, 3.5], "qty": [1, 2, 3], "sym": ["A", "B", "C"]})
    pq.write_table(table, tmp_path / "x.parquet")
    items = read(tmp_path / "x.parquet", "time=ts,price=px,size=qty,symbol=sym")
    assert [item.event_time for item in items if isinstance(item, MarketEvent)] == [START + 123_456_789, START + 1]
    rejected = items[2]
    assert isinstance(rejected, RejectedLine)
    assert rejected.line_number == 3


def test_a_wrong_mapping_tells_all_its_problems() -> None:
    with pytest.raises(SourceError) as raised:
        parse_mapping("when=ts,time_unit=h,bar_time=middle,price_scale=x")
    message = str(raised.value)
    assert all(
        words in message for words in ("'when' is not known", "no `time` column", "neither trades", "time_unit", "bar_time", "price_scale")
    )


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "x.csv", ["a,b", "1,2"])
    with pytest.raises(SourceError, match=r"column 'ts' not found; the file has a, b"):
        open_source(path, parse_mapping("time=ts,price=b"))
