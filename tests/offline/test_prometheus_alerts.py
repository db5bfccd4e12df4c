"""Every alert fires where it should and stays silent where it should; it reads metrics that exist, and a person is told what to do."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from jobs.monitoring.metrics import METRICS, Kind
from tests.support.documents import ROOT
from tests.support.promql import LOOKBACK_SECONDS, UnknownPromql, evaluate, series_of, syntax
from tests.support.rule_tests import Case, firing, metric_names, read_cases, read_rules

FOLDER = ROOT / "infra" / "monitoring"
RULES = {rule.name: rule for rule in read_rules(FOLDER / "alerts.yaml")}
CASES = read_cases(FOLDER / "alerts.test.yaml")
HEADING = re.compile(r"^### (\w+)$", re.MULTILINE)


def exposed() -> set[str]:
    """Names under which Prometheus stores the metrics of the list."""
    parts = ("_bucket", "_count", "_sum")
    histograms = {name + part for name, metric in METRICS.items() if metric.kind is Kind.HISTOGRAM for part in parts}
    return {name for name, metric in METRICS.items() if metric.kind is not Kind.HISTOGRAM} | histograms


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.alert}-{'fires' if case.expected else 'silent'}")
def test_an_alert_fires_where_it_should(case: Case) -> None:
    found = firing(RULES[case.alert], case.series, case.seconds)
    assert found == [{"exp_annotations": {}, **expected} for expected in case.expected]


def test_every_alert_is_tried_both_ways() -> None:
    assert {case.alert for case in CASES if case.expected} == set(RULES)
    assert {case.alert for case in CASES if not case.expected} == set(RULES)


def test_promtool_agrees() -> None:
    """The real one, where a machine has it; everywhere else the tests above stand for it."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on PATH: the rules were tried with tests/support/promql.py alone")
    subprocess.run([promtool, "test", "rules", "alerts.test.yaml"], cwd=FOLDER, check=True, capture_output=True)


@pytest.mark.parametrize("name", RULES)
def test_an_alert_reads_metrics_of_the_list(name: str) -> None:
    assert metric_names(RULES[name].expression) <= exposed()


def test_every_alert_has_its_entry_in_the_runbook_and_the_reverse() -> None:
    headings = HEADING.findall((FOLDER / "README.md").read_text())
    assert sorted(headings) == sorted(RULES)
    assert headings == list(RULES)


@pytest.mark.parametrize("name", RULES)
def test_the_runbook_says_what_it_means_and_what_to_do(name: str) -> None:
    entry = (FOLDER / "README.md").read_text().split(f"### {name}\n", 1)[1].split("\n### ", 1)[0]
    assert "**Look.**" in entry
    assert "**Do.**" in entry
    assert RULES[name].labels["severity"] in ("page", "ticket")


# The evaluator itself, against numbers worked out by hand from Prometheus's definitions.
MINUTE = 60.0


def value(expression: str, now: float, **series: str) -> float | None:
    found = evaluate(syntax.parse(expression), [series_of(name, values, MINUTE) for name, values in series.items()], now)
    assert isinstance(found, dict)
    return next(iter(found.values()), None)


def test_rates_are_extrapolated_and_resets_do_not_count() -> None:
    assert value("increase(a[5m])", 300.0, a="0+6x10") == pytest.approx(30.0)
    assert value("rate(a[5m])", 300.0, a="0+6x10") == pytest.approx(0.1)
    assert value("increase(a[5m])", 300.0, a="0 6 12 18 0 6") == pytest.approx(22.5)  # 12 up, reset, 6 up: 18 in 4 of 5 minutes
    assert value("delta(a[5m])", 300.0, a="5 5 5 5 5 4") == pytest.approx(-1.25)
    assert value("rate(a[5m])", 300.0, a="_ _ _ _ _ 7") is None


def test_a_sample_counts_for_five_minutes() -> None:
    assert value("a > 0", LOOKBACK_SECONDS - 1, a="1") == 1.0
    assert value("a > 0", LOOKBACK_SECONDS, a="1") is None
    assert value("absent(a)", LOOKBACK_SECONDS, a="1") == 1.0


def test_a_quantile_lies_inside_its_bucket() -> None:
    buckets = [series_of(f'a_bucket{{le="{edge}"}}', count, MINUTE) for edge, count in (("1", "50"), ("2", "100"), ("+Inf", "100"))]
    found = evaluate(syntax.parse("histogram_quantile(0.75, a_bucket)"), buckets, 0.0)
    assert found == {frozenset(): 1.5}


def test_what_it_does_not_know_is_not_guessed() -> None:
    for unknown in ("topk(1, a)", "quantile_over_time(0.5, a[5m])", "a and ignoring(x) b", "1 > a"):
        with pytest.raises(UnknownPromql):
            value(unknown, 0.0, a="1", b="1")
