"""Finds out what a path holds, and opens it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.gateway.readers import bars, binance, nse, tape
from jobs.gateway.readers.lines import head_lines, zip_members
from jobs.gateway.readers.source import FileHead, Source, SourceFile
from udfs.errors import SourceError


@dataclass(frozen=True)
class Format:
    """A supported format: `recognise` gives a readable file, or None when it is not of this format."""

    name: str
    description: str
    recognise: Callable[[FileHead], SourceFile | None]


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
)


def open_source(path: Path | str) -> Source:
    """Open a file or a folder (searched in depth) of market data.

    Where the same symbol and day are there at several resolutions, only the finest is read; the others are listed in `skipped`.
    Raises SourceError when nothing there can be read.
    """
    root = Path(path)
    if not root.exists():
        raise SourceError(f"{root}: not found; give a file or folder of market data")
    recognised: list[SourceFile] = []
    skipped: list[tuple[str, str]] = []
    for head in heads(root):
        file = recognise(head)
        if file is None:
            skipped.append((head.source, "empty" if not head.lines else "format not recognised"))
        else:
            recognised.append(file)
    finest, coarser = keep_finest(recognised)
    if not finest:
        raise SourceError(nothing_readable(root, skipped))
    return Source(root, tuple(finest), (*skipped, *coarser))


def recognise(head: FileHead) -> SourceFile | None:
    """The file as the first format that recognises it."""
    return next((file for known in FORMATS if (file := known.recognise(head)) is not None), None)


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
