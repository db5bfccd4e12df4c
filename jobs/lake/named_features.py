"""Writes `sql/views/features_named.sql` from the feature list: `python -m jobs.lake.named_features`. A test compares."""

from __future__ import annotations

from pathlib import Path

from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET

VIEW_FILE = Path(__file__).resolve().parents[2] / "sql" / "views" / "features_named.sql"
_HEADER = """\
-- Feature rows with a column for each feature; NULL while it is warming up, missing or stale. Rows of another feature set are left out.
-- Written from the feature list by `python -m jobs.lake.named_features`; do not edit.
CREATE TEMPORARY VIEW IF NOT EXISTS features_named AS
SELECT
  symbol, event_time, event_time_ns, available_time_ns, event_number, price, bar_closed, control_version,
  topic, kafka_partition, kafka_offset, event_index, manifest_id,
"""
_LARGEST_FLOAT = "3.5E38"
"""Above every finite float32. NaN is not between this and its negative, and Flink has no test for NaN."""


def view_text() -> str:
    """The statement that `sql/views/features_named.sql` must hold."""
    columns = ",\n".join(_column(number, name) for number, name in enumerate(FEATURE_NAMES, start=1))
    return f"{_HEADER}{columns}\nFROM features\nWHERE feature_set = '{FEATURE_SET}';\n"


def _column(number: int, name: str) -> str:
    value = f"feature_values[{number}]"
    return f"  CASE WHEN {value} BETWEEN -{_LARGEST_FLOAT} AND {_LARGEST_FLOAT} THEN {value} END AS {name}"


if __name__ == "__main__":
    VIEW_FILE.write_text(view_text(), encoding="utf-8")
