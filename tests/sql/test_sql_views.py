from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from jobs.lake.flink_session import FlinkSession
from jobs.lake.named_features import VIEW_FILE, view_text
from jobs.lake.sql_files import Statement
from jobs.lake.sql_session import SQL_FOLDER, ordered_views
from tests.sql import expected_answers, sample_lake
from tests.support.flink_values import comparable
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET
from udfs.records import Direction, SignalCode, SignalStatus

CHECKED_VIEWS = {"features_named", "latest_features", "signals_named", "signals_with_outcome", "hit_rates"}
"""`latest_features` is checked by the report of that name, `signals_named` through `signals_with_outcome`."""


def ask(flink: FlinkSession, text: str) -> list[dict[str, Any]]:
    result = flink.run(Statement(text, 1), 10_000)
    return [{name: comparable(value) for name, value in zip(result.columns, row)} for row in result.rows]


def test_every_view_is_checked() -> None:
    assert {path.stem for path in ordered_views()} == CHECKED_VIEWS


def test_views_come_after_what_they_read() -> None:
    seen: set[str] = set()
    for path in ordered_views():
        assert {name for name in CHECKED_VIEWS if re.search(rf"FROM {name}\b", path.read_text(encoding="utf-8"))} <= seen
        seen.add(path.stem)


def test_the_view_of_named_features_is_written_from_the_feature_list() -> None:
    assert VIEW_FILE.read_text(encoding="utf-8") == view_text(), "run `python -m jobs.lake.named_features`"


@pytest.mark.parametrize("enumeration", [Direction, SignalStatus, SignalCode])
def test_signals_named_knows_every_number(enumeration: type[Direction | SignalStatus | SignalCode]) -> None:
    text = (SQL_FOLDER / "views" / "signals_named.sql").read_text(encoding="utf-8")
    for member in enumeration:
        assert f"WHEN {int(member)} THEN '{member.name.lower()}'" in text


def test_features_named_gives_each_value_its_name_and_null_where_it_is_not_valid(flink: FlinkSession) -> None:
    stored = [row for row in sample_lake.features() if row["feature_set"] == FEATURE_SET]
    found = {(row["symbol"], row["event_number"]): row for row in ask(flink, "SELECT * FROM features_named")}
    assert len(found) == len(stored)
    for row in stored:
        of_row = found[row["symbol"], row["event_number"]]
        found_values = np.array([of_row[name] for name in FEATURE_NAMES], dtype=np.float32)
        np.testing.assert_array_equal(found_values, np.array(row["feature_values"], dtype=np.float32))


@pytest.fixture(scope="module")
def signals_with_outcome(flink: FlinkSession) -> dict[str, dict[str, Any]]:
    return {row["signal_id"]: row for row in ask(flink, "SELECT * FROM signals_with_outcome")}


def test_signals_keep_their_number_and_get_names(signals_with_outcome: dict[str, dict[str, Any]]) -> None:
    assert set(signals_with_outcome) == {signal["signal_id"] for signal in sample_lake.signals()}
    for signal in sample_lake.signals():
        row = signals_with_outcome[signal["signal_id"]]
        assert row["direction_name"] == Direction(signal["direction"]).name.lower()
        assert row["status_name"] == SignalStatus(signal["status"]).name.lower()
        assert row["code_name"] == SignalCode(signal["code"]).name.lower()


def test_an_outcome_is_the_price_in_force_at_the_end_of_the_horizon_and_unknown_beyond_the_data(
    signals_with_outcome: dict[str, dict[str, Any]],
) -> None:
    expected = {signal["signal_id"]: expected_answers.outcome(signal) for signal in sample_lake.signals()}
    found = {name: (row["outcome_price"], row["is_hit"]) for name, row in signals_with_outcome.items()}
    assert found == {name: (price, hit) for name, (price, _, hit) in expected.items()}
    assert {hit for _, _, hit in expected.values()} == {True, False, None}


def test_hit_rates_count_only_signals_that_could_be_acted_on_and_are_over(flink: FlinkSession) -> None:
    found = {(row["symbol"], row["direction_name"], row["model_version"]): row for row in ask(flink, "SELECT * FROM hit_rates")}
    counted: dict[tuple[str, str, str], list[bool]] = {}
    for signal in expected_answers.good_signals():
        _, _, hit = expected_answers.outcome(signal)
        if hit is not None:
            counted.setdefault((signal["symbol"], expected_answers.direction_name(signal), signal["model_version"]), []).append(hit)
    assert {key: (row["signals"], row["hits"]) for key, row in found.items()} == {
        key: (len(hits), sum(hits)) for key, hits in counted.items()
    }
