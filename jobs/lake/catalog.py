"""One catalog for two engines: pyiceberg and Flink open the same tables from the same settings.

Secrets come from the environment at the moment of use: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN for the object
store (the JVM reads these itself), TICKFLOW_LAKE_USER and TICKFLOW_LAKE_PASSWORD for a JDBC catalog, TICKFLOW_LAKE_TOKEN for REST.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.exceptions import (
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.table import Table

from jobs.lake.definitions import TABLES
from jobs.lake.settings import CatalogKind, LakeSettings
from jobs.lake.tables import NAMESPACE, TableDefinition, table_properties

CATALOG_NAME = "lake"
"""Name of the catalog in Flink SQL. The SQL catalogs store it with every table, so both engines must use the same."""
SQLITE_WAIT_MILLISECONDS = 30_000


def open_catalog(settings: LakeSettings, environment: Mapping[str, str] = os.environ) -> Catalog:
    """The catalog for Python. Opening a SQLite catalog makes its file."""
    return load_catalog(CATALOG_NAME, **_python_properties(settings, environment))


def _python_properties(settings: LakeSettings, environment: Mapping[str, str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {"warehouse": _python_warehouse(settings), **_PYTHON_CATALOGS[settings.kind](settings, environment)}
    if settings.on_s3:
        found |= _present({"s3.endpoint": settings.s3_endpoint, "s3.region": settings.s3_region} | _python_s3_secrets(environment))
    return {name: value for name, value in found.items() if value}


def _python_warehouse(settings: LakeSettings) -> str:
    return f"file://{settings.warehouse}" if settings.warehouse.startswith("/") else settings.warehouse


def _python_s3_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        "s3.access-key-id": environment.get("AWS_ACCESS_KEY_ID", ""),
        "s3.secret-access-key": environment.get("AWS_SECRET_ACCESS_KEY", ""),
        "s3.session-token": environment.get("AWS_SESSION_TOKEN", ""),
    }


def _python_sqlite(settings: LakeSettings, environment: Mapping[str, str]) -> dict[str, str]:
    return {"type": "sql", "uri": f"sqlite:///{settings.uri}?timeout={SQLITE_WAIT_MILLISECONDS // 1000}"}


def _python_jdbc(settings: LakeSettings, environment: Mapping[str, str]) -> dict[str, str]:
    from sqlalchemy.engine import make_url

    address = make_url(settings.uri.removeprefix("jdbc:"))
    with_login = address.set(
        username=environment.get("TICKFLOW_LAKE_USER") or None, password=environment.get("TICKFLOW_LAKE_PASSWORD") or None
    )
    return {"type": "sql", "uri": with_login.render_as_string(hide_password=False)}


def _python_rest(settings: LakeSettings, environment: Mapping[str, str]) -> dict[str, str]:
    return _present({"type": "rest", "uri": settings.uri, "token": environment.get("TICKFLOW_LAKE_TOKEN", "")})


def _python_glue(settings: LakeSettings, environment: Mapping[str, str]) -> dict[str, str]:
    return {"type": "glue", "glue.region": settings.s3_region}


_PYTHON_CATALOGS = {
    CatalogKind.SQLITE: _python_sqlite,
    CatalogKind.JDBC: _python_jdbc,
    CatalogKind.REST: _python_rest,
    CatalogKind.GLUE: _python_glue,
}


def create_catalog_statement(settings: LakeSettings, environment: Mapping[str, str] = os.environ) -> str:
    """`CREATE CATALOG lake WITH (…)` with the meaning of `open_catalog`. May hold a password or token: use it, never print it."""
    properties = flink_properties(settings, environment)
    lines = ",\n  ".join(f"'{_quoted(name)}' = '{_quoted(value)}'" for name, value in properties.items())
    return f"CREATE CATALOG {CATALOG_NAME} WITH (\n  {lines}\n)"


def flink_properties(settings: LakeSettings, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The options of Flink's Iceberg catalog. May hold a password or token."""
    found = {"type": "iceberg", "warehouse": settings.warehouse, "cache-enabled": "false", **_flink_catalog(settings, environment)}
    if settings.on_s3:
        found |= {"io-impl": "org.apache.iceberg.aws.s3.S3FileIO", "s3.endpoint": settings.s3_endpoint, "client.region": settings.s3_region}
        found |= {"s3.path-style-access": "true"} if settings.s3_endpoint else {}
    return _present(found)


def _flink_catalog(settings: LakeSettings, environment: Mapping[str, str]) -> dict[str, str]:
    if settings.kind is CatalogKind.REST:
        return {"catalog-type": "rest", "uri": settings.uri, "token": environment.get("TICKFLOW_LAKE_TOKEN", "")}
    if settings.kind is CatalogKind.GLUE:
        return {"catalog-type": "glue", "glue.region": settings.s3_region}
    jdbc = {"catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog", "jdbc.schema-version": "V1"}
    if settings.kind is CatalogKind.SQLITE:
        return jdbc | {"uri": f"jdbc:sqlite:{settings.uri}", "jdbc.busy_timeout": str(SQLITE_WAIT_MILLISECONDS)}
    secrets = {"jdbc.user": environment.get("TICKFLOW_LAKE_USER", ""), "jdbc.password": environment.get("TICKFLOW_LAKE_PASSWORD", "")}
    return jdbc | {"uri": settings.uri} | secrets


def _present(properties: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in properties.items() if value}


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def create_tables(catalog: Catalog, buckets: int, namespace: str = NAMESPACE) -> dict[str, Table]:
    """Makes the namespace and the tables that are missing; those that are there stay as they are. Returns all by name."""
    try:
        catalog.create_namespace(namespace)
    except NamespaceAlreadyExistsError:
        pass
    return {definition.name: _create_table(catalog, namespace, definition, buckets) for definition in TABLES}


def _create_table(catalog: Catalog, namespace: str, definition: TableDefinition, buckets: int) -> Table:
    identifier = (namespace, definition.name)
    try:
        return catalog.load_table(identifier)
    except NoSuchTableError:
        pass
    spec = definition.partition_spec(buckets)
    try:
        return catalog.create_table(identifier, definition.iceberg_schema(), partition_spec=spec, properties=table_properties())
    except TableAlreadyExistsError:
        return catalog.load_table(identifier)


def drop_namespace(catalog: Catalog, namespace: str) -> None:
    """Drops the tables of a namespace and the namespace: for the scratch tables of a replay. Nothing happens when there is none."""
    try:
        identifiers = catalog.list_tables(namespace)
    except NoSuchNamespaceError:
        return
    for identifier in identifiers:
        _drop_table(catalog, identifier)
    try:
        catalog.drop_namespace(namespace)
    except (NoSuchNamespaceError, NamespaceNotEmptyError):
        return


def _drop_table(catalog: Catalog, identifier: tuple[str, ...]) -> None:
    try:
        catalog.drop_table(identifier)
    except NoSuchTableError:
        return
