"""The lake's tables: the one definition from which the Iceberg schemas, the Flink rows and the documentation come.

Times come twice: `event_time` (microseconds, for people and for partitions) and `event_time_ns` (exact, for computing). Flink's DDL cannot
say "by day and by bucket", so the tables are made with `jobs.lake.catalog.create_tables` and Flink finds them there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform
from pyiceberg.types import (
    BinaryType,
    BooleanType,
    DoubleType,
    FloatType,
    IcebergType,
    IntegerType,
    ListType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

NAMESPACE = "tickflow"
"""The namespace that live writes to; a replay writes to another."""
PARTITION_FIELD_START = 1000
LIST_ELEMENT_START = 500
"""Field ids of list elements, far from those of columns so that columns can be added."""


class Kind(Enum):
    """Type of a column; the value is its type in Flink SQL."""

    TEXT = "STRING"
    TIME = "TIMESTAMP_LTZ(6)"
    LONG = "BIGINT"
    INTEGER = "INT"
    DOUBLE = "DOUBLE"
    BOOLEAN = "BOOLEAN"
    BYTES = "BYTES"
    FLOATS = "ARRAY<FLOAT>"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, type, what it means, and whether it is always there."""

    name: str
    kind: Kind
    meaning: str
    required: bool = True


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """One table. Its rows lie in a partition for each day of `time_column` and, with `bucketed`, each bucket of symbols."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    time_column: str = "event_time"
    bucketed: bool = True

    def column_names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(column.name for column in self.columns)

    def flink_columns(self) -> str:
        """The columns as Flink SQL writes them: ``symbol STRING NOT NULL, …``."""
        return ", ".join(_flink_column(column) for column in self.columns)

    def iceberg_schema(self) -> Schema:
        """The schema with field ids by position (from 1)."""
        return Schema(*(_iceberg_field(number, column) for number, column in enumerate(self.columns, start=1)))

    def partition_spec(self, buckets: int) -> PartitionSpec:
        """By day of `time_column` and, when bucketed into more than one, by bucket of symbol."""
        by_day = PartitionField(self._field_id(self.time_column), PARTITION_FIELD_START, DayTransform(), f"{self.time_column}_day")
        if not self.bucketed or buckets <= 1:
            return PartitionSpec(by_day)
        by_symbol = PartitionField(self._field_id("symbol"), PARTITION_FIELD_START + 1, BucketTransform(buckets), "symbol_bucket")
        return PartitionSpec(by_day, by_symbol)

    def _field_id(self, name: str) -> int:
        return self.column_names().index(name) + 1


def _flink_column(column: Column) -> str:
    return f"`{column.name}` {column.kind.value}{' NOT NULL' if column.required else ''}"


def _iceberg_field(number: int, column: Column) -> NestedField:
    return NestedField(number, column.name, _iceberg_type(number, column.kind), required=column.required, doc=column.meaning)


_SIMPLE_TYPES: dict[Kind, IcebergType] = {
    Kind.TEXT: StringType(),
    Kind.TIME: TimestamptzType(),
    Kind.LONG: LongType(),
    Kind.INTEGER: IntegerType(),
    Kind.DOUBLE: DoubleType(),
    Kind.BOOLEAN: BooleanType(),
    Kind.BYTES: BinaryType(),
}


def _iceberg_type(number: int, kind: Kind) -> IcebergType:
    if kind is Kind.FLOATS:
        return ListType(LIST_ELEMENT_START + number, FloatType(), element_required=False)
    return _SIMPLE_TYPES[kind]


def table_properties() -> dict[str, str]:
    """Properties that every table is created with.

    Rows stay in the task that has them (`none`): sending them by partition formats the partition's name anew for each row, which cost more
    than all else that the lake does. Old metadata files are deleted, because each checkpoint commits.
    """
    return {
        "format-version": "2",
        "write.format.default": "parquet",
        "write.parquet.compression-codec": "zstd",
        "write.target-file-size-bytes": str(128 * 1024 * 1024),
        "write.distribution-mode": "none",
        "write.metadata.delete-after-commit.enabled": "true",
        "write.metadata.previous-versions-max": "20",
        "commit.retry.num-retries": "20",
        "commit.retry.min-wait-ms": "50",
        "commit.retry.max-wait-ms": "5000",
        "commit.manifest.min-count-to-merge": "20",
    }
