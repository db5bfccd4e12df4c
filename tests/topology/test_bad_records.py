"""Records that no frame can be made of, through the real topology: kept with their place, while the job goes on."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.beside import run_beside
from tests.support.control_memory import SYMBOL, frame_of
from tests.support.kernel_events import MIDNIGHT, SECOND, trade

pytestmark = pytest.mark.slow
GOOD = frame_of([trade(MIDNIGHT + second * SECOND, 100.0 + second) for second in range(5)])
ABSURD = frame_of([trade(2**63 - 1001, 1.0), trade(-(2**63), 1.0), trade(0, 1.0)], symbol="OTHER")
RECORDS: list[tuple[str | None, bytes | None]] = [
    (SYMBOL, GOOD),
    (SYMBOL, None),
    (None, GOOD),
    (None, None),
    ("", b""),
    (SYMBOL, b"\xff\xfe\x00garbage"),
    ("OTHER", ABSURD),
]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """Rows by kind that the topology made of the records."""
    folder = tmp_path_factory.mktemp("bad")
    (folder / "records").write_text(json.dumps([[key, None if value is None else value.hex()] for key, value in RECORDS]))
    run_beside("run_topology", folder / "records", folder)
    return {kind: _lines(folder / kind) for kind in ("frame", "feature", "reject")}


def _lines(folder: Path) -> list[dict[str, Any]]:
    files = [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith((".", "_"))]
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_every_record_is_stored_as_it_came(rows: dict[str, list[dict[str, Any]]]) -> None:
    stored = {row["kafka_offset"]: (row["symbol"], base64.b64decode(row["frame"])) for row in rows["frame"]}
    assert stored == {offset: (key or "", value or b"") for offset, (key, value) in enumerate(RECORDS)}


def test_what_cannot_be_used_is_rejected_with_its_bytes_and_place(rows: dict[str, list[dict[str, Any]]]) -> None:
    found = sorted((row["kafka_offset"], row["event_index"], row["reason_name"]) for row in rows["reject"])
    assert found == [
        (1, 0, "malformed_frame"),
        (2, 0, "symbol_mismatch"),
        (3, 0, "malformed_frame"),
        (4, 0, "malformed_frame"),
        (5, 0, "malformed_frame"),
        *((6, place, "time_absurd") for place in range(3)),
    ]
    whole = {row["kafka_offset"]: base64.b64decode(row["raw"]) for row in rows["reject"]}
    assert [whole[offset] for offset in (1, 2, 5)] == [b"", GOOD, b"\xff\xfe\x00garbage"]


def test_absurd_times_do_not_reach_the_partitions(rows: dict[str, list[dict[str, Any]]]) -> None:
    times = {row["event_time_ns"]: row["event_time"] for row in rows["reject"] if row["kafka_offset"] == 6}
    assert sorted(times) == [-(2**63), 0, 2**63 - 1001]
    assert {text[:10] for text in times.values()} == {"1970-01-01"}


def test_the_good_frame_among_them_is_used(rows: dict[str, list[dict[str, Any]]]) -> None:
    assert {row["kafka_offset"] for row in rows["feature"]} == {0}
    assert [row["event_number"] for row in rows["feature"]] == [1, 2, 3, 4, 5]
