"""`infra/tickflow sql`: runs Flink SQL over the lake in this process and prints what comes out, for people or for machines."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from jobs.lake.settings import lake_from_environment
from jobs.lake.sql_files import Statement, UnknownParameter, statements, with_parameters
from jobs.lake.sql_session import SqlSession, client_script
from jobs.lake.tables import NAMESPACE
from udfs.errors import InvalidSettings

HELD, DID_NOT_HOLD, USAGE = 0, 1, 2
DEFAULT_ROWS = 1000


def parser() -> argparse.ArgumentParser:
    """What the verb takes."""
    found = argparse.ArgumentParser(
        prog="infra/tickflow sql",
        description="Run Flink SQL over the lake. What there is: SHOW TABLES; SHOW VIEWS; SHOW USER FUNCTIONS; files in sql/reports.",
    )
    found.add_argument("file", nargs="?", type=Path, help="file of statements")
    found.add_argument("-e", "--execute", metavar="SQL", help="statements instead of a file")
    found.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE", help="value of a parameter of the file; repeat")
    found.add_argument("--json", action="store_true", help="print one JSON object")
    found.add_argument("--rows", type=int, default=DEFAULT_ROWS, help=f"most rows to show of each statement (default {DEFAULT_ROWS})")
    found.add_argument("--namespace", default=NAMESPACE, help="namespace of the tables; a replay has its own")
    found.add_argument("--data", type=Path, help="data directory whose lake is read (default .tickflow/data)")
    found.add_argument("--write-init", type=Path, metavar="FILE", help="write the session for `sql-client.sh -i FILE`, and stop")
    return found


def main(arguments: list[str]) -> int:
    """Runs the verb; the exit code."""
    chosen = parser().parse_args(arguments)
    try:
        session = _session(chosen)
        if chosen.write_init:
            return _write_init(chosen.write_init, session)
        return _run(session, _statements(chosen), chosen.rows, chosen.json)
    except (InvalidSettings, UnknownParameter, _Usage) as problem:
        print(f"tickflow sql: {problem}", file=sys.stderr)
        return USAGE


class _Usage(Exception):
    """The command line cannot be carried out."""


def _session(chosen: argparse.Namespace) -> SqlSession:
    from infra.local import paths, shipping

    return SqlSession(
        lake=lake_from_environment(os.environ, (chosen.data or paths.DATA).resolve() / "lake"),
        kafka=os.environ.get("TICKFLOW_KAFKA_BOOTSTRAP_SERVERS", "localhost:9092"),
        code_zip=shipping.build_zip(),
        python=Path(sys.executable),
        namespace=chosen.namespace,
    )


def _statements(chosen: argparse.Namespace) -> list[Statement]:
    if (chosen.file is None) == (chosen.execute is None):
        raise _Usage("give a FILE or -e SQL, one of them")
    text = chosen.execute if chosen.file is None else _text_of(chosen.file)
    found = statements(with_parameters(text, dict(_parameter(word) for word in chosen.parameter)))
    if not found:
        raise _Usage("no statement found")
    return found


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise _Usage(f"cannot read {path}: {problem}") from problem


def _parameter(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise _Usage(f"--parameter: expected NAME=VALUE, found {word!r}")
    return name, value


def _write_init(path: Path, session: SqlSession) -> int:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(client_script(session))
    print(f"wrote {path}; start `sql-client.sh -i {path}`", file=sys.stderr)
    return HELD


def _run(session: SqlSession, script: list[Statement], rows: int, as_json: bool) -> int:
    from jobs.lake.flink_session import FlinkSession, SqlError
    from jobs.lake.presentation import as_json_object, show

    results: list[dict[str, object]] = []
    try:
        with FlinkSession(session) as flink:
            for statement in script:
                result = flink.run(statement, rows)
                results.append(as_json_object(result))
                if not as_json:
                    show(result)
    except SqlError as problem:
        print(f"tickflow sql: {problem}", file=sys.stderr)
        if as_json:
            print(json.dumps({"results": results, "error": problem.as_json()}))
        return DID_NOT_HOLD
    if as_json:
        print(json.dumps({"results": results}))
    return HELD


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
