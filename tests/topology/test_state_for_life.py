"""Savepoints of every released state version, kept as fixtures, are restored by the current code, which goes on where they stopped.

`python -m tests.topology.test_state_for_life SCRATCH_FOLDER` writes the one of the current version; it is done once a
version, by its last code.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from tests.support.beside import run_beside
from tests.support.control_memory import frame_of, process, processor
from tests.support.kernel_events import MIDNIGHT, SECOND, Event, book, clock, quote, trade
from udfs.codecs.state_blob import STATE_VERSION
from udfs.operators.symbol_processor import PricedRow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "savepoints"
SAVEPOINTS = sorted(GOLDEN.glob("state-*"))
LARGEST_BYTES = 300 * 1024
SYMBOLS = ("A", "B", "C")
FRAMES = 12
SAVED_AFTER = 8
"""Frames of each symbol."""
Rows: TypeAlias = dict[tuple[str, int, int], bytes]


def frames(symbol: str) -> list[bytes]:
    """Twelve minutes of trades, quotes and books."""
    return [frame_of([*_minute(minute, 100.0 + 10 * SYMBOLS.index(symbol))], 0, symbol) for minute in range(FRAMES)]


def _minute(minute: int, price: float) -> list[Event]:
    begin = MIDNIGHT + 60 * minute * SECOND
    found: list[Event] = []
    for step in range(10):
        time, level, number = begin + step * 5 * SECOND, price + 0.01 * ((7 * step + 3 * minute) % 11), 10 * minute + step + 1
        found += [
            quote(time, level - 0.01, level + 0.01, 5.0, 7.0, sequence=number),
            trade(time + 1, level, 1.0 + step, sequence=number),
            book(time + 2, [level - 0.01, level - 0.02], [level + 0.01, level + 0.02], sequence=number),
        ]
    return [*found, clock(begin + 55 * SECOND)]


def records(first: int, last: int) -> list[tuple[str, str]]:
    return [(symbol, frames(symbol)[number].hex()) for number in range(first, last) for symbol in SYMBOLS]


def request(folder: Path, first: int, last: int, **further: str) -> Path:
    wanted = {"records": records(first, last), "first_offset": first * len(SYMBOLS), "folder": str(folder), **further}
    path = folder / "request.json"
    path.write_text(json.dumps(wanted))
    return path


def rows_of(folder: Path) -> Rows:
    """(symbol, offset, event number) -> values, of the rows that a topology wrote."""
    files = [file for file in (folder / "feature").rglob("*") if file.is_file() and not file.name.startswith((".", "_"))]
    found = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return {
        (row["symbol"], row["kafka_offset"], row["event_number"]): np.array(row["feature_values"], np.float32).tobytes() for row in found
    }


def uninterrupted() -> Rows:
    """What the current code makes of the later frames when it has seen the earlier ones itself."""
    found: Rows = {}
    for place, symbol in enumerate(SYMBOLS):
        outcomes, _ = process(processor(), frames(symbol), symbol=symbol)
        for number, outcome in enumerate(outcomes[SAVED_AFTER:], SAVED_AFTER):
            rows = [record.row for record in outcome.records if isinstance(record, PricedRow)]
            found |= {(symbol, number * len(SYMBOLS) + place, row.event_number): row.values.tobytes() for row in rows}
    return found


def test_there_is_a_savepoint_of_this_version() -> None:
    assert f"state-{STATE_VERSION}" in [path.name for path in SAVEPOINTS]
    for path in SAVEPOINTS:
        assert sum(file.stat().st_size for file in path.rglob("*")) <= LARGEST_BYTES


@pytest.mark.parametrize("savepoint", SAVEPOINTS, ids=lambda path: path.name)
def test_a_savepoint_is_restored_and_goes_on_where_it_stopped(savepoint: Path, tmp_path: Path) -> None:
    """Every row of the later frames is there under its number; of the current version with the same bits, too."""
    run_beside("savepoint_topology", request(tmp_path, SAVED_AFTER, FRAMES, restore_from=str(savepoint)))
    found, expected = rows_of(tmp_path), uninterrupted()
    assert len(found) > 20
    assert found.keys() == expected.keys()
    if savepoint.name == f"state-{STATE_VERSION}":
        assert found == expected


def write(folder: Path) -> None:
    """The savepoint of the current version."""
    run_beside("savepoint_topology", request(folder, 0, SAVED_AFTER, savepoint_to=str(GOLDEN / f"state-{STATE_VERSION}")))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
