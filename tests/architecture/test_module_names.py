"""`flink run -py jobs/live.py` puts the folder of the entry file on sys.path: a module there hides the standard library's of its name."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_no_module_beside_the_entry_file_is_named_as_one_of_the_standard_library() -> None:
    names = {path.stem for path in (ROOT / "jobs").iterdir() if path.suffix == ".py" or (path.is_dir() and list(path.glob("*.py")))}
    assert "live" in names
    assert not names & sys.stdlib_module_names
