"""`infra/tickflow dataset`: look at the stored rows before training, and write what was known at each, with its outcome, to a file."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.time_arguments import parse_time
from jobs.verb_result import NOT_HELD, USAGE, finish, needs_stored
from udfs.errors import InvalidSettings, TickflowError

if TYPE_CHECKING:
    from jobs.training.analysis.findings import Findings
    from jobs.training.point_in_time.reader import DatasetRequest

_SECOND = 1_000_000_000
_SHOWN_DAYS = 10


def main(arguments: list[str]) -> int:
    """Run the verb; 0 usable (and written), 1 not, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    codes = {InvalidSettings: USAGE, ValueError: USAGE, TickflowError: NOT_HELD}
    return finish("dataset", options.json, partial(_run, options), _show, codes, lambda result: bool(result["usable"]))


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from jobs.lake.catalog import open_catalog
    from jobs.lake.settings import lake_from_environment
    from jobs.training.analysis.run import analyse
    from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET

    catalog = open_catalog(lake_from_environment(os.environ, options.lake))
    request = _request(options)
    with needs_stored("feature rows"):
        findings = analyse(catalog, options.namespace, FEATURE_NAMES, request, FEATURE_SET)
        return findings.as_json() | _write(catalog, options, request, findings)


def _write(catalog: Any, options: argparse.Namespace, request: DatasetRequest, findings: Findings) -> dict[str, Any]:
    from jobs.training.point_in_time.collected import write_parquet
    from jobs.training.point_in_time.reader import PointInTimeReader
    from udfs.kernels.feature_vector import FEATURE_NAMES

    if options.out is None or not findings.usable:
        return {}
    reader = PointInTimeReader(catalog, options.namespace, FEATURE_NAMES, request)
    rows = write_parquet(reader.pieces(), options.out)
    counts = reader.counts
    written = {"rows": rows, "pieces": counts.pieces, "most_rows_held": counts.most_rows_held, "snapshot_ids": list(reader.snapshot_ids)}
    return {"written": {"file": str(options.out), **written}}


def _request(options: argparse.Namespace) -> DatasetRequest:
    from jobs.training.labelling.kinds import LabelSettings
    from jobs.training.point_in_time.reader import DatasetRequest
    from jobs.training.point_in_time.sources import parse_source

    if not options.horizon_seconds > 0 or options.rows_in_memory < 1:
        raise ValueError(f"expected a horizon above 0 s and at least 1 row, found {options.horizon_seconds} and {options.rows_in_memory}")
    horizon = round(options.horizon_seconds * _SECOND)
    window = round(options.news_window_minutes * 60 * _SECOND)
    news = tuple(parse_source(text, window) for text in options.news)
    return DatasetRequest(
        from_time=options.from_time,
        to_time=options.to_time,
        symbols=tuple(options.symbols.split(",")) if options.symbols else (),
        sources=(*(parse_source(text) for text in options.reference), *news),
        label=LabelSettings(options.label, horizon, horizon // 5),
        breaks_table=options.breaks,
        calendar=options.calendar,
        rows_in_memory=options.rows_in_memory,
    )


def _show(result: dict[str, Any]) -> None:
    print(f"{result['rows']} rows of {result['symbols']} symbols on {result['days']} days")
    for day, symbols in list(result["coverage"].items())[-_SHOWN_DAYS:]:
        print(f"  {day}  {sum(symbols.values()):>9} rows of {len(symbols)} symbols")
    for table, skew in result.get("available_after_event_seconds", {}).items():
        print(f"  {table}: available {skew['least']:.3f} to {skew['most']:.3f} s after the event")
    for remark in result["remarks"]:
        print(f"  odd: {remark}")
    for problem in result["problems"]:
        print(f"  STOP: {problem}")
    if "written" in result:
        print(f"wrote {result['written']['rows']} rows to {result['written']['file']}")
    print("usable" if result["usable"] else "not usable")


def _parser() -> argparse.ArgumentParser:
    from infra.local.paths import DATA
    from jobs.training.labelling.kinds import KINDS

    parser = argparse.ArgumentParser(prog="tickflow dataset", description=__doc__)
    parser.add_argument("--out", type=Path, metavar="FILE", help="Parquet file to write; without it the rows are only looked at")
    parser.add_argument("--from", dest="from_time", type=parse_time, metavar="TIME", help="first event time, ISO 8601, UTC")
    parser.add_argument("--to", dest="to_time", type=parse_time, metavar="TIME", help="event time to stop before")
    parser.add_argument("--symbols", default="", help="comma-separated; all when not given")
    joined = "TABLE:COLUMN,…"
    parser.add_argument("--reference", action="append", default=[], metavar=joined, help="table of the lake to join as of each row")
    parser.add_argument("--news", action="append", default=[], metavar=joined, help="the same, and how many rows there were lately")
    parser.add_argument("--news-window-minutes", type=float, default=60.0, help="what counts as lately (default 60)")
    parser.add_argument("--label", choices=tuple(KINDS), default="return", help="outcome (default return)")
    parser.add_argument("--horizon-seconds", type=float, default=300.0, help="how far ahead the outcome is (default 300)")
    parser.add_argument("--breaks", default="", metavar="TABLE", help="table of the lake with moments that no outcome may span")
    parser.add_argument("--calendar", default="", metavar="NAME", help="exchange whose session ends no outcome may span, such as XNYS")
    parser.add_argument("--rows-in-memory", type=int, default=200_000, help="feature rows that are held at once (default 200000)")
    parser.add_argument(
        "--lake", type=Path, default=DATA / "lake", metavar="FOLDER", help="the local lake; TICKFLOW_LAKE_* settings come first"
    )
    parser.add_argument("--namespace", default="tickflow", help="namespace of the lake's tables")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
