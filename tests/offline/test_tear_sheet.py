"""The page of a backtest stands alone, is well formed, and says what the figures say."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from jobs.backtest import main
from jobs.backtest.charts import Line, bar_chart, line_chart
from jobs.backtest.run import backtest_with_curve
from jobs.backtest.settings import BacktestSettings
from jobs.backtest.tear_sheet import tear_sheet, verdict
from jobs.lake.reading import Selection
from tests.support.markets import market_lake

_VOID = {"meta", "br"}


class Balance(HTMLParser):
    """Sees that every element is closed, and that nothing is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "iframe")
        assert not {name for name, _ in attrs} & {"src", "href", "onload"}
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None: ...

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_says_what_was_found(tmp_path: Path) -> None:
    catalog = market_lake(tmp_path, 0.3, 3, seconds=1800, symbols=1)
    result, curve = backtest_with_curve(catalog, BacktestSettings(fee_basis_points=20.0), Selection())
    page = tear_sheet(result, curve)
    reader = Balance()
    reader.feed(page)
    assert reader.open == []
    assert "no edge after costs" in page
    assert page.count("<svg") == 4
    assert f"{result['with_costs']['sharpe_yearly']:.4g}" in page
    assert np.sum(curve.net) == pytest.approx(result["with_costs"]["return"])


def test_the_verb_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market_lake(tmp_path, 0.3, 3, seconds=900, symbols=1)
    page = tmp_path / "sheet.html"
    assert main(["--lake", str(tmp_path), "--html", str(page), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["html"] == str(page)
    assert page.read_text("utf-8").startswith("<!doctype html>")


def test_the_verdict_is_plain() -> None:
    after = {"sharpe": 0.2, "sharpe_interval": [0.1, 0.3], "deflated_sharpe": 0.99}
    assert verdict({"with_costs": after, "trials": 7, "edge_after_costs": True}).startswith("There is an edge after costs")
    short = {"sharpe": 0.2, "sharpe_interval": None, "deflated_sharpe": None}
    assert "no edge" in verdict({"with_costs": short, "trials": 1, "edge_after_costs": False})


def test_names_cannot_put_markup_into_a_chart() -> None:
    assert "<b>" not in line_chart([Line("<b>", np.array([1.0, 2.0]))], ("<b>", "<b>"))


def test_a_line_goes_from_its_lowest_to_its_highest_point() -> None:
    chart = line_chart([Line("a", np.arange(5000.0))], ("", ""))
    points = [tuple(map(float, pair.split(","))) for pair in re.search(r'points="([^"]+)"', chart)[1].split()]  # type: ignore[index]
    assert len(points) <= 1001
    assert points == sorted(points)
    assert points[0][1] > points[-1][1]
    assert "NaN" not in line_chart([Line("a", np.array([np.nan, 1.0, 1.0]))], ("", ""))


def test_a_bar_below_zero_hangs_from_the_line() -> None:
    chart = bar_chart(["up", "down"], [1.0, -1.0])
    tops = [float(top) for top in re.findall(r'<rect x="[\d.]+" y="([\d.]+)"', chart)]
    zero = float(re.search(r'y1="([\d.]+)"', chart)[1])  # type: ignore[index]
    assert tops[0] < zero
    assert tops[1] == pytest.approx(zero)
