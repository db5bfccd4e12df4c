"""What the SQL files say of themselves."""

from __future__ import annotations

import re
from pathlib import Path

from infra.documentation.markdown import code, table
from infra.local import paths

SQL = paths.ROOT / "sql"
QUESTION = "-- Question: "
FUNCTION = re.compile(r"FUNCTION IF NOT EXISTS (\w+) AS '([\w.]+)'")


def question(path: Path) -> str:
    """The question that a report answers: what follows `-- Question:` in its head."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(line.removeprefix(QUESTION) for line in lines if line.startswith(QUESTION))


def reports() -> str:
    """Each report with its question."""
    files = sorted((SQL / "reports").glob("*.sql"))
    return table(("file in `sql/reports/`", "question"), [(f"[`{path.name}`](sql/reports/{path.name})", question(path)) for path in files])


def sql_functions() -> str:
    """Each kernel that is a function of Flink SQL."""
    names = [match[1] for match in FUNCTION.finditer((SQL / "functions.sql").read_text(encoding="utf-8"))]
    return ", ".join(code(name) for name in names)
