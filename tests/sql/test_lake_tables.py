from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform

from jobs.lake.catalog import create_catalog_statement, create_tables, drop_namespace, flink_properties, open_catalog
from jobs.lake.definitions import TABLES, TABLES_BY_NAME
from jobs.lake.flink_session import FlinkSession
from jobs.lake.settings import CatalogKind, LakeSettings, lake_from_environment, lake_to_environment, local_lake
from jobs.lake.sql_files import parameters, statements
from jobs.lake.sql_session import SQL_FOLDER
from jobs.lake.tables import NAMESPACE, table_properties
from jobs.lake.writing import append_rows
from tests.sql import sample_lake
from udfs.errors import InvalidSettings
from udfs.records import Alert, Bar, FeatureRow, Rejected, Signal

KAFKA_TOPICS = {"market.frames", "news.items", "control", "features", "signals", "alerts", "bars", "late", "rejects"}
JDBC_CATALOG = "org.apache.iceberg.jdbc.JdbcCatalog"
OTHER_NAMES = {
    "event_time": {"event_time", "event_time_ns"},
    "start_time": {"start_time", "start_time_ns"},
    "available_time": {"available_time_ns"},
    "horizon": {"horizon_ns"},
    "values": {"feature_values"},
    "valid": {"feature_valid"},
    "probabilities": {"probability_down", "probability_neutral", "probability_up"},
    "position": {"topic", "kafka_partition", "kafka_offset", "event_index"},
}


@pytest.mark.parametrize(
    ("table", "record", "further"),
    [
        ("features", FeatureRow, {"price"}),
        ("bars", Bar, set()),
        ("signals", Signal, set()),
        ("alerts", Alert, set()),
        ("rejects", Rejected, {"reason_name"}),
    ],
)
def test_a_table_has_every_field_of_its_record(table: str, record: type, further: set[str]) -> None:
    expected: set[str] = set(further)
    for field in dataclasses.fields(record):
        expected |= OTHER_NAMES.get(field.name, {field.name})
    assert set(TABLES_BY_NAME[table].column_names()) == expected


def columns_of(schema: Schema) -> list[tuple[str, str, bool, str | None]]:
    """Everything but the ids of list elements, which the catalog gives anew."""
    return [(field.name, str(field.field_type), field.required, field.doc) for field in schema.fields]


@pytest.mark.parametrize("definition", TABLES, ids=lambda definition: definition.name)
def test_a_created_table_is_as_it_is_defined(definition, catalog: Catalog) -> None:  # type: ignore[no-untyped-def]
    stored = catalog.load_table((NAMESPACE, definition.name))
    assert columns_of(stored.schema()) == columns_of(definition.iceberg_schema())
    assert stored.spec().fields == definition.partition_spec(buckets=2).fields
    assert table_properties().items() - stored.properties.items() <= {("format-version", "2")}
    assert stored.metadata.format_version == 2


def test_rows_lie_by_day_and_by_bucket_of_symbol() -> None:
    by_day, by_symbol = TABLES_BY_NAME["features"].partition_spec(16).fields
    assert isinstance(by_day.transform, DayTransform)
    assert isinstance(by_symbol.transform, BucketTransform)
    assert len(TABLES_BY_NAME["features"].partition_spec(1).fields) == len(TABLES_BY_NAME["runs"].partition_spec(16).fields) == 1


def test_flink_sees_the_columns_that_are_defined(flink: FlinkSession) -> None:
    for definition in TABLES:
        (statement,) = statements(f"DESCRIBE {definition.name}")
        described = flink.run(statement, 1000)
        found = [f"`{name}` {kind}{'' if nullable else ' NOT NULL'}" for name, kind, nullable, *_ in described.rows]
        assert ", ".join(found) == definition.flink_columns()


def test_there_is_one_kafka_table_a_topic_and_its_broker_is_a_parameter() -> None:
    topics = {}
    for path in (SQL_FOLDER / "tables").glob("*.sql"):
        text = path.read_text(encoding="utf-8")
        assert len(statements(text)) == 1
        assert f"CREATE TEMPORARY TABLE IF NOT EXISTS {path.stem} (" in text
        assert set(parameters(text)) == {"kafka", "group", "start"}
        topic = re.search(r"'topic' = '([^']+)'", text)
        assert topic is not None
        topics[topic[1]] = path.stem
    assert set(topics) == KAFKA_TOPICS
    assert all(name == "kafka_" + topic.replace(".", "_") for topic, name in topics.items())


def test_a_namespace_can_be_made_twice_and_dropped_twice(tmp_path: Path) -> None:
    settings = local_lake(tmp_path)
    catalog = open_catalog(settings)
    append_rows_to = create_tables(catalog, settings.buckets, "replay_1")["runs"]
    append_rows(catalog, "replay_1", "runs", sample_lake.runs())
    assert create_tables(catalog, 16, "replay_1")["runs"].metadata_location != append_rows_to.metadata_location
    drop_namespace(catalog, "replay_1")
    drop_namespace(catalog, "replay_1")
    assert catalog.list_namespaces() == []


def test_rows_written_from_python_lie_in_their_partitions_and_are_compressed(catalog: Catalog) -> None:
    tasks = list(catalog.load_table((NAMESPACE, "bars")).scan().plan_files())
    assert len({str(task.file.partition) for task in tasks}) == len(tasks) == 4  # two days, two buckets
    for task in tasks:
        column = pq.ParquetFile(task.file.file_path.removeprefix("file://")).metadata.row_group(0).column(0)
        assert column.compression == "ZSTD"


@pytest.mark.parametrize("change", [{"verb": None}, {"surprise": 1}])
def test_a_row_that_does_not_fit_is_refused_and_nothing_is_written(change: dict[str, object], catalog: Catalog) -> None:
    before = catalog.load_table((NAMESPACE, "runs")).current_snapshot()
    with pytest.raises(ValueError, match=r"verb|surprise"):
        append_rows(catalog, NAMESPACE, "runs", [sample_lake.runs()[0], sample_lake.runs()[0] | change])
    assert catalog.load_table((NAMESPACE, "runs")).current_snapshot() == before


def test_settings_survive_the_way_through_the_environment(tmp_path: Path) -> None:
    settings = LakeSettings("s3://bucket/lake", CatalogKind.JDBC, "jdbc:postgresql://host/db", "http://s3:9000", "eu-west-1", 7)
    assert lake_from_environment(lake_to_environment(settings), tmp_path) == settings
    assert lake_from_environment({}, tmp_path) == local_lake(tmp_path)


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"TICKFLOW_LAKE_CATALOG": "hive"}, "sqlite, jdbc, rest, glue"),
        ({"TICKFLOW_LAKE_CATALOG": "rest"}, "no uri"),
        ({"TICKFLOW_LAKE_CATALOG": "glue"}, "no warehouse"),
        ({"TICKFLOW_LAKE_CATALOG": "jdbc", "TICKFLOW_LAKE_URI": "postgresql://h/d", "TICKFLOW_LAKE_WAREHOUSE": "/w"}, "starts with jdbc:"),
        ({"TICKFLOW_LAKE_URI": "jdbc:postgresql://me:secret@h/d"}, "TICKFLOW_LAKE_PASSWORD"),
        ({"TICKFLOW_LAKE_BUCKETS": "many"}, "whole number"),
        ({"TICKFLOW_LAKE_BUCKETS": "0"}, "at least 1"),
    ],
)
def test_settings_that_cannot_work_are_refused_and_no_secret_is_shown(environment: dict[str, str], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=complaint) as refused:
        lake_from_environment(environment, tmp_path)
    assert "secret" not in str(refused.value)


def test_secrets_reach_the_catalog_from_the_environment_and_s3_keys_are_left_to_the_jvm() -> None:
    settings = LakeSettings("s3://bucket/lake", CatalogKind.JDBC, "jdbc:postgresql://host/db", "http://s3:9000")
    environment = {"TICKFLOW_LAKE_PASSWORD": "it's", "AWS_SECRET_ACCESS_KEY": "key"}
    assert "'jdbc.password' = 'it''s'" in create_catalog_statement(settings, environment)
    assert "key" not in create_catalog_statement(settings, environment)
    assert "it's" not in repr(settings)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            LakeSettings("/w", CatalogKind.SQLITE, "/c.db"),
            {"catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog", "uri": "jdbc:sqlite:/c.db"},
        ),
        (LakeSettings("", CatalogKind.REST, "http://rest"), {"catalog-type": "rest", "uri": "http://rest"}),
        (LakeSettings("s3://b/w", CatalogKind.GLUE), {"catalog-type": "glue", "io-impl": "org.apache.iceberg.aws.s3.S3FileIO"}),
    ],
)
def test_each_kind_of_catalog_has_its_options(settings: LakeSettings, expected: dict[str, str]) -> None:
    assert expected.items() <= flink_properties(settings, {}).items()
