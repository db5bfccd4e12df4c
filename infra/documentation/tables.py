"""The generated tables, by the name of the block that they fill."""

from __future__ import annotations

import importlib.machinery
import importlib.util
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from infra.documentation import meanings
from infra.documentation.attributes import attribute_documents
from infra.documentation.markdown import code, table
from infra.documentation.monitoring import alerts, metrics
from infra.documentation.reports import reports, sql_functions
from infra.local import paths
from jobs.features import scaling_words
from jobs.gateway.counts import GatewayCounts
from jobs.gateway.detect import FORMATS
from jobs.kafka_settings import Topics
from jobs.lake.definitions import TABLES
from jobs.lake.tables import TableDefinition
from jobs.schema_registry import MESSAGE_OF_TOPIC
from jobs.serving.online_records import feature_key, signal_key
from jobs.serving.online_store import OnlineCounts
from jobs.settings import _SHORT_NAMES, PREFIX, Settings
from udfs.codecs.wire import PINNED
from udfs.kernels.feature_vector import FEATURE_SET, Feature
from udfs.operators.job_counters import COUNTERS

CONTROL_KEY = "kind of the entry"


def dispatcher() -> Any:
    """The one command as a module; it has no suffix, so it cannot be imported by name."""
    loader = importlib.machinery.SourceFileLoader("tickflow_command", str(paths.ROOT / "infra" / "tickflow"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def verbs() -> str:
    """Each verb that this checkout has."""
    command = dispatcher()
    found = [(code(f"infra/tickflow {verb}"), words) for verb, (_, words) in command.VERBS.items() if command.is_present(verb)]
    return table(("command", "what it does"), found)


def settings() -> str:
    """Each setting: its name in `job.toml`, its variable, its default."""
    short = {path: PREFIX + name for name, path in _SHORT_NAMES.items()}
    rows = []
    for path, field in _leaves(Settings):
        name = ".".join(path)
        long = PREFIX + "__".join(path).upper()
        variable = short.get(path, long)
        rows.append((code(name), code(variable), code(_default(field.default)), field.description))
    return table(("setting", "variable", "default", "meaning"), rows)


def _leaves(model: type[BaseModel], above: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Fields that are no section, with their paths."""
    found: list[tuple[tuple[str, ...], Any]] = []
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            found += _leaves(section, (*above, name))
        else:
            found.append(((*above, name), field))
    return found


def _default(value: Any) -> str:
    assert value is not PydanticUndefined
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value)


def environment() -> str:
    """Variables that are no settings of the job."""
    return table(("variable", "meaning"), [(code(name), words) for name, words in meanings.ENVIRONMENT.items()])


def topics() -> str:
    """Each topic: default name, message, schema id, key."""
    rows = []
    for role, field in Topics.model_fields.items():
        message = MESSAGE_OF_TOPIC[field.default]
        key = CONTROL_KEY if role == "control" else "symbol"
        rows.append((code(field.default), field.description, code(message), PINNED.written[message], key))
    return table(("topic", "what it carries", "message", "schema id", "key"), rows)


def lake_tables() -> str:
    """Each table of the lake, in one line."""
    return table(("table", "what a row is", "partitions"), [(_link(found), found.meaning, _partitions(found)) for found in TABLES])


def _link(found: TableDefinition) -> str:
    return f"[`{found.name}`](infra/reference/lake.md#{found.name})"


def _partitions(found: TableDefinition) -> str:
    return f"day of `{found.time_column}`" + (", bucket of `symbol`" if found.bucketed else "")


def lake_columns() -> str:
    """Each column of each table."""
    parts = []
    for found in TABLES:
        rows = [(code(column.name), code(column.kind.value), column.meaning) for column in found.columns]
        parts.append(f"## {found.name}\n\n{found.meaning.capitalize()}. Partitions: {_partitions(found)}.\n\n{_columns(rows)}")
    return "\n\n".join(parts)


def _columns(rows: list[tuple[str, str, str]]) -> str:
    return table(("column", "type", "meaning"), rows)


def features() -> str:
    """Each feature."""
    heads = ("no.", "feature", "unit", "formula", "valid after", "scales with", "memory", "for models", "source")
    rows = [
        (int(found), code(found.name.lower()), *_meaning(found), "yes" if found.model_input else "no", found.source) for found in Feature
    ]
    return f"Feature set `{FEATURE_SET}`, {len(Feature)} features.\n\n{table(heads, rows)}"


def _meaning(found: Feature) -> tuple[str, ...]:
    return found.unit, found.formula, found.warm_up, scaling_words(found.scaling), found.memory.value


def counters() -> str:
    """Counters of the operator, the gateway and the online store."""
    rows = [("job", code(f"market.{name}"), words) for name, words in COUNTERS.items()]
    rows += [("gateway", code(name), words) for name, words in attribute_documents(GatewayCounts).items()]
    rows += [("online store", code(name), words) for name, words in attribute_documents(OnlineCounts).items()]
    return table(("program", "counter", "meaning"), rows)


def reasons() -> str:
    """Each reject reason."""
    rows = [(int(reason), code(reason.name.lower()), words) for reason, words in meanings.REASONS.items()]
    return table(("code", "reason", "meaning"), rows)


def statuses() -> str:
    """Each status of a signal, and each code."""
    rows = [("status", int(status), code(status.name.lower()), words) for status, words in meanings.STATUSES.items()]
    rows += [("code", int(found), code(found.name.lower()), words) for found, words in meanings.CODES.items()]
    return table(("field", "number", "name", "meaning"), rows)


def control_events() -> str:
    """Each kind of control event, and what an alert rule can watch."""
    rows = [("control event", code(kind.name.lower()), words) for kind, words in meanings.CONTROL_KINDS.items()]
    rows += [("measure of a rule", code(measure.name.lower()), words) for measure, words in meanings.MEASURES.items()]
    return table(("", "name", "meaning"), rows)


def formats() -> str:
    """Each format that a source may have."""
    return table(("format", "files"), [(code(found.name), found.description) for found in FORMATS])


def online_keys() -> str:
    """Keys of the online store."""
    rows = [
        (code(feature_key("SYMBOL")), "newest feature row: times, values, validity, control version, manifest"),
        (code(signal_key("SYMBOL")), "newest signal: times, direction, confidence, ŷ, σ, status, code, reasons, model"),
    ]
    return table(("key (a hash)", "what it holds"), rows)


BLOCKS: Final[Mapping[str, Callable[[], str]]] = {
    "verbs": verbs,
    "settings": settings,
    "environment": environment,
    "topics": topics,
    "lake-tables": lake_tables,
    "lake-columns": lake_columns,
    "features": features,
    "counters": counters,
    "metrics": metrics,
    "alerts": alerts,
    "reasons": reasons,
    "statuses": statuses,
    "control-events": control_events,
    "formats": formats,
    "online-keys": online_keys,
    "reports": reports,
    "sql-functions": sql_functions,
}
