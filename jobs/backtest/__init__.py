"""`infra/tickflow backtest`: what the signals that live really made would have earned, with and without what trading costs."""

from __future__ import annotations

import argparse
import os
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from jobs.time_arguments import parse_time
from jobs.verb_result import NOT_HELD, USAGE, finish, needs_stored
from udfs.errors import InvalidSettings, TickflowError

_SHOWN = ("return", "sharpe_yearly", "sortino_yearly", "maximum_drawdown", "probabilistic_sharpe", "deflated_sharpe")


def main(arguments: list[str]) -> int:
    """Run the verb; 0 done, whatever came out, 1 nothing to trade, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    return finish("backtest", options.json, partial(_run, options), _tell, {InvalidSettings: USAGE, TickflowError: NOT_HELD})


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from jobs.backtest.run import backtest_with_curve
    from jobs.backtest.settings import BacktestSettings
    from jobs.backtest.tear_sheet import tear_sheet
    from jobs.lake.catalog import create_tables, open_catalog
    from jobs.lake.reading import Selection
    from jobs.lake.settings import lake_from_environment
    from jobs.schema_registry import schema_ids
    from jobs.settings import load_settings

    lake = lake_from_environment(os.environ, options.lake)
    catalog = open_catalog(lake)
    settings = BacktestSettings(**{one.name: getattr(options, one.name) for one in fields(BacktestSettings)})
    symbols = tuple(options.symbols.split(",")) if options.symbols else ()
    selection = Selection(options.from_time, options.to_time, symbols)
    with needs_stored("signals"):
        catalog.load_table(("tickflow", "signals"))
    create_tables(catalog, lake.buckets)
    result, curve = backtest_with_curve(catalog, settings, selection, schema_ids(load_settings().schema_registry_url))
    if options.html is not None:
        options.html.write_text(tear_sheet(result, curve), "utf-8")
        result["html"] = str(options.html)
    return result


def _tell(result: dict[str, Any]) -> None:
    print(f"{result['symbols']} symbols, {result['signal_quality']['signals']} signals of {result['signals_stored']} acted on")
    print(f"{'':<24}{'with costs':>14}{'without':>14}")
    for name in _SHOWN:
        values = [result[side][name] for side in ("with_costs", "without_costs")]
        print(f"{name.replace('_', ' '):<24}" + "".join(f"{_shown(value):>14}" for value in values))
    costs = result["costs"]
    print(f"fees {costs['fees']:.2f}, spread and impact {costs['spread_and_impact']:.2f}, turnover {costs['turnover']:.2f} x capital")
    for found in result["signal_quality"]["correlation"]:
        shown = _shown(found["rank_information_coefficient"])
        print(f"  rank IC after {found['horizons']:>4} horizons  {shown}  {found['rank_interval'] or ''}")
    print(f"trials in the ledger: {result['trials']}")
    print("there is an edge after costs" if result["edge_after_costs"] else "no edge after costs is shown by this data")


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _parser() -> argparse.ArgumentParser:
    from infra.local.paths import DATA
    from jobs.backtest.settings import MILLISECOND, BacktestSettings

    default = BacktestSettings()
    parser = argparse.ArgumentParser(prog="infra/tickflow backtest", description=__doc__)
    parser.add_argument("--from", dest="from_time", type=parse_time, metavar="TIME", help="first event time, ISO 8601, UTC")
    parser.add_argument("--to", dest="to_time", type=parse_time, metavar="TIME", help="event time to stop before")
    parser.add_argument("--symbols", default="", help="comma-separated; all when not given")
    for name, words in (("feed_latency", "from a signal to the trader"), ("order_latency", "from the trader to the venue")):
        shown = getattr(default, name) // MILLISECOND
        option = f"--{name.replace('_', '-')}-milliseconds"
        parser.add_argument(option, dest=name, type=_milliseconds, default=getattr(default, name), help=f"{words} (default {shown})")
    numbers = {
        "notional": "value of a full position in a symbol",
        "fee_basis_points": "of each fill's value",
        "assumed_half_spread_basis_points": "for symbols without a book",
        "impact": "factor of the square-root law",
        "participation": "share of the size at the touch that a fill may take",
        "maximum_turnover": "full positions traded in a symbol on a day",
        "minimum_confidence": "signals below it are not traded",
    }
    for name, words in numbers.items():
        shown = getattr(default, name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=shown, help=f"{words} (default {shown:g})")
    parser.add_argument("--grid-seconds", type=int, default=default.grid_seconds, help="distance of valuations (default 60)")
    parser.add_argument("--lake", type=Path, default=DATA / "lake", metavar="FOLDER", help="the local lake; TICKFLOW_LAKE_* come first")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a tear sheet: one file that needs no other")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


def _milliseconds(text: str) -> int:
    return round(float(text) * 1_000_000)
