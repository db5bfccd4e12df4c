from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.lake.sql_files import Statement, UnknownParameter, parameters, statements, with_parameters

PIECES = ["SELECT 1", "'a;b'", "'it''s; so'", "-- no; end\n", "/* ; */", "`odd;name`", '"x;y"']
PIECES += ["\n", " ", "a - b", "a / b", "/* :limit */", "é"]


@given(st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), max_size=5))
def test_splitting_loses_nothing_and_splits_only_between_statements(script: list[list[str]]) -> None:
    texts = ["SELECT " + " ".join(pieces) for pieces in script]
    assert [statement.text for statement in statements(";\n".join(texts))] == [text.strip() for text in texts]


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_a_statement_knows_its_line(blank_lines: list[int]) -> None:
    lines = [line for number, count in enumerate(blank_lines) for line in [*[""] * count, f"SELECT {number};"]]
    for number, statement in enumerate(statements("\n".join(lines))):
        assert lines[statement.line - 1] == f"SELECT {number};"


def test_comments_alone_are_no_statement() -> None:
    assert statements("-- a\n;/* b */;\n\n SELECT 1 -- c\n;") == [Statement("SELECT 1 -- c", 4)]


@given(st.text(), st.from_regex(r"-?[0-9]{1,5}(\.[0-9]{1,3})?", fullmatch=True))
def test_a_parameter_goes_in_as_one_literal_and_comes_out_as_it_was(text: str, number: str) -> None:
    template = "SELECT '%' /* :name */, 5 /* :size */, '%' FROM t"
    filled = with_parameters(template, {"name": text, "size": number})
    assert parameters(filled) == {"name": text, "size": number}
    assert len(statements(filled)) == 1


def test_parameters_that_are_not_named_keep_their_defaults() -> None:
    assert with_parameters("'%' /* :a */ 1 /* :b */", {"b": "2"}) == "'%' /* :a */ 2 /* :b */"


@pytest.mark.parametrize(
    ("values", "complaint"),
    [({"symbl": "X"}, "no parameter symbl; found symbol, limit"), ({"limit": "1; DROP"}, "expected a number")],
)
def test_what_does_not_fit_is_refused(values: dict[str, str], complaint: str) -> None:
    with pytest.raises(UnknownParameter, match=complaint):
        with_parameters("'%' /* :symbol */ 5 /* :limit */", values)
