"""The recipes of the cookbook, and their answers as its tables show them. `python -m tests.sql.cookbook` writes the answers anew."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from jobs.lake.flink_session import FlinkSession, SqlResult
from jobs.lake.presentation import words
from jobs.lake.sql_files import statements
from tests.support.documents import ROOT

COOKBOOK = ROOT / "infra" / "guides" / "cookbook.md"
_RECIPE = re.compile(
    r"^## (?P<question>[^\n]+)$(?:(?!^## ).)*?^```sql\n(?P<query>.*?)^```\n\n(?P<answer>(?:^\|[^\n]*\n)+)", re.DOTALL | re.MULTILINE
)


class Recipe(NamedTuple):
    """A question, its query, and the table below it."""

    question: str
    query: str
    answer: str


def recipes(text: str) -> list[Recipe]:
    """All of them, in their order."""
    return [Recipe(found["question"], found["query"], found["answer"]) for found in _RECIPE.finditer(text)]


def answered(flink: FlinkSession, query: str) -> str:
    """The answer to a query as a table."""
    (statement,) = statements(query)
    return as_table(flink.run(statement, 1_000))


def as_table(result: SqlResult) -> str:
    """Columns and rows in Markdown."""
    lines = [result.columns, ["---"] * len(result.columns), *([words(value) for value in row] for row in result.rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def with_answers(text: str, answer: Callable[[str], str]) -> str:
    """The cookbook with every answer replaced."""

    def replaced(found: re.Match[str]) -> str:
        return found[0][: found.start("answer") - found.start()] + answer(found["query"])

    return _RECIPE.sub(replaced, text)


def main() -> None:
    """Ask all of it on a sample lake of its own."""
    from infra.local import shipping
    from jobs.lake.sql_session import SqlSession
    from tests.sql.sample_lake import written_to

    with tempfile.TemporaryDirectory() as folder:
        lake = written_to(Path(folder))
        with FlinkSession(SqlSession(lake, "localhost:9", shipping.build_zip(), Path(sys.executable))) as flink:
            COOKBOOK.write_text(with_answers(COOKBOOK.read_text(), lambda query: answered(flink, query)))


if __name__ == "__main__":
    main()
