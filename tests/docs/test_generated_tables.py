"""The tables of the documentation are what the code says."""

from __future__ import annotations

import re
from enum import IntEnum
from pathlib import Path

import pytest

from infra.documentation import meanings
from infra.documentation.__main__ import main
from infra.documentation.attributes import attribute_documents
from infra.documentation.files import DOCUMENTS, README, written
from infra.documentation.markdown import UnknownBlock, block_names, filled, table
from infra.documentation.tables import BLOCKS, dispatcher
from jobs.lake.definitions import TABLES
from jobs.settings import load_settings
from tests.support.documents import ROOT
from udfs.errors import Reason
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.records import ControlKind, Measure, SignalCode, SignalStatus


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_tables_are_current(path: Path) -> None:
    assert path.read_text() == written(path), "run `python -m infra.documentation --write`"


def test_every_table_is_in_a_document() -> None:
    assert {name for path in DOCUMENTS for name in block_names(path.read_text())} == set(BLOCKS)


def test_the_program_says_whether_tables_are_current() -> None:
    assert main([]) == 0


@pytest.mark.parametrize(
    ("numbers", "described"),
    [
        (Reason, meanings.REASONS),
        (SignalStatus, meanings.STATUSES),
        (SignalCode, meanings.CODES),
        (ControlKind, meanings.CONTROL_KINDS),
        (Measure, meanings.MEASURES),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_code_has_a_meaning(numbers: type[IntEnum], described: dict[IntEnum, str]) -> None:
    assert list(described) == list(numbers)
    assert all(described.values())


def test_readme_has_every_verb_setting_table_and_report() -> None:
    text = README.read_text()
    command = dispatcher()
    assert all(f"`infra/tickflow {verb}`" in text for verb in command.VERBS if command.is_present(verb))
    settings = load_settings(environment={}).model_dump()
    names = [f"{section}.{name}" for section, values in settings.items() if isinstance(values, dict) for name in values]
    assert len(names) > 25
    assert all(f"| `{name}` |" in text for name in names)
    assert all(f"`{found.name}`" in text for found in TABLES)
    assert all(f"sql/reports/{path.name}" in text for path in (ROOT / "sql" / "reports").glob("*.sql"))


def test_reference_has_every_feature_and_column() -> None:
    features = (ROOT / "infra" / "reference" / "features.md").read_text()
    lake = (ROOT / "infra" / "reference" / "lake.md").read_text()
    assert all(f"`{name}`" in features for name in FEATURE_NAMES)
    assert all(f"`{column.name}`" in lake for found in TABLES for column in found.columns)


def test_variables_of_settings_are_those_that_are_read() -> None:
    """A variable from the table, set, changes the setting beside it."""
    rows = re.findall(r"^\| `([a-z_.]+)` \| `(TICKFLOW_[A-Z_]+)` \| `?([^`|]*)`? \|", README.read_text(), re.MULTILINE)
    texts = [
        (name, variable)
        for name, variable, default in rows
        if name.startswith("topics.") or name.endswith(("servers", "url", "truststore"))
    ]
    assert len(texts) > 10
    for name, variable in texts:
        found = load_settings(environment={variable: "changed"}).model_dump()
        for part in name.split("."):
            found = found[part]
        assert found == "changed", name


def test_an_unknown_block_is_refused() -> None:
    with pytest.raises(UnknownBlock, match="nowhere"):
        filled("<!-- generated:nowhere -->\n<!-- /generated -->", BLOCKS)


def test_cells_cannot_break_a_table() -> None:
    assert table(("a",), [("x | y\nz",)]).splitlines()[-1] == "| x \\| y z |"


def test_filling_twice_changes_nothing() -> None:
    text = "a\n<!-- generated:verbs -->\nwritten before\n<!-- /generated -->\nb\n"
    once = filled(text, BLOCKS)
    assert filled(once, BLOCKS) == once
    assert once.startswith("a\n")
    assert once.endswith("\nb\n")
    assert "written before" not in once


class Documented:
    """An example."""

    one: int = 1
    """The first."""
    two: int = 2


def test_texts_below_fields_are_found() -> None:
    assert attribute_documents(Documented) == {"one": "The first", "two": "–"}
