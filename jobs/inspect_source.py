"""`inspect`: what a source of market data holds and what is wrong with it, without any service running."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from jobs.gateway.book_check import UnbufferedRebuilder
from jobs.gateway.detect import open_source
from jobs.gateway.market_event import Item
from jobs.gateway.readers.binance import VENUE_NAMES
from jobs.gateway.readers.column_mapping import parse_mapping
from jobs.gateway.readers.source import Source
from jobs.gateway.source_summary import SourceSummary
from udfs.errors import SourceError
from udfs.kernels.events import EventKind

PROGRESS_EVERY = 500_000
CAPTURE_FORMAT = "binance-capture"
SHOWN_SYMBOLS = 30
SHOWN_FILES = 3
SHOWN_COUNTS = ("duplicates", "repeated", "sequence_gaps", "missing_trades", "unsynchronised_books", "crossed", "locked")
PLAIN_WIDTH = 160


def main(arguments: list[str]) -> int:
    """Run the verb; 0 when the source could be read, 2 when not."""
    options = parser().parse_args(arguments)
    try:
        source = open_source(options.source, parse_mapping(options.columns) if options.columns else None)
    except SourceError as error:
        print(error, file=sys.stderr)
        return 2
    report = inspect_source(source)
    if options.json:
        print(json.dumps(report, allow_nan=False, default=str))
    else:
        show(report)
    return 0


def parser() -> argparse.ArgumentParser:
    """Options of the verb."""
    options = argparse.ArgumentParser(prog="tickflow inspect", description=__doc__)
    options.add_argument("--source", required=True, metavar="PATH", help="file or folder of market data")
    options.add_argument("--columns", metavar="MAPPING", help="`time=ts,price=px,size=qty,symbol=ticker,time_unit=ms`, or a TOML file")
    options.add_argument("--json", action="store_true", help="print one JSON object")
    return options


def inspect_source(source: Source) -> dict[str, Any]:
    """The report on a source, ready for JSON. Times are UTC."""
    has_captures = CAPTURE_FORMAT in source.formats
    summary = SourceSummary(frozenset(VENUE_NAMES) if has_captures else frozenset())
    for item in with_progress(source.events()):
        summary.add(item)
    report = {**description_of(source), **summary.finish().as_json()}
    for symbol, check in report["book_check"].items():
        check["without_buffering"] = unbuffered_crossings(source).get(symbol)
    return report


def description_of(source: Source) -> dict[str, Any]:
    """Names, formats and files of a source."""
    return {
        "source": str(source.path),
        "formats": list(source.formats),
        "venue": source.venue,
        "files": len(source.files),
        "skipped": [{"file": file, "reason": reason} for file, reason in source.skipped],
    }


def with_progress(items: Iterator[Item]) -> Iterator[Item]:
    """The items, with a line on stderr now and then."""
    for count, item in enumerate(items, 1):
        if count % PROGRESS_EVERY == 0:
            print(f"{count:,} messages read", file=sys.stderr)
        yield item


def unbuffered_crossings(source: Source) -> dict[str, dict[str, Any]]:
    """By symbol, how often the book would be crossed if the updates received before the snapshot were forgotten: the usual mistake."""
    summary = SourceSummary(frozenset(VENUE_NAMES))
    for file in source.files:
        if file.format == CAPTURE_FORMAT and isinstance(file.read, partial):
            for item in file.read(new_book=UnbufferedRebuilder):
                summary.add(item)
    checks = summary.finish().as_json()["book_check"]
    return {symbol: {name: check[name] for name in ("compared", "equal", "crossed", "first_crossed")} for symbol, check in checks.items()}


def show(report: dict[str, Any]) -> None:
    """Print the report for a person."""
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    span = report["time_span"] or {"first_event": "-", "last_event": "-", "seconds": 0}
    console.print(
        f"{report['source']}  {report['venue']}  ({', '.join(report['formats'])}; {report['files']} files)", style="bold", markup=False
    )
    console.print(f"{report['messages']:,} messages, {span['first_event']} to {span['last_event']}")
    console.print(symbol_table(report["symbols"]))
    for symbol, check in report["book_check"].items():
        console.print(f"Book of {symbol}: best bid and ask as the venue's own at {check['equal']} of {check['compared']} updates")
        for words in crossed_words(check):
            console.print(f"  {words}")
    console.print(f"Rejected: {report['rejected']:,} {report['rejected_by_reason'] or ''}")
    for example in report["rejected_examples"]:
        console.print(f"  {example['source']} line {example['line']}: {example['detail']}", markup=False)
    show_skipped(console, report["skipped"])


def show_skipped(console: Console, skipped: list[dict[str, str]]) -> None:
    """Files that were not read, counted by reason."""
    for reason, count in Counter(entry["reason"] for entry in skipped).items():
        files = [entry["file"] for entry in skipped if entry["reason"] == reason][:SHOWN_FILES]
        console.print(f"Not read, {reason}: {count} files ({', '.join(files)}{' …' if count > SHOWN_FILES else ''})", markup=False)


def crossed_words(check: dict[str, Any]) -> list[str]:
    """What to say of crossed updates."""
    mistaken = check["without_buffering"]
    words = [f"crossed {check['crossed']} times, first at {check['first_crossed']}"] if check["crossed"] else []
    if mistaken and mistaken["crossed"] > check["crossed"]:
        crossed = f"{mistaken['crossed']} times, first at {mistaken['first_crossed']}"
        words.append(f"without the updates received before the snapshot it would be crossed {crossed}")
    return words


def symbol_table(symbols: dict[str, dict[str, Any]]) -> Table:
    """One row a symbol, the busiest first; columns in which nothing is to be told are left out."""
    busiest = sorted(symbols.items(), key=lambda entry: -entry[1]["messages"])
    rows = [(name, symbol_cells(symbol)) for name, symbol in busiest]
    shown = [column for column in rows[0][1] if any(cells[column] for _, cells in rows)] if rows else []
    table = Table("symbol", *shown)
    for name, cells in rows[:SHOWN_SYMBOLS]:
        table.add_row(name, *(cells[column] or "0" for column in shown))
    if len(busiest) > SHOWN_SYMBOLS:
        table.caption = f"and {len(busiest) - SHOWN_SYMBOLS} symbols more (--json shows all)"
    return table


def symbol_cells(symbol: dict[str, Any]) -> dict[str, str]:
    """Cells of a symbol's row by column; empty for zero."""
    disorder, skew = symbol["disorder"], symbol["clock_skew_milliseconds"]
    counts = {
        "out of order": disorder["events"],
        "worst ms": disorder["worst_milliseconds"],
        "late": disorder["late_by_default_rule"],
        **{name.replace("_", " "): symbol[name] for name in SHOWN_COUNTS},
    }
    kinds = {kind: f"{count:,}" for kind, count in symbol["by_kind"].items()}
    all_kinds = {kind.name.lower(): kinds.get(kind.name.lower(), "") for kind in EventKind}
    numbers = {name: f"{count:,}" if count else "" for name, count in counts.items()}
    return {**all_kinds, **numbers, "mean skew ms": f"{skew['mean']:,}" if skew else ""}
