"""Runs a file of `promtool test rules` with the small PromQL beside it: rules are evaluated each minute, `for` is waited out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import promql_parser as syntax
import yaml

from tests.support.promql import NAME, Labels, Series, Vector, evaluate, series_of

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LABEL = re.compile(r"\{\{ \$labels\.(\w+) \}\}")


class Rule(NamedTuple):
    """One alert rule."""

    name: str
    expression: str
    for_seconds: float
    labels: dict[str, str]
    annotations: dict[str, str]


class Case(NamedTuple):
    """Series, and what fires of one alert at a time."""

    alert: str
    series: tuple[Series, ...]
    seconds: float
    expected: tuple[dict[str, Any], ...]


def seconds_of(text: str) -> float:
    number, unit = re.fullmatch(r"(\d+)([smh])", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


def read_rules(path: Path) -> list[Rule]:
    groups = yaml.safe_load(path.read_text())["groups"]
    return [_rule(rule) for group in groups for rule in group["rules"]]


def _rule(rule: dict[str, Any]) -> Rule:
    return Rule(rule["alert"], rule["expr"], seconds_of(rule.get("for", "0s")), rule.get("labels", {}), rule.get("annotations", {}))


def read_cases(path: Path) -> list[Case]:
    return [_case(test, found) for test in yaml.safe_load(path.read_text())["tests"] for found in test["alert_rule_test"]]


def _case(test: dict[str, Any], found: dict[str, Any]) -> Case:
    interval = seconds_of(test["interval"])
    series = tuple(series_of(entry["series"], str(entry["values"]), interval) for entry in test["input_series"])
    return Case(found["alertname"], series, seconds_of(found["eval_time"]), tuple(found["exp_alerts"]))


def firing(rule: Rule, series: tuple[Series, ...], seconds: float, every: float = 60.0) -> list[dict[str, Any]]:
    """The alerts of a rule that fire at a time, as `exp_alerts` has them."""
    expression, since = syntax.parse(rule.expression), dict[Labels, float]()
    now = 0.0
    while now <= seconds:
        found = evaluate(expression, series, now)
        assert not isinstance(found, float)
        since = {labels: since.get(labels, now) for labels in _nameless(found)}
        now += every
    last = now - every
    return [_alert(rule, dict(labels)) for labels, begun in sorted(since.items(), key=str) if last - begun >= rule.for_seconds]


def _nameless(vector: Vector) -> list[Labels]:
    return [frozenset(pair for pair in labels if pair[0] != NAME) for labels in vector]


def _alert(rule: Rule, labels: dict[str, str]) -> dict[str, Any]:
    texts = {name: _LABEL.sub(lambda match: labels[match[1]], text) for name, text in rule.annotations.items()}
    return {"exp_labels": labels | rule.labels, "exp_annotations": texts}


def metric_names(expression: str) -> set[str]:
    """Metrics that an expression reads."""
    found: set[str] = set()
    _collect(syntax.parse(expression), found)
    return found


def _collect(node: Any, found: set[str]) -> None:
    if isinstance(node, syntax.VectorSelector):
        found.add(node.name)
    for part in ("expr", "lhs", "rhs", "vector_selector", "param"):
        if getattr(node, part, None) is not None:
            _collect(getattr(node, part), found)
    for argument in getattr(node, "args", None) or []:
        _collect(argument, found)
