"""A backtest on one HTML page that needs no other file: what it earned with and without costs, and whether that is an edge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Any

import numpy as np

from jobs.backtest.charts import Line, bar_chart, line_chart
from jobs.backtest.run import Curve

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:.5rem 0}td,th{padding:.15rem .8rem;text-align:right;border-bottom:1px solid #ddd}"
    "td:first-child,th:first-child{text-align:left}.verdict{font-weight:600;padding:.6rem .8rem;background:#f2f2f2}svg{max-width:100%}"
)
_SHOWN = (
    *("return", "sharpe", "sharpe_interval", "sharpe_yearly", "sortino_yearly", "maximum_drawdown"),
    *("probabilistic_sharpe", "deflated_sharpe"),
)


def tear_sheet(result: Mapping[str, Any], curve: Curve) -> str:
    """The page, from the result of `backtest` and its curve."""
    quality = result["signal_quality"]
    parts = [
        f"<h1>Backtest of {escape(', '.join(result['models']))}</h1>",
        f'<p class="verdict">{escape(verdict(result))}</p>',
        f"<p>{escape(_circumstances(result, curve))}</p>",
        _section("Gains as a share of the capital", _gains(curve)),
        _section("Fall from the highest point", line_chart([Line("with costs", _drawdown(curve.net))], _ends(curve))),
        _section("With and without costs", _both(result)),
        _section("What it cost", _table(("", ""), [(_words(name), _number(value)) for name, value in result["costs"].items()])),
        _section("How the correlation with returns decays", _decay(quality)),
        _section("Mean return after a horizon, by fifths of the expected return", _quantiles(quality)),
        _section("How often a direction came true, by what was claimed", _hit_rates(quality)),
        _section("Settings", _table(("", ""), [(_words(name), _number(value)) for name, value in result["settings"].items()])),
    ]
    head = f'<meta charset="utf-8"><title>Backtest</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def verdict(result: Mapping[str, Any]) -> str:
    """Whether there is an edge after costs, and how sure that is."""
    after = result["with_costs"]
    deflated = after["deflated_sharpe"]
    sure = "unknown" if deflated is None else f"{deflated:.1%}"
    tried = f"the chance that it is more than the luck of the best of {result['trials']} trials is {sure}"
    interval = after["sharpe_interval"]
    shown = "too short a time for an interval" if interval is None else f"95 % interval {interval[0]:.3g} to {interval[1]:.3g}"
    said = "There is an edge after costs" if result["edge_after_costs"] else "This data shows no edge after costs"
    return f"{said}: Sharpe of a period {after['sharpe']:.3g} ({shown}); {tried}."


def _circumstances(result: Mapping[str, Any], curve: Curve) -> str:
    first, last = _ends(curve)
    acted = result["signal_quality"]["signals"]
    return (
        f"{result['symbols']} symbols, {acted} signals acted on of {result['signals_stored']} stored,"
        f" {result['periods']} periods from {first} to {last} UTC, capital {result['capital']:g}."
    )


def _gains(curve: Curve) -> str:
    return line_chart([Line("with costs", np.cumsum(curve.net)), Line("without", np.cumsum(curve.gross))], _ends(curve))


def _drawdown(gains: Any) -> Any:
    total = np.concatenate([[0.0], np.cumsum(gains)])
    return (total - np.maximum.accumulate(total))[1:]


def _both(result: Mapping[str, Any]) -> str:
    rows = [(_words(name), *(_number(result[side][name]) for side in ("with_costs", "without_costs"))) for name in _SHOWN]
    return _table(("", "with costs", "without"), rows)


def _decay(quality: Mapping[str, Any]) -> str:
    rows = [
        (
            f"{one['horizons']:g} horizons",
            *(_number(one[name]) for name in ("information_coefficient", "rank_information_coefficient", "rank_interval")),
            str(one["signals"]),
        )
        for one in quality["correlation"]
    ]
    names = [f"{one['horizons']:g}" for one in quality["correlation"]]
    chart = bar_chart(names, [one["rank_information_coefficient"] or 0.0 for one in quality["correlation"]])
    return chart + _table(("after", "IC", "rank IC", "95 % interval", "signals"), rows)


def _quantiles(quality: Mapping[str, Any]) -> str:
    parts = quality["quantile_returns"]
    if not parts:
        return "<p>Too few signals with an outcome.</p>"
    return bar_chart([str(k + 1) for k in range(len(parts))], [part["realised"] for part in parts])


def _hit_rates(quality: Mapping[str, Any]) -> str:
    rows = [(f"{one['claimed']:.3f}", f"{one['hit_rate']:.3f}", str(one["signals"])) for one in quality["hit_rate_by_confidence"]]
    return _table(("claimed", "came true", "signals"), rows)


def _ends(curve: Curve) -> tuple[str, str]:
    first, last = (f"{datetime.fromtimestamp(int(time) / 1e9, UTC):%Y-%m-%d %H:%M}" for time in (curve.time[0], curve.time[-1]))
    return first, last


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>{content}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    titles = "".join(f"<th>{escape(title)}</th>" for title in head)
    return f"<table><tr>{titles}</tr>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _number(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return " to ".join(_number(one) for one in value)
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)
