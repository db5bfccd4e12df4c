"""Appending rows to the lake from Python: for `runs`, `control_events` and tests. The stream's rows are written by Flink.

pyiceberg's own append needs a newer pyarrow than Flink allows, so the files are written here and handed to pyiceberg's fast append.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.io.pyarrow import (
    compute_statistics_plan,
    data_file_statistics_from_parquet_metadata,
    parquet_path_to_id_mapping,
    schema_to_pyarrow,
)
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import Table
from pyiceberg.typedef import Record
from pyiceberg.utils.datetime import datetime_to_micros
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_random_exponential

Row = Mapping[str, object]
COMMIT_ATTEMPTS = 20


def append_rows(catalog: Catalog, namespace: str, table: str, rows: Sequence[Row]) -> None:
    """Appends `rows` in one commit, again from the start when another writer was first. Times are aware datetimes.

    Raises ValueError for a column missing or unknown or a required one that is None, pyarrow's errors for a value of another type.
    """
    if rows:
        _append(catalog, (namespace, table), rows)


@retry(
    retry=retry_if_exception_type(CommitFailedException),
    stop=stop_after_attempt(COMMIT_ATTEMPTS),
    wait=wait_random_exponential(0.05, max=2),
    reraise=True,
)
def _append(catalog: Catalog, identifier: tuple[str, str], rows: Sequence[Row]) -> None:
    stored = catalog.load_table(identifier)
    for row in rows:
        _check_columns(stored, row)
    with stored.transaction() as transaction, transaction.update_snapshot().fast_append() as append:
        for partition, members in _by_partition(stored, rows).items():
            append.append_data_file(_write_file(stored, Record(*partition), members))


def _check_columns(stored: Table, row: Row) -> None:
    names = {field.name for field in stored.schema().fields}
    nulls = sorted(field.name for field in stored.schema().fields if field.required and row.get(field.name) is None)
    unknown = sorted(set(row) - names)
    missing = sorted(names - set(row))
    if unknown or missing or nulls:
        raise ValueError(f"{stored.name()}: missing columns {missing}, unknown columns {unknown}, required columns without a value {nulls}")


def _by_partition(stored: Table, rows: Sequence[Row]) -> dict[tuple[object, ...], list[Row]]:
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[_partition_of(stored, row)].append(row)
    return groups


def _partition_of(stored: Table, row: Row) -> tuple[object, ...]:
    values = []
    for partition_field in stored.spec().fields:
        source = stored.schema().find_field(partition_field.source_id)
        values.append(partition_field.transform.transform(source.field_type)(_stored_value(row[source.name])))
    return tuple(values)


def _stored_value(value: object) -> object:
    return datetime_to_micros(value) if isinstance(value, datetime) else value


def _write_file(stored: Table, partition: Record, rows: Sequence[Row]) -> DataFile:
    schema = stored.schema()
    content = pa.Table.from_pylist([dict(row) for row in rows], schema=schema_to_pyarrow(schema, include_field_ids=True))
    path = f"{stored.location()}/data/{stored.spec().partition_to_path(partition, schema)}/{uuid.uuid4()}.parquet"
    output = stored.io.new_output(path)
    with output.create() as stream, pq.ParquetWriter(stream, content.schema, compression="zstd") as writer:
        writer.write_table(content)
    statistics = data_file_statistics_from_parquet_metadata(
        parquet_metadata=writer.writer.metadata,
        stats_columns=compute_statistics_plan(schema, stored.properties),
        parquet_column_mapping=parquet_path_to_id_mapping(schema),
    )
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=partition,
        file_size_in_bytes=len(output),
        spec_id=stored.metadata.default_spec_id,
        **statistics.to_serialized_dict(),
    )
