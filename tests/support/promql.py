"""A small PromQL: what the alert rules use, over the syntax tree of a real parser, with the arithmetic of Prometheus itself.

`rate`, `increase` and `delta` extrapolate as Prometheus does; a sample counts for five minutes. What is not known here fails loudly.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import promql_parser as syntax

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
LOOKBACK_SECONDS = 300.0
NAME = "__name__"


class Series(NamedTuple):
    """One time series: its labels with its name, and (seconds, value) in order."""

    labels: Labels
    samples: tuple[tuple[float, float], ...]


class UnknownPromql(Exception):
    """An expression that this evaluator does not know."""


def series_of(text: str, values: str, interval_seconds: float) -> Series:
    """A series as `promtool test rules` writes it: `name{label="x"}` and `0+60x10 _ 5`."""
    selector = syntax.parse(text)
    labels = {match.name: match.value for match in selector.matchers.matchers} | {NAME: selector.name}
    samples = [(place * interval_seconds, value) for place, value in enumerate(_expanded(values)) if value is not None]
    return Series(frozenset(labels.items()), tuple(samples))


def _expanded(values: str) -> Iterable[float | None]:
    for word in values.split():
        match = re.fullmatch(r"(?P<start>-?[\d.]+|_)(?:(?P<step>[+-][\d.]+))?(?:x(?P<times>\d+))?", word)
        if match is None:
            raise UnknownPromql(f"series values {word!r}")
        start, step, times = match["start"], float(match["step"] or 0), int(match["times"] or 0)
        if start == "_":
            yield from [None] * max(1, times)
        else:
            yield from (float(start) + step * place for place in range(times + 1))


def evaluate(expression: Any, series: Iterable[Series], now: float) -> Vector | float:
    """The value of a parsed expression at a time, in seconds."""
    found = tuple(series)
    match expression:
        case syntax.NumberLiteral():
            return float(expression.val)
        case syntax.ParenExpr():
            return evaluate(expression.expr, found, now)
        case syntax.VectorSelector():
            return _instant(expression, found, now)
        case syntax.AggregateExpr():
            return _aggregate(expression, _vector(expression.expr, found, now))
        case syntax.Call():
            return _call(expression, found, now)
        case syntax.BinaryExpr():
            return _binary(expression, evaluate(expression.lhs, found, now), evaluate(expression.rhs, found, now))
    raise UnknownPromql(f"{type(expression).__name__}: {expression.prettify()}")


def _vector(expression: Any, series: tuple[Series, ...], now: float) -> Vector:
    value = evaluate(expression, series, now)
    if isinstance(value, float):
        raise UnknownPromql(f"a number where a vector is needed: {expression.prettify()}")
    return value


def _selected(selector: Any, series: Iterable[Series]) -> list[Series]:
    wanted = [(NAME, lambda value: value == selector.name)] + [(match.name, _test(match)) for match in selector.matchers.matchers]
    return [found for found in series if all(test(dict(found.labels).get(name, "")) for name, test in wanted)]


def _test(matcher: Any) -> Callable[[str], bool]:
    value, kind = matcher.value, str(matcher.op).rsplit(".", 1)[-1]
    tests: Mapping[str, Callable[[str], bool]] = {
        "Equal": lambda found: found == value,
        "NotEqual": lambda found: found != value,
        "Re": lambda found: re.fullmatch(value, found) is not None,
        "NotRe": lambda found: re.fullmatch(value, found) is None,
    }
    return tests[kind]


def _instant(selector: Any, series: Iterable[Series], now: float) -> Vector:
    result: Vector = {}
    for found in _selected(selector, series):
        seen = [value for time, value in found.samples if now - LOOKBACK_SECONDS < time <= now]
        if seen:
            result[found.labels] = seen[-1]
    return result


def _nameless(labels: Labels) -> Labels:
    return frozenset(pair for pair in labels if pair[0] != NAME)


def _call(call: Any, series: tuple[Series, ...], now: float) -> Vector | float:
    name, arguments = call.func.name, call.args
    if name in ("rate", "increase", "delta"):
        return _over_range(name, arguments[0], series, now)
    if name == "absent":
        return {} if _vector(arguments[0], series, now) else {frozenset(): 1.0}
    if name == "vector":
        return {frozenset(): float(arguments[0].val)}
    if name == "histogram_quantile":
        return _quantile(float(arguments[0].val), _vector(arguments[1], series, now))
    raise UnknownPromql(f"the function {name}")


def _over_range(name: str, matrix: Any, series: Iterable[Series], now: float) -> Vector:
    seconds = matrix.range.total_seconds()
    result: Vector = {}
    for found in _selected(matrix.vector_selector, series):
        inside = [(time, value) for time, value in found.samples if now - seconds < time <= now]
        if len(inside) >= 2:
            result[_nameless(found.labels)] = _extrapolated(inside, now - seconds, now, name != "delta") / (
                seconds if name == "rate" else 1.0
            )
    return result


def _extrapolated(samples: list[tuple[float, float]], start: float, end: float, counts: bool) -> float:
    (first_time, first), (last_time, last) = samples[0], samples[-1]
    change = last - first
    if counts:
        change += sum(before for (_, before), (_, after) in pairwise(samples) if after < before)
    interval = last_time - first_time
    average = interval / (len(samples) - 1)
    to_start, to_end = first_time - start, end - last_time
    if counts and change > 0 and first >= 0:
        to_start = min(to_start, interval * first / change)
    reach = average * 1.1
    whole = interval + (to_start if to_start < reach else average / 2) + (to_end if to_end < reach else average / 2)
    return change * whole / interval


def _quantile(share: float, buckets: Vector) -> Vector:
    groups: dict[Labels, list[tuple[float, float]]] = {}
    for labels, count in buckets.items():
        edge = float(dict(labels)["le"].replace("+Inf", "inf"))
        groups.setdefault(frozenset(pair for pair in labels if pair[0] not in ("le", NAME)), []).append((edge, count))
    return {labels: _inside(share, sorted(found)) for labels, found in groups.items()}


def _inside(share: float, buckets: list[tuple[float, float]]) -> float:
    total = buckets[-1][1]
    if not total or math.isfinite(buckets[-1][0]):
        return math.nan
    rank = share * total
    place = next(index for index, (_, count) in enumerate(buckets) if count >= rank)
    if place == len(buckets) - 1:
        return buckets[-2][0]
    below, before = buckets[place - 1] if place else (0.0, 0.0)
    edge, count = buckets[place]
    return below + (edge - below) * (rank - before) / (count - before)


def _aggregate(aggregate: Any, vector: Vector) -> Vector:
    how = {"sum": sum, "max": max, "min": min}.get(str(aggregate.op))
    if how is None:
        raise UnknownPromql(f"the aggregation {aggregate.op}")
    kept = set(aggregate.modifier.labels) if aggregate.modifier is not None else set()
    groups: dict[Labels, list[float]] = {}
    for labels, value in vector.items():
        groups.setdefault(frozenset(pair for pair in labels if pair[0] in kept), []).append(value)
    return {labels: how(values) for labels, values in groups.items()}


_COMPARISONS = {">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne}
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": lambda a, b: a / b if b else math.nan}


def _binary(expression: Any, left: Vector | float, right: Vector | float) -> Vector | float:
    symbol = str(expression.op)
    if isinstance(left, float):
        raise UnknownPromql(f"a number on the left: {expression.prettify()}")
    key = _matching(expression.modifier)
    if symbol in ("and", "or", "unless"):
        assert not isinstance(right, float)
        return _joined(symbol, left, right, key)
    there = None if isinstance(right, float) else {key(labels): value for labels, value in right.items()}
    result: Vector = {}
    for labels, value in left.items():
        other = right if isinstance(right, float) else there.get(key(labels))  # type: ignore[union-attr]
        if other is None:
            continue
        if symbol in _COMPARISONS:
            if _COMPARISONS[symbol](value, other):
                result[labels] = value
        elif symbol in _ARITHMETIC:
            result[_nameless(labels)] = _ARITHMETIC[symbol](value, other)
        else:
            raise UnknownPromql(f"the operator {symbol}")
    return result


def _joined(symbol: str, left: Vector, right: Vector, key: Callable[[Labels], Labels]) -> Vector:
    there = {key(labels) for labels in right}
    if symbol == "or":
        own = {key(labels) for labels in left}
        return left | {labels: value for labels, value in right.items() if key(labels) not in own}
    return {labels: value for labels, value in left.items() if (key(labels) in there) is (symbol == "and")}


def _matching(modifier: Any) -> Callable[[Labels], Labels]:
    matching = modifier.matching if modifier is not None else None
    if matching is None:
        return _nameless
    if "include" not in str(matching.type).lower():
        raise UnknownPromql("ignoring()")
    wanted = set(matching.labels)
    return lambda labels: frozenset(pair for pair in labels if pair[0] in wanted)
