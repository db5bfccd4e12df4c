"""Before training: what is odd is said, and each kind of nonsense stops the run with words that name it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dataset import main
from jobs.lake.tables import NAMESPACE
from jobs.train import main as train_main
from jobs.training.analysis.findings import Findings
from jobs.training.analysis.run import analyse
from jobs.training.analysis.times import UNITS, units_of
from jobs.training.point_in_time.reader import DatasetRequest
from jobs.training.point_in_time.sources import Source
from tests.support.feature_lake import add_table, feature_lake, lake_rows, moment
from tests.support.feature_rows import SECOND, START, planted_dataset
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET, Feature

Row = dict[str, Any]
ROWS = 120


def rows() -> list[Row]:
    """Two symbols, a row each minute for an hour."""
    dataset = planted_dataset(rows=ROWS)
    return lake_rows(dataset._replace(event_time=START + dataset.event_number * 60 * SECOND))


def findings_of(folder: Path, stored: list[Row], **request: Any) -> Findings:
    return analyse(feature_lake(folder, stored, commits=1), NAMESPACE, FEATURE_NAMES, DatasetRequest(**request), FEATURE_SET)


def changed(change: Callable[[int, Row], Row]) -> list[Row]:
    return [row | change(number, row) for number, row in enumerate(rows())]


def milliseconds_in_some(number: int, row: Row) -> Row:
    return {"available_time_ns": row["available_time_ns"] // 10**6} if number % 7 == 0 else {}


def event_times_in_seconds(number: int, row: Row) -> Row:
    return {"event_time_ns": row["event_time_ns"] // 10**9}


def another_symbols_price(number: int, row: Row) -> Row:
    return {"price": row["price"] * (5 if number % 4 == 0 else 1)}


NONSENSE: dict[str, tuple[Callable[[int, Row], Row], str]] = {
    "some milliseconds": (milliseconds_in_some, "available_time_ns is to be in nanoseconds, and is in milliseconds in 18 of 120 rows"),
    "all seconds": (event_times_in_seconds, "event_time_ns is to be in nanoseconds, and is in seconds in 120"),
    "missing": (lambda n, row: {"available_time_ns": 0 if n == 3 else row["available_time_ns"]}, "missing, zero or before 1970 in 1"),
    "absurd": (lambda n, row: {"available_time_ns": 12_345 if n == 3 else row["available_time_ns"]}, "in no unit between 1990 and 2100"),
    "two clocks": (lambda n, row: {"event_time": moment(row["event_time_ns"] + (n == 9) * 10**9)}, "different moments in 1 rows"),
    "far before": (lambda n, row: {"available_time_ns": row["event_time_ns"] - 7200 * SECOND}, "available 7200 s before it happened"),
    "mixed": (another_symbols_price, "two symbols' rows are mixed"),
    "feature sets": (lambda n, row: {"feature_set": f"set{n % 2}"}, "2 feature sets"),
    "another feature set": (lambda n, row: {"feature_set": "old"}, "have feature set old, this code computes"),
    "never warm": (lambda n, row: {"feature_valid": bytes(len(row["feature_valid"]))}, "no feature has a value in any row"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_named_and_stops(name: str, tmp_path: Path) -> None:
    change, says = NONSENSE[name]
    found = findings_of(tmp_path, changed(change))
    assert not found.usable
    assert any(says in problem for problem in found.problems), found.problems


def test_sound_rows_are_usable_and_described(tmp_path: Path) -> None:
    found = findings_of(tmp_path, rows(), rows_in_memory=30)
    assert found.usable
    assert found.remarks == ["1 features have no value in any row: realised_volatility_24_hours"]
    assert found.figures["coverage"] == {"2023-11-14": {"S0": 60, "S1": 60}}
    assert found.figures["available_after_event_seconds"]["features"] == dict.fromkeys(
        ("least", "median_at_most", "p99_at_most", "most"), 0.01
    )
    assert 0.8 < found.figures["valid_share"]["rsi_14"] < 1
    found.stop_on_nonsense()


def test_rows_written_twice_are_harmless_unless_they_differ(tmp_path: Path) -> None:
    again = findings_of(tmp_path / "one", rows() + rows()[5:9])
    assert again.usable
    assert again.figures["repeated_rows"] == 4
    assert "4 rows are there twice, alike; each counts once" in again.remarks
    revised = [row | {"price": row["price"] * 1.001} for row in rows()[5:9]]
    conflict = findings_of(tmp_path / "two", rows() + revised)
    assert conflict.problems == ["4 rows are there twice and differ: two runs wrote them; train on the rows of one"]


def test_oddities_are_said(tmp_path: Path) -> None:
    """A constant feature, a clock behind, a symbol without rows on a day, a symbol in two partitions."""
    place = int(Feature.SPREAD)

    def odd(number: int, row: Row) -> Row:
        values = [2.5 if k == place else value for k, value in enumerate(row["feature_values"])]
        bits = np.frombuffer(row["feature_valid"], np.uint8).copy()
        bits[place // 8] |= 1 << place % 8
        late = {"event_time_ns": row["event_time_ns"] + 86_400 * SECOND, "event_time": moment(row["event_time_ns"] + 86_400 * SECOND)}
        moved = late | {"available_time_ns": row["available_time_ns"] + 86_400 * SECOND} if number >= 100 and number % 2 else {}
        moved |= {"available_time_ns": row["event_time_ns"] - SECOND} if number == 4 else {}
        return {"feature_values": values, "feature_valid": bits.tobytes(), "kafka_partition": number % 3} | moved

    found = findings_of(tmp_path, changed(odd))
    assert found.usable
    assert "spread" in found.figures["constant_features"]
    said = "\n".join(found.remarks)
    for words in (
        "1 rows (0.8%) were available before their event, by up to 1.000 s",
        "no rows of S0 on 2023-11-15",
        "partitions [0, 1, 2]",
    ):
        assert words in said


def test_joined_tables_are_looked_at(tmp_path: Path) -> None:
    catalog = feature_lake(tmp_path, rows(), commits=1)
    add_table(catalog, "news", [{"symbol": "S0", "event_time_ns": START // 1000, "available_time_ns": START, "tone": 1.0}])
    found = analyse(catalog, NAMESPACE, FEATURE_NAMES, DatasetRequest(sources=(Source("news", ("tone",)),)))
    assert found.problems[0] == "news: event_time_ns is to be in nanoseconds, and is in microseconds in 1 of 1 rows"


@given(st.integers(631_200_000, 4_000_000_000), st.sampled_from(sorted(UNITS)))
def test_the_unit_of_a_time_is_told_by_its_size(seconds: int, unit: str) -> None:
    """Law: every market time between 1990 and 2100 is recognised in each unit, and as no other."""
    found = units_of(np.array([seconds * UNITS[unit]]))
    assert +found == {unit: 1}


def test_the_verb_looks_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feature_lake(tmp_path / "lake", rows(), commits=1)
    out = tmp_path / "rows.parquet"
    assert main(["--lake", str(tmp_path / "lake"), "--out", str(out), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["usable"], result["written"]["rows"], out.exists()) == (True, ROWS, True)
    assert main(["--lake", str(tmp_path / "lake")]) == 0
    assert "120 rows of 2 symbols on 1 days" in capsys.readouterr().out


def test_nonsense_is_neither_written_nor_trained_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feature_lake(tmp_path / "lake", changed(milliseconds_in_some), commits=1)
    lake = ["--lake", str(tmp_path / "lake"), "--json"]
    assert main([*lake, "--out", str(tmp_path / "rows.parquet")]) == 1
    assert not (tmp_path / "rows.parquet").exists()
    assert train_main([*lake, "--models", str(tmp_path / "models")]) == 1
    assert "milliseconds in 18 of 120 rows" in capsys.readouterr().err


def test_what_cannot_be_done_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lake", str(tmp_path), "--json"]) == 2
    assert "no such table" in capsys.readouterr().err
    assert main(["--lake", str(tmp_path), "--horizon-seconds", "0"]) == 2
    assert main(["--lake", str(tmp_path), "--news", ":tone"]) == 2
