"""What a Flink SQL session starts with: the catalog, the Kafka tables, the functions and the views, in one order for every client."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from jobs.lake.catalog import CATALOG_NAME, create_catalog_statement
from jobs.lake.settings import LakeSettings
from jobs.lake.sql_files import statements, with_parameters
from jobs.lake.tables import NAMESPACE
from jobs.settings import load_settings

_OPTIONS = ") WITH (\n"
SQL_FOLDER = Path(__file__).resolve().parents[2] / "sql"


@dataclass(frozen=True, slots=True)
class SqlSession:
    """Where a session finds its tables, and the code of its Python functions."""

    lake: LakeSettings
    kafka: str
    """Bootstrap servers."""
    code_zip: Path
    """A zip with `udfs/` at its root."""
    python: Path
    """The Python that runs the functions."""
    namespace: str = NAMESPACE


def session_options(session: SqlSession) -> dict[str, str]:
    """Flink's options: bounded queries on a cluster inside the process, times in UTC, Python functions inside the JVM.

    Operators are not chained: each then has a thread of its own. A compiled kernel that is called in a thread which is not the one that
    opened its operator (one chained to a VALUES source, or behind another Python operator) waits for itself for ever.
    """
    return {
        "execution.runtime-mode": "batch",
        "execution.target": "local",
        "parallelism.default": "1",
        "table.local-time-zone": "UTC",
        "table.exec.iceberg.infer-source-parallelism": "false",
        "taskmanager.memory.managed.size": "512m",
        "taskmanager.memory.network.max": "256m",
        "pipeline.operator-chaining.enabled": "false",
        "python.execution-mode": "thread",
        "python.files": str(session.code_zip),
        "python.executable": str(session.python),
        "python.client.executable": str(session.python),
    }


def session_statements(session: SqlSession, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The statements that make the session. Catalog and tables may hold passwords: run them, never print them. Raises InvalidSettings."""
    client = load_settings(environment=environment).kafka.client_properties(environment)
    return [
        create_catalog_statement(session.lake, environment),
        f"USE CATALOG `{CATALOG_NAME}`",
        f"USE `{session.namespace}`",
        *(
            statement
            for path in sorted((SQL_FOLDER / "tables").glob("*.sql"))
            for statement in _table_statements(path, session.kafka, client)
        ),
        *file_statements(SQL_FOLDER / "functions.sql"),
        *(statement for path in ordered_views() for statement in file_statements(path)),
    ]


def _table_statements(path: Path, kafka: str, client: Mapping[str, str]) -> list[str]:
    text = with_parameters(path.read_text(encoding="utf-8"), {"kafka": kafka})
    return [_with_options(statement.text, client) for statement in statements(text)]


def _with_options(statement: str, client: Mapping[str, str]) -> str:
    """The statement of a Kafka table with further properties of the client, such as its login."""
    quoted = {name: value.replace("'", "''") for name, value in client.items()}
    added = "".join(f"  'properties.{name}' = '{value}',\n" for name, value in quoted.items())
    before, opening, options = statement.partition(_OPTIONS)
    return before + opening + added + options


def file_statements(path: Path) -> list[str]:
    """The statements of a file, with the defaults of its parameters."""
    return [statement.text for statement in statements(path.read_text(encoding="utf-8"))]


def ordered_views() -> list[Path]:
    """The files of `sql/views`, each after those whose views it reads; a file is named like its view."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted((SQL_FOLDER / "views").glob("*.sql"))}
    reads = {path: [other for other in texts if other != path and _mentions(text, other.stem)] for path, text in texts.items()}
    return list(TopologicalSorter(reads).static_order())


def _mentions(text: str, name: str) -> bool:
    without_comments = re.sub(r"--[^\n]*", "", text)
    return re.search(rf"\b{re.escape(name)}\b", without_comments) is not None


def client_script(session: SqlSession, environment: Mapping[str, str] = os.environ) -> str:
    """The session as a file for `sql-client.sh -i FILE`. May hold a password or token: keep the file private."""
    options = session_options(session) | {"sql-client.execution.result-mode": "tableau"}
    settings = [f"SET '{name}' = '{value}'" for name, value in options.items()]
    return "".join(f"{statement};\n" for statement in [*settings, *session_statements(session, environment)])
