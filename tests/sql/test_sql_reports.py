from __future__ import annotations

import re
from pathlib import Path

import pytest

from jobs.lake.flink_session import FlinkSession
from jobs.lake.sql_files import parameters, statements, with_parameters
from jobs.lake.sql_session import SQL_FOLDER
from tests.sql.expected_answers import ANSWERS, Answer
from tests.support.flink_values import comparable

REPORTS = sorted((SQL_FOLDER / "reports").glob("*.sql"))


def ask(flink: FlinkSession, text: str) -> Answer:
    (statement,) = statements(text)
    return [tuple(comparable(value) for value in row) for row in flink.run(statement, 10_000).rows]


def assert_same_rows(found: Answer, expected: Answer) -> None:
    assert len(found) == len(expected)
    for found_row, expected_row in zip(found, expected):
        assert len(found_row) == len(expected_row)
        for found_value, expected_value in zip(found_row, map(comparable, expected_row)):
            close = pytest.approx(expected_value, rel=1e-6, abs=1e-9) if isinstance(expected_value, float) else expected_value
            assert found_value == close, f"{found_row} is not {expected_row}"


def test_each_report_has_an_expected_answer_and_the_other_way_round() -> None:
    assert {path.stem for path in REPORTS} == set(ANSWERS)
    assert len(REPORTS) >= 10


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_report_gives_the_answer_that_plain_loops_give(path: Path, flink: FlinkSession) -> None:
    expected = ANSWERS[path.stem]()
    assert expected, "an empty answer would prove nothing"
    assert_same_rows(ask(flink, path.read_text(encoding="utf-8")), expected)


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_report_says_what_it_answers_and_names_its_parameters(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.match(r"-- Question: .*\?\n-- Columns: ", text)
    said = re.search(r"-- Parameters: (.*)\n", text)
    assert said is not None
    assert set(re.findall(r"(\w+) = ", said[1])) == set(parameters(text))


def test_a_parameter_narrows_a_report_whatever_stands_in_its_value(flink: FlinkSession) -> None:
    text = (SQL_FOLDER / "reports" / "signal_history_of_a_symbol.sql").read_text(encoding="utf-8")
    found = ask(flink, with_parameters(text, {"symbol": "C'C", "limit": "3"}))
    assert_same_rows(found, [row for row in ANSWERS["signal_history_of_a_symbol"]() if row[1] == "C'C"][:3])
    assert len(found) == 3
