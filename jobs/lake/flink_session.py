"""Runs Flink SQL in this process: a table environment with the session's tables, one statement at a time, rows as Python values."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Any

from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.sql_files import Statement
from jobs.lake.sql_session import SQL_FOLDER, SqlSession, session_options, session_statements
from jobs.lake.tables import NAMESPACE
from udfs.errors import InvalidSettings, TickflowError

LOG_SETTINGS = SQL_FOLDER.parent / "flink-conf" / "log4j-sql.properties"
_SET = re.compile(r"(?:--[^\n]*\n|/\*.*?\*/|\s)*SET\s+'(?P<name>[^']+)'\s*=\s*'(?P<value>[^']*)'\s*", re.IGNORECASE | re.DOTALL)
_POSITION = re.compile(r"line (\d+), column (\d+)")
_NOISE = re.compile(
    r"\s*Was expecting.*|^SQL validation failed\. |From line \d+, column \d+( to line \d+, column \d+)?: | at line \d+, column \d+",
    re.DOTALL,
)
"""What Flink says beside the fault: every token that would have been right, and the place counted from the statement's first line."""


class SqlError(TickflowError):
    """A statement that Flink refused or that failed while it ran. `line` and `column` are of the file, None where Flink names no place."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(f"line {line}, column {column}: {message}" if line is not None else message)
        self.message, self.line, self.column = message, line, column

    def as_json(self) -> dict[str, object]:
        """The error for machines."""
        return {"message": self.message, "line": self.line, "column": self.column}


@dataclass(frozen=True, slots=True)
class SqlResult:
    """What a statement gave: columns and rows, both empty for one that gives none."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]
    """Times are text, UTC, as Flink writes them; bytes are bytes."""
    is_complete: bool
    """False when there were more rows than asked for."""


class FlinkSession:
    """A table environment with the session's catalog, tables, functions and views. Starting it takes some seconds."""

    def __init__(self, session: SqlSession) -> None:
        _require_flink_home()
        if session.namespace == NAMESPACE:
            create_tables(open_catalog(session.lake), session.lake.buckets)
        _quicken_the_jvm()
        self._environment = _table_environment(session)
        for statement in session_statements(session):
            self._execute(Statement(statement, 1))

    def __enter__(self) -> FlinkSession:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        """Nothing lasts: each query's cluster ends with it, and the JVM with this process."""

    def run(self, statement: Statement, most_rows: int) -> SqlResult:
        """Runs one statement to its end. Raises SqlError."""
        setting = _SET.fullmatch(statement.text)
        if setting:
            self._environment.get_config().set(setting["name"], setting["value"])
            return SqlResult((), [], True)
        result = self._execute(statement)
        with _java_errors(statement):
            return _collected(result, most_rows)

    def _execute(self, statement: Statement) -> Any:
        with _java_errors(statement):
            return self._environment.execute_sql(statement.text)


def _require_flink_home() -> None:
    if not os.environ.get("FLINK_HOME"):
        raise InvalidSettings("FLINK_HOME is not set; start with `infra/tickflow sql`, which sets it")


def _quicken_the_jvm() -> None:
    """Flink compiles each query anew: the JVM's first compiler alone answers in half the time."""
    os.environ.setdefault("JVM_ARGS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    os.environ.setdefault("LOG4J_PROPERTIES", str(LOG_SETTINGS))


def _table_environment(session: SqlSession) -> Any:
    from pyflink.common import Configuration
    from pyflink.table import EnvironmentSettings, TableEnvironment

    configuration = Configuration()
    for name, value in session_options(session).items():
        configuration.set_string(name, value)
    return TableEnvironment.create(EnvironmentSettings.new_instance().in_batch_mode().with_configuration(configuration).build())


class _java_errors:  # noqa: N801 - reads like a keyword
    """Turns errors of the JVM into SqlError, with the place in the file."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None) -> None:
        java_error = getattr(value, "java_exception", None)
        if java_error is not None:
            raise _sql_error(_told_cause(java_error), self._statement) from None


def _told_cause(java_error: Any) -> str:
    """The message of the error: its own where Flink refused the statement, the innermost one where the query failed while it ran."""
    own = java_error.getMessage() or java_error.getClass().getName()
    if java_error.getClass().getName().startswith("org.apache.flink.table.api."):
        return str(own)
    innermost = java_error
    while innermost.getCause() is not None:
        innermost = innermost.getCause()
    return f"{innermost.getClass().getSimpleName()}: {innermost.getMessage()}"


def _sql_error(told: str, statement: Statement) -> SqlError:
    message = _NOISE.sub("", told).strip()
    position = _POSITION.search(told)
    if position is None:
        return SqlError(message)
    return SqlError(message, statement.line + int(position[1]) - 1, int(position[2]))


def _collected(result: Any, most_rows: int) -> SqlResult:
    java_result = result._j_table_result
    if java_result.getResultKind().toString() == "SUCCESS":
        return SqlResult((), [], True)
    schema = result.get_table_schema()
    iterator = java_result.collect()
    try:
        rows = list(islice(_rows(iterator, schema.get_field_data_types()), most_rows + 1))
    finally:
        iterator.close()
    return SqlResult(tuple(schema.get_field_names()), rows[:most_rows], len(rows) <= most_rows)


def _rows(iterator: Any, types: list[Any]) -> Iterator[tuple[object, ...]]:
    """Rows of a Java iterator. PyFlink cannot bring over a TIMESTAMP_LTZ, so it comes as text."""
    from pyflink.java_gateway import get_gateway
    from pyflink.table.types import DataTypes, LocalZonedTimestampType, _to_java_data_type
    from pyflink.table.utils import pickled_bytes_to_python_converter

    instants = [place for place, kind in enumerate(types) if isinstance(kind, LocalZonedTimestampType)]
    sent = [DataTypes.STRING() if place in instants else kind for place, kind in enumerate(types)]
    gateway = get_gateway()
    java_types = gateway.new_array(gateway.jvm.org.apache.flink.table.types.DataType, len(sent))
    for place, kind in enumerate(sent):
        java_types[place] = _to_java_data_type(kind)
    while iterator.hasNext():
        row = iterator.next()
        for place in instants:
            row.setField(place, _text(row.getField(place)))
        fields = gateway.jvm.PythonBridgeUtils.getPickledBytesFromRow(row, java_types)[1:]
        yield tuple(pickled_bytes_to_python_converter(field, kind) if len(field) else None for field, kind in zip(fields, sent))


def _text(value: Any) -> str | None:
    return None if value is None else value.toString()
