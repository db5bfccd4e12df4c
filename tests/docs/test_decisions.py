"""Each decision says why, what was chosen and what was rejected, and stands in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.documents import ROOT

FOLDER = ROOT / "infra" / "decisions"
DECISIONS = sorted(FOLDER.glob("[0-9]*.md"))


def test_numbers_have_no_gap() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_is_complete(path: Path) -> None:
    text = path.read_text()
    assert re.match(rf"# {path.name[:4]} \S", text)
    assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Rejected"))


def test_the_index_lists_all() -> None:
    index = (FOLDER / "README.md").read_text()
    assert [f"[{path.read_text().splitlines()[0][2:]}]({path.name})" in index for path in DECISIONS] == [True] * len(DECISIONS)
