"""Tables of instruments and corporate actions: read strictly, asked point in time."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from jobs.reference.corporate_actions import read_actions
from jobs.reference.instruments import BUCKETS, SECTORS, read_instruments
from udfs.errors import SourceError

HEADER = "symbol,valid_from,available_from,sector,market_cap_bucket,calendar,listed_on,delisted_on"


def written(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_row_is_read_as_it_says(tmp_path: Path) -> None:
    row = "A,2024-01-02,2024-01-03T12:00:00+00:00,Energy,large,XNYS,2000-01-01,"
    table = read_instruments(written(tmp_path / "i.csv", HEADER, row))
    found = table.at("A", 1_800_000_000.0, 1_800_000_000.0)
    assert found is not None
    assert (SECTORS[int(found.sector)], BUCKETS[int(found.market_cap_bucket)], found.calendar) == ("energy", "large", "XNYS")
    begin = 1_704_153_600.0 + 5 * 3600
    assert (found.valid_from, found.available_from, found.listed) == (begin, 1_704_283_200.0, 946_684_800.0 + 5 * 3600)
    assert math.isnan(found.delisted)
    assert table.at("A", begin, begin) is None
    assert table.sector_at("A", begin) == -1
    assert table.next_change("A", 946_702_800.0) == begin


def test_a_date_without_a_calendar_is_utc_and_with_a_default_one_the_exchanges(tmp_path: Path) -> None:
    path = written(tmp_path / "i.csv", HEADER, "A,2024-07-02,,energy,,,,", "A,2024-07-02T01:00:00,,utilities,,,,")
    for calendar, begin in (("", 1_719_878_400.0), ("XNYS", 1_719_878_400.0 + 4 * 3600)):
        table = read_instruments(path, calendar)
        assert [SECTORS[table.sector_at("A", begin + second)] for second in (1.0, 7200.0)] == (
            ["energy", "utilities"] if not calendar else ["energy", "energy"]
        )


def test_a_correction_counts_from_when_it_was_known(tmp_path: Path) -> None:
    """Two rows that hold from the same day: the later one is in force once it was available."""
    rows = "A,2024-01-02,2024-01-02,energy,,,,", "A,2024-01-02,2024-02-01,utilities,,,,"
    table = read_instruments(written(tmp_path / "i.csv", HEADER, *rows))
    january, february = 1_704_283_200.0, 1_707_000_000.0
    assert [SECTORS[table.sector_at("A", time)] for time in (january, february)] == ["energy", "utilities"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("A,2024-13-02,,,,,,", "valid_from is '2024-13-02', expected an ISO date"),
        ("A,,,enargy,,,,", "sector is 'enargy', expected one of communication services"),
        ("A,,,,huge,,,", "market_cap_bucket is 'huge', expected one of nano, micro"),
        (",,,,,,,", "symbol is empty"),
        ("A,,,,,,2020-01-01,2019-01-01", "delisted_on 2019-01-01 lies before listed_on 2020-01-01"),
    ],
)
def test_every_problem_is_told_with_its_row(tmp_path: Path, row: str, problem: str) -> None:
    with pytest.raises(SourceError, match="row 3: ") as caught:
        read_instruments(written(tmp_path / "i.csv", HEADER, "B,,,,,,,", row))
    assert problem in str(caught.value)


def test_columns_must_be_known(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="column symbol is missing; column ticker is not known"):
        read_instruments(written(tmp_path / "i.csv", "ticker,sector", "A,energy"))
    with pytest.raises(SourceError, match="not found; expected a CSV or Parquet file"):
        read_instruments(tmp_path / "none.csv")


def test_parquet_is_read_the_same(tmp_path: Path) -> None:
    parquet.write_table(pa.table({"symbol": ["A"], "sector": ["energy"], "listed_on": [None]}), tmp_path / "i.parquet")
    assert SECTORS[read_instruments(tmp_path / "i.parquet").sector_at("A", 0.0)] == "energy"


def test_actions_of_one_time_are_one(tmp_path: Path) -> None:
    lines = "symbol,effective_from,split_factor,cash_dividend", "A,2024-06-10,10,", "A,2024-06-10,,0.04", "A,2020-08-31,4,"
    (old, new) = read_actions(written(tmp_path / "a.csv", *lines), new_york)["A"]
    assert (old.split_factor, new.split_factor, new.cash_dividend) == (4.0, 10.0, 0.04)
    assert math.isnan(old.cash_dividend)
    assert new.effective == 1_717_977_600.0 + 4 * 3600


def new_york(symbol: str, second: float) -> str:
    return "XNYS"


@pytest.mark.parametrize(
    ("calendar", "day", "begin"),
    [
        ("XNYS", "2024-01-16", "2024-01-16T05:00:00+00:00"),
        ("XNYS", "20240716", "2024-07-16T04:00:00+00:00"),
        ("XNYS", "2024-01-15", "2024-01-15T05:00:00+00:00"),
        ("XNYS", "1985-01-15", "1985-01-15T05:00:00+00:00"),
        ("XTKS", "2024-01-16", "2024-01-15T15:00:00+00:00"),
        ("CMES", "2024-01-17", "2024-01-16T23:00:00+00:00"),
        ("24/7", "2024-01-16", "2024-01-16T00:00:00+00:00"),
    ],
    ids=["winter", "summer", "holiday", "long ago", "Tokyo", "opens the evening before", "never closed"],
)
def test_a_date_of_an_action_begins_with_the_day_of_its_exchange(tmp_path: Path, calendar: str, day: str, begin: str) -> None:
    """Midnight UTC is 19:00 in New York in winter: trades until 20:00 are still in the old units."""
    table = written(tmp_path / "a.csv", "symbol,effective_from,split_factor", f"A,{day},2")
    ((action,),) = read_actions(table, lambda symbol, second: calendar).values()
    assert action.effective == datetime.fromisoformat(begin).timestamp()


def test_a_date_of_an_action_needs_a_calendar_and_a_time_does_not(tmp_path: Path) -> None:
    lines = "symbol,effective_from,split_factor", "A,2024-01-16T09:00:00,2"
    ((action,),) = read_actions(written(tmp_path / "a.csv", *lines), no_calendar).values()
    assert action.effective == 1_705_395_600.0
    with pytest.raises(SourceError, match="row 3: 2024-01-16 is a date, and B has no calendar that tells when it begins"):
        read_actions(written(tmp_path / "a.csv", *lines, "B,2024-01-16,2"), no_calendar)
    with pytest.raises(SourceError, match="row 2: calendar 'XXXX' is not known"):
        read_actions(written(tmp_path / "a.csv", *lines[:1], "A,2024-01-16,2"), lambda symbol, second: "XXXX")


def no_calendar(symbol: str, second: float) -> str:
    return ""


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("A,2024-06-10,-2,", "split_factor is -2, expected above 0"),
        ("A,2024-06-10,two,", "split_factor is 'two', expected a number"),
        ("A,2024-06-10,,", "neither split_factor nor cash_dividend"),
        ("A,,2,", "effective_from is empty"),
    ],
)
def test_actions_must_make_sense(tmp_path: Path, row: str, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        read_actions(written(tmp_path / "a.csv", "symbol,effective_from,split_factor,cash_dividend", row), new_york)
