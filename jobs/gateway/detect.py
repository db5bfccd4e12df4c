"""Finds out what a path holds, and opens it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.gateway.readers import bars, binance, databento, generic, lobster, nse, tape, tardis, truefx
from jobs.gateway.readers.column_mapping import ColumnMapping
from jobs.gateway.readers.lines import head_lines, zip_members
from jobs.gateway.readers.source import FileHead, SkippedFile, Source, SourceFile
from udfs.errors import SourceError


@dataclass(frozen=True)
class Format:
    """A supported format: `recognise` gives a readable file, or None when it is not of this format."""

    name: str
    description: str
    recognise: Callable[[FileHead], SourceFile | SkippedFile | None]


FORMATS: tuple[Format, ...] = (
    Format("binance-capture", "Binance websocket capture: `<local time> <JSON message>` lines, spot or futures", binance.recognise),
    Format("us-tape-ticks", "US tape ticks: YYYYMMDD_symbol_{Trade,Quote}_Tick.csv, zipped or not", tape.recognise),
    Format("nse-ticks", "NSE ticks: SYMBOL_YYYY-MM-DD_.csv with timestamp, ltp, volume", nse.recognise),
    Format("us-tape-bars", "US tape bars: YYYYMMDD_symbol_{second,minute}_{trade,quote}.csv, zipped or not", bars.recognise_tape),
    Format(
        "us-bars",
        "minute bars (date, ToD, open …) and daily bars (Date, Open … Adj Close; YYYYMMDD 00:00, prices x 10 000)",
        bars.recognise_others,
    ),
    Format("lobster", "LOBSTER pairs: TICKER_YYYY-MM-DD_start_end_message_N.csv with ..._orderbook_N.csv beside it", lobster.recognise),
    Format("tardis", "Tardis CSV: trades, quotes, book_snapshot_5/25, incremental_book_L2", tardis.recognise),
    Format("databento", "CME in Databento's CSV: mbp-1, mbp-10, tbbo, trades, ohlcv", databento.recognise),
    Format("fx-quotes", "foreign exchange: `timestamp,bid,ask` with a header, or `YYYYMMDD HHMMSSmmm,bid,ask,0`", truefx.recognise),
    Format("generic", "any CSV or Parquet file with usual column names (time, symbol, price, size, bid, ask, open …)", generic.recognise),
)


def open_source(path: Path | str, columns: ColumnMapping | None = None) -> Source:
    """Open a file or a folder (searched in depth) of market data.

    Where the same symbol and day are there at several resolutions, only the finest is read; the others are listed in `skipped`.
    With `columns`, every file is read as CSV or Parquet by that mapping. Raises SourceError when nothing there can be read.
    """
    root = Path(path)
    if not root.exists():
        raise SourceError(f"{root}: not found; give a file or folder of market data")
    recognised: list[SourceFile] = []
    skipped: list[tuple[str, str]] = []
    for head in heads(root):
        file = recognise(head) if columns is None else mapped(head, columns)
        if isinstance(file, SourceFile):
            recognised.append(file)
        else:
            skipped.append((head.source, why_skipped(head, file)))
    finest, coarser = keep_finest(recognised)
    if not finest:
        raise SourceError(nothing_readable(root, skipped))
    return Source(root, tuple(finest), (*skipped, *coarser))


def recognise(head: FileHead) -> SourceFile | SkippedFile | None:
    """The file as the first format that recognises it."""
    return next((file for known in FORMATS if (file := known.recognise(head)) is not None), None)


def mapped(head: FileHead, columns: ColumnMapping) -> SourceFile | SkippedFile:
    """The file by a column mapping; skipped where a column is not there."""
    if not head.lines:
        return SkippedFile("empty or unreadable")
    try:
        return generic.with_mapping(head, columns)
    except SourceError as error:
        return SkippedFile(str(error))


def heads(root: Path) -> Iterator[FileHead]:
    """Every file under a path, in the order of their paths, archives opened. Hidden files and folders are passed over."""
    paths = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    for path in paths:
        relative = path.name if path == root else path.relative_to(root).as_posix()
        if path != root and any(part.startswith(".") for part in Path(relative).parts):
            continue
        try:
            members = zip_members(path)
        except zipfile.BadZipFile:
            members = ()
        for member in members or ("",):
            source = f"{relative}!{member}" if member else relative
            yield FileHead(path, source, member, head_lines(path, member))


def why_skipped(head: FileHead, file: SkippedFile | None) -> str:
    """Why a file is not read."""
    if file is not None:
        return file.reason
    return "format not recognised" if head.lines else "empty or unreadable"


def keep_finest(files: list[SourceFile]) -> tuple[list[SourceFile], list[tuple[str, str]]]:
    """Of files that cover the same, those of the finest resolution; and the others, with the reason."""
    finest: dict[tuple[str, ...], int] = {}
    for file in files:
        finest[file.covers] = min(finest.get(file.covers, file.resolution), file.resolution)
    kept = [file for file in files if not file.covers or file.resolution == finest[file.covers]]
    dropped = [file for file in files if file.covers and file.resolution > finest[file.covers]]
    return kept, [(file.source, "the same is there at a finer resolution") for file in dropped]


def nothing_readable(root: Path, skipped: list[tuple[str, str]]) -> str:
    """Message for a path without a readable file."""
    found = "; ".join(f"{source} ({why})" for source, why in skipped[:5]) or "no files"
    formats = "\n".join(f"  {known.name}: {known.description}" for known in FORMATS)
    return (
        f"{root}: no market data found.\nFound: {found}.\nSupported formats:\n{formats}\n"
        "Other CSV and Parquet files: name their columns (--columns)."
    )
