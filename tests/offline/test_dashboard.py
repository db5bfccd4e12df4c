"""The Grafana dashboard asks for metrics that exist, for all of them, and its panels can be laid out."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest

from jobs.monitoring.metrics import METRICS, Kind
from tests.support.documents import ROOT
from tests.support.promql import syntax
from tests.support.rule_tests import metric_names

DASHBOARD: dict[str, Any] = json.loads((ROOT / "infra" / "monitoring" / "dashboard.json").read_text())
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
QUERIES = [(panel["title"], target) for panel in PANELS for target in panel.get("targets", [])]
EXPRESSIONS = [target["expr"] for _, target in QUERIES]


def plain(name: str) -> str:
    """The metric of a stored series: buckets, sums and counts belong to a histogram."""
    found = re.sub(r"_(bucket|sum|count)$", "", name)
    return found if found in METRICS and METRICS[found].kind is Kind.HISTOGRAM else name


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_query_can_be_read_and_names_metrics_of_the_list(expression: str) -> None:
    names = {plain(name) for name in metric_names(expression)}
    assert names
    assert names <= set(METRICS)


@pytest.mark.parametrize(("title", "target"), QUERIES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_legend_names_labels_that_the_query_leaves(title: str, target: dict[str, Any]) -> None:
    parsed = syntax.parse(target["expr"])
    while isinstance(parsed, syntax.Call) and parsed.func.name == "histogram_quantile":
        parsed = parsed.args[1]
    kept = set(parsed.modifier.labels) if isinstance(parsed, syntax.AggregateExpr) else set()
    if not isinstance(parsed, syntax.AggregateExpr):
        kept = {label for name in metric_names(target["expr"]) for label in METRICS[plain(name)].labels}
    assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= kept


def test_every_metric_of_the_list_can_be_seen() -> None:
    shown = {plain(name) for expression in EXPRESSIONS for name in metric_names(expression)}
    assert set(METRICS) - shown == set()


def test_counters_are_shown_as_rates() -> None:
    """The counter itself says nothing: it begins anew with each restart."""
    counters = [name for name, metric in METRICS.items() if metric.kind is Kind.COUNTER]
    bare = [expression for expression in EXPRESSIONS for name in counters if re.search(rf"(?<!\(){name}\b", expression)]
    assert not bare


def test_panels_have_places_of_their_own() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    for one, other in combinations([panel["gridPos"] for panel in PANELS], 2):
        apart = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        assert apart or one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in PANELS)


def test_any_prometheus_can_be_its_source() -> None:
    (source,) = DASHBOARD["templating"]["list"]
    assert (source["type"], source["query"]) == ("datasource", "prometheus")
    assert {panel["datasource"]["uid"] for panel in PANELS if "datasource" in panel} == {f"${{{source['name']}}}"}
