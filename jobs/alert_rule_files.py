"""Alert rules as people write them: TOML files and command lines, every problem at once."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from udfs.codecs.control import validate_control
from udfs.errors import InvalidRule
from udfs.records import AlertRule, ControlEvent, ControlKind, Measure

NANOSECONDS_PER_SECOND: Final = 1_000_000_000
NUMBERS: Final = ("threshold", "rearm_below", "cool_down_seconds")
REQUIRED: Final = ("id", "measure", *NUMBERS)
OPTIONAL: Final = ("symbols",)
LONGEST_COOL_DOWN_SECONDS: Final = 10 * 366 * 86_400
MEASURES: Final = tuple(measure.name.lower() for measure in Measure)


def load_rules(path: Path) -> tuple[AlertRule, ...]:
    """The rules of a file of `[[rule]]` tables, in its order. Raises InvalidRule with every problem of every rule."""
    tables = _tables(path)
    rules, problems = [], []
    for number, table in enumerate(tables, 1):
        try:
            rules.append(rule_of(table))
        except InvalidRule as error:
            problems += [f"rule {number}: {problem}" for problem in str(error).splitlines()]
    repeated = [name for name, count in Counter(rule.rule_id for rule in rules).items() if count > 1]
    problems += [f"id {name!r} is used more than once" for name in repeated]
    if problems:
        raise InvalidRule("\n".join(f"{path}: {problem}" for problem in problems))
    return tuple(rules)


def rule_of(table: Mapping[str, Any]) -> AlertRule:
    """A rule from its words: id, measure, threshold, rearm_below, cool_down_seconds, symbols. Raises InvalidRule, a line a problem."""
    problems = list(_problems(table))
    if problems:
        raise InvalidRule("\n".join(problems))
    rule = AlertRule(
        rule_id=table["id"],
        measure=Measure[table["measure"].upper()],
        threshold=float(table["threshold"]),
        rearm_below=float(table["rearm_below"]),
        cool_down=round(table["cool_down_seconds"] * NANOSECONDS_PER_SECOND),
        symbols=tuple(table.get("symbols", ())),
    )
    validate_control(ControlEvent(0, ControlKind.ALERT_RULE, 0, "", "", rule=rule))
    return rule


def _tables(path: Path) -> list[Any]:
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise InvalidRule(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRule(f"{path}: {error}") from error
    tables = content.get("rule")
    unknown = sorted(set(content) - {"rule"})
    if unknown or not isinstance(tables, list) or not tables:
        raise InvalidRule(f"{path}: expected [[rule]] tables and nothing else, found {', '.join(content) or 'nothing'}")
    return tables


def _problems(table: Any) -> Iterable[str]:
    if not isinstance(table, Mapping):
        yield f"expected a table, found {table!r}"
        return
    yield from (f"{name} is missing" for name in REQUIRED if name not in table)
    yield from (f"{name} is unknown; expected {', '.join((*REQUIRED, *OPTIONAL))}" for name in table if name not in (*REQUIRED, *OPTIONAL))
    yield from (f"{name} is {table[name]!r}; expected a number" for name in NUMBERS if name in table and not _is_number(table[name]))
    cool_down = table.get("cool_down_seconds", 0)
    if _is_number(cool_down) and not 0 <= cool_down <= LONGEST_COOL_DOWN_SECONDS:
        yield f"cool_down_seconds is {cool_down}; expected 0 to {LONGEST_COOL_DOWN_SECONDS}"
    if "id" in table and not isinstance(table["id"], str):
        yield f"id is {table['id']!r}; expected text"
    if "measure" in table and str(table["measure"]).lower() not in MEASURES:
        yield f"measure is {table['measure']!r}; expected one of {', '.join(MEASURES)}"
    symbols = table.get("symbols", [])
    if not isinstance(symbols, list | tuple) or not all(isinstance(symbol, str) for symbol in symbols):
        yield f"symbols is {symbols!r}; expected a list of texts"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
