"""Where records go: which kind of record to which topic and which table of the lake. Everything here runs in the JVM."""

from __future__ import annotations

from dataclasses import dataclass, field

from jobs.lake.definitions import ALERTS, BARS, FEATURES, REJECTS, SIGNALS
from jobs.lake.tables import TableDefinition
from udfs.errors import Reason
from udfs.operators.output_rows import PARTS

_PLACE = ("topic", "kafka_partition", "kafka_offset", "event_index")
_LARGEST_TIME = 4_102_444_800_000_000_000
"""2100-01-01 in nanoseconds: a time beyond it is not given to the partitions of the lake."""
LAKE_TABLES: dict[str, TableDefinition] = {"feature": FEATURES, "bar": BARS, "signal": SIGNALS, "alert": ALERTS, "reject": REJECTS}


@dataclass(frozen=True)
class Outputs:
    """Tables that the job writes, by kind of record; a kind that is missing is not written."""

    constants: dict[str, str]
    """Columns that are the same for the whole job: manifest_id, feature_set."""
    topics: dict[str, str] = field(default_factory=dict)
    """feature, bar, signal, alert, reject, late -> table of a Kafka topic."""
    lake: dict[str, str] = field(default_factory=dict)
    """frame, control, feature, bar, signal, alert, reject -> Iceberg table, as SQL names it."""
    from_time: int | None = None
    to_time: int | None = None
    """Records outside [from_time, to_time) of event time, nanoseconds, are not written."""


def insert_statements(outputs: Outputs) -> list[str]:
    """One INSERT a sink, in a fixed order."""
    to_topics = [_into_topic(kind, table) for kind, table in sorted(outputs.topics.items())]
    to_lake = [_into_lake(kind, table, outputs) for kind, table in sorted(outputs.lake.items())]
    return to_topics + to_lake


def _into_topic(kind: str, table: str) -> str:
    part = "reject" if kind == "late" else kind
    condition = {
        "late": f"r.reject IS NOT NULL AND r.reject.reason = {int(Reason.LATE)}",
        "reject": f"r.reject IS NOT NULL AND r.reject.reason <> {int(Reason.LATE)}",
    }.get(kind, f"r.{part} IS NOT NULL")
    return f"INSERT INTO {table} SELECT r.symbol, r.{part}.payload, {_event_time(part, 3)} FROM records AS r WHERE {condition}"


def _into_lake(kind: str, table: str, outputs: Outputs) -> str:
    if kind == "frame":
        return f"INSERT INTO {table} {_FRAMES}"
    if kind == "control":
        return f"INSERT INTO {table} {_CONTROL}"
    columns = ", ".join(_lake_column(name, kind, outputs.constants) for name in LAKE_TABLES[kind].column_names())
    return f"INSERT INTO {table} SELECT {columns} FROM lake_records AS r WHERE {_wanted(kind, outputs)}"


_FRAMES = (
    "SELECT f.symbol, CAST(f.event_time AS TIMESTAMP_LTZ(6)), f.`record`.f2, f.`record`.f3, f.`record`.f4, f.`record`.f1, "
    "SHA256(DECODE(f.`record`.f1, 'ISO-8859-1')) FROM lake_frames AS f"
)
_CONTROL_MILLISECONDS = (
    "(TIMESTAMPDIFF(SECOND, TO_TIMESTAMP_LTZ(0, 3), event_time) * 1000 + MOD(EXTRACT(MILLISECOND FROM event_time), 1000))"
)
_CONTROL = (
    f"SELECT kafka_offset + 1, CAST(event_time AS TIMESTAMP_LTZ(6)), {_CONTROL_MILLISECONDS} * 1000000, LOWER(symbol), frame "
    "FROM kafka_control"
)
"""The key of an entry is its kind."""


def _wanted(kind: str, outputs: Outputs) -> str:
    time = f"r.{kind}.{_time_column(kind)}"
    bounds = [f"{time} >= {outputs.from_time}"] if outputs.from_time is not None else []
    bounds += [f"{time} < {outputs.to_time}"] if outputs.to_time is not None else []
    return " AND ".join([f"r.{kind} IS NOT NULL", *bounds])


def _time_column(kind: str) -> str:
    return "start_time_ns" if kind == "bar" else "event_time_ns"


def _lake_column(name: str, kind: str, constants: dict[str, str]) -> str:
    if name in ("event_time", "start_time"):
        return _event_time(kind, 6)
    if name in constants:
        return f"'{constants[name]}'"
    if name in PARTS[kind]:
        return f"r.{kind}.`{name}`"
    assert name == "symbol" or name in _PLACE, name
    return f"r.`{name}`"


def _event_time(part: str, precision: int) -> str:
    """The time of a record for people and partitions; exact nanoseconds stand beside it. A time nobody can believe becomes 1970."""
    column = f"r.{part}.{_time_column(part)}"
    believable = f"{column} BETWEEN 0 AND {_LARGEST_TIME}"
    if part == "reject":
        believable += f" AND r.reject.reason <> {int(Reason.TIME_ABSURD)}"
    return f"CAST(TO_TIMESTAMP_LTZ(CASE WHEN {believable} THEN {column} / 1000000 ELSE 0 END, 3) AS TIMESTAMP_LTZ({precision}))"
