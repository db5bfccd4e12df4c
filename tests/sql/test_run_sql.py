from __future__ import annotations

import json
import math
import os
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from jobs.lake.flink_session import FlinkSession, SqlError, SqlResult
from jobs.lake.presentation import as_json_object, show
from jobs.lake.settings import LakeSettings, lake_to_environment
from jobs.lake.sql_files import statements
from jobs.lake.sql_session import SqlSession, client_script
from jobs.run_sql import main


@pytest.fixture
def sample_environment(lake_settings: LakeSettings, flink: FlinkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in lake_to_environment(lake_settings).items():
        monkeypatch.setenv(name, value)


def test_the_verb_prints_one_json_object_with_the_rows_of_each_statement(
    sample_environment: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "two.sql"
    script.write_text(
        "-- two; statements\nSET 'table.local-time-zone' = 'UTC';\nSELECT run_id, started_at FROM runs WHERE verb = '%' /* :verb */;"
    )
    assert main([str(script), "--json", "--parameter", "verb=replay"]) == 0
    settings, query = json.loads(capsys.readouterr().out.splitlines()[-1])["results"]
    assert settings == {"columns": [], "rows": [], "row_count": 0, "is_complete": True}
    assert query["columns"] == ["run_id", "started_at"]
    assert query["rows"] == [["r2", "2024-03-02T01:50:00Z"]]


def test_a_bad_statement_is_named_with_its_place_and_exits_with_1(sample_environment: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "-e", "SHOW VIEWS;\n\nSELECT symbl FROM bars"]) == 1
    printed = capsys.readouterr()
    answer = json.loads(printed.out.splitlines()[-1])
    assert len(answer["results"]) == 1
    assert answer["error"] == {"message": "Column 'symbl' not found in any table", "line": 3, "column": 8}
    assert printed.err == "tickflow sql: line 3, column 8: Column 'symbl' not found in any table\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT 1 FORM bars x", "Encountered"),
        ("SELECT * FROM nowhere", "Object 'nowhere' not found"),
        ("SELECT NOT_THERE(1)", "NOT_THERE"),
        ("DROP TABLE nowhere", "nowhere"),
    ],
)
def test_what_flink_refuses_is_said_in_a_line_or_two(text: str, complaint: str, flink: FlinkSession) -> None:
    with pytest.raises(SqlError, match=complaint) as refused:
        flink.run(statements(text)[0], 10)
    assert len(str(refused.value)) < 200
    assert "\tat " not in str(refused.value)
    assert refused.value.message.count("column") <= 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["/nowhere/report.sql"], "cannot read /nowhere/report.sql"),
        ([], "give a FILE or -e SQL"),
        (["-e", "-- nothing"], "no statement"),
        (["-e", "SELECT 1", "--parameter", "symbol"], "expected NAME=VALUE"),
        (["-e", "SELECT 1", "--parameter", "symbol=A"], "no parameter symbol"),
    ],
)
def test_a_wrong_command_exits_with_2_before_anything_starts(
    arguments: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--data", str(tmp_path)]) == 2
    assert complaint in capsys.readouterr().err


def test_the_script_for_other_clients_is_private_and_holds_every_statement_of_the_session(
    lake_settings: LakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in lake_to_environment(lake_settings).items():
        monkeypatch.setenv(name, value)
    target = tmp_path / "init.sql"
    assert main(["--write-init", str(target)]) == 0
    assert os.stat(target).st_mode & 0o077 == 0
    written = [statement.text for statement in statements(target.read_text())]
    assert sum("CREATE CATALOG" in text for text in written) == 1
    for kind, least in (("CREATE TEMPORARY TABLE", 9), ("CREATE TEMPORARY FUNCTION", 10), ("CREATE TEMPORARY VIEW", 5)):
        assert sum(kind in text for text in written) >= least


def test_the_brokers_of_the_session_stand_in_each_kafka_table(sql_session: SqlSession) -> None:
    assert client_script(sql_session).count(f"'properties.bootstrap.servers' = '{sql_session.kafka}'") == 9


def test_values_that_json_lacks_are_written_as_it_has_them() -> None:
    row = (math.nan, math.inf, b"\x00\xff", Decimal("1.50"), [1.0, math.nan], {"a": b"b"}, True, None)
    written = as_json_object(SqlResult(tuple("abcdefgh"), [row], True))
    assert written["rows"] == [[None, None, "AP8=", 1.5, [1.0, None], {"a": "Yg=="}, True, None]]
    json.dumps(written, allow_nan=False)


def test_a_table_for_people_says_when_there_is_more() -> None:
    screen = StringIO()
    show(SqlResult(("symbol", "price"), [("[AAA]", 1.25)], False), Console(file=screen, width=80))
    assert "[AAA]" in screen.getvalue()
    assert "1 rows, and more: raise --rows" in screen.getvalue()
