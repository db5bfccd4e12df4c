"""`inspect`: what is told of a source, and the book check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jobs import inspect_source
from tests.support.market_files import CaptureWriter, write_lines


def report_on(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """The JSON object on the last line of the output."""
    assert inspect_source.main(["--source", str(path), "--json", *options]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert isinstance(report, dict)
    return report


def checked_capture() -> CaptureWriter:
    """Two updates before the snapshot, one of which straddles it, then two more; quotes partly arrive after the update they belong to."""
    capture = CaptureWriter()
    capture.depth(1, 4, [(99.0, 1.0)], [(101.0, 1.0)])
    capture.depth(5, 8, [(99.0, 0.0), (98.0, 3.0)], [(100.0, 2.0)])
    capture.quote(8, (98.0, 3.0), (100.0, 2.0))
    capture.snapshot(6, [(99.0, 1.0), (98.0, 3.0)], [(101.0, 1.0)])
    capture.depth(9, 9, [], [(98.5, 7.0)])
    capture.quote(9, (98.0, 3.0), (98.5, 7.0))
    capture.quote(11, (98.0, 3.0), (98.5, 8.0))
    capture.depth(10, 10, [(97.0, 1.0)], [])
    return capture


def test_the_book_is_compared_with_the_last_quote_whose_number_is_not_larger(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = report_on(write_lines(tmp_path / "spot_abcusdt.gz", checked_capture().lines), capsys)
    check = report["book_check"]["ABCUSDT.SPOT"]
    assert (check["compared"], check["equal"], check["crossed"], check["first_difference"]) == (2, 2, 0, None)
    assert check["without_buffering"]["crossed"] == 2
    assert report["messages"] == 8
    assert report["by_kind"] == {"quote": 3, "book": 5}
    assert report["symbols"]["ABCUSDT.SPOT"]["unsynchronised_books"] == 2


def test_a_wrong_quantity_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = checked_capture()
    capture.depth(11, 11, [], [(98.5, 8.5)])
    check = report_on(write_lines(tmp_path / "x.gz", capture.lines), capsys)["book_check"]["ABCUSDT.SPOT"]
    assert (check["compared"], check["equal"]) == (3, 2)
    assert check["first_difference"]["update_id"] == 11
    assert check["first_difference"]["book"] == [98.0, 3.0, 98.5, 8.5]


def test_a_crossed_book_is_found_with_its_first_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = checked_capture()
    capture.depth(11, 11, [(99.5, 1.0)], [])
    symbol = report_on(write_lines(tmp_path / "x.gz", capture.lines), capsys)
    assert symbol["book_check"]["ABCUSDT.SPOT"]["crossed"] == 1
    assert symbol["symbols"]["ABCUSDT.SPOT"]["first_crossed"] == "2023-11-14T22:13:20.008000000Z"


def test_defects_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = checked_capture()
    capture.depth(15, 16, [], [])
    capture.trade(5, 98.0, 1.0, buyer_is_maker=True)
    capture.trade(5, 98.0, 1.0, buyer_is_maker=True)
    capture.trade(9, 98.0, 1.0, buyer_is_maker=True)
    lines = [*capture.lines, capture.lines[-3].replace('"t":5', '"t":10'), "garbage"]
    report = report_on(write_lines(tmp_path / "x.gz", lines), capsys)
    assert report["messages"] == len(lines)
    assert report["gaps"] == {"books": 1, "missing_trades": 3}
    assert report["duplicates"] == 1
    assert report["rejected_by_reason"] == {"malformed_input_line": 1}
    assert report["rejected_examples"][0]["line"] == len(lines)
    symbol = report["symbols"]["ABCUSDT.SPOT"]
    assert symbol["disorder"]["events"] > 0
    assert symbol["disorder"]["worst_milliseconds"] == pytest.approx(1270 + 2, abs=5)
    assert symbol["clock_skew_milliseconds"]["maximum"] == 1270.0


def test_columns_may_be_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_lines(tmp_path / "x.csv", ["a,b", "1704067200,1.5", "1704067201,1.5", "1704067201,1.5", "1704067200,2"])
    report = report_on(path, capsys, "--columns", "time=a,price=b,symbol_name=ABC")
    assert report["time_span"] == {
        "first_event": "2024-01-01T00:00:00.000000000Z",
        "last_event": "2024-01-01T00:00:01.000000000Z",
        "seconds": 1.0,
    }
    assert report["symbols"]["ABC"]["repeated"] == 1
    assert report["disorder"]["worst_milliseconds"] == 1000.0


def test_a_person_gets_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lines(tmp_path / "data" / "spot_abcusdt.gz", checked_capture().lines)
    write_lines(tmp_path / "data" / "README.md", ["words"])
    assert inspect_source.main(["--source", str(tmp_path / "data")]) == 0
    shown = capsys.readouterr().out
    assert "ABCUSDT.SPOT" in shown
    assert "2 of 2 updates" in shown
    assert "README.md" in shown


@pytest.mark.parametrize("options", [["--source", "/nowhere"], ["--source", "/", "--columns", "x=1"]])
def test_what_cannot_be_read_exits_with_2(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert inspect_source.main(options) == 2
    assert capsys.readouterr().err
