"""Lines of plain, gzip and zip files, in bounded memory."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeAlias, cast

from jobs.gateway.market_event import Item, MarketEvent, RejectedLine

BLOCK_BYTES = 1 << 18
MAXIMUM_LINE_BYTES = 1 << 24
MAXIMUM_TIME = (1 << 63) - 1
HEAD_BYTES = 1 << 16

NumberedLine: TypeAlias = tuple[int, bytes]
"""Line number from 1, and the line without its end."""

Parse: TypeAlias = Callable[[bytes], MarketEvent]
"""Turns one line into one event, or raises one of `PARSE_ERRORS`. May keep state from line to line."""

PARSE_ERRORS = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError)
BREAK_OFF_ERRORS = (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, OSError)
GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"


@contextmanager
def open_bytes(path: Path, member: str = "") -> Iterator[IO[bytes]]:
    """The uncompressed bytes of a file, or of one member of a zip archive. The compression is told by content, not by name."""
    if member:
        with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
            yield stream
        return
    with path.open("rb") as raw:
        magic = raw.read(2)
        raw.seek(0)
        yield cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if magic == GZIP_MAGIC else raw


def zip_members(path: Path) -> tuple[str, ...]:
    """Names of the files in a zip archive, sorted; empty when the file is not one."""
    with path.open("rb") as stream:
        if stream.read(4) != ZIP_MAGIC:
            return ()
    with zipfile.ZipFile(path) as archive:
        return tuple(sorted(name for name in archive.namelist() if not name.endswith("/")))


def head_lines(path: Path, member: str = "", count: int = 64) -> tuple[bytes, ...]:
    """The first `count` whole lines within the first 64 KiB; empty when the file is empty or its compression is broken."""
    try:
        with open_bytes(path, member) as stream:
            block = stream.read(HEAD_BYTES)
    except BREAK_OFF_ERRORS:
        return ()
    lines = block.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    whole = lines if len(block) < HEAD_BYTES or len(lines) == 1 else lines[:-1]
    return tuple(line.rstrip(b"\r") for line in whole if line.strip())[:count]


def iterate_lines(stream: IO[bytes] | io.BufferedIOBase) -> Iterator[NumberedLine]:
    """Lines that are not blank. A line longer than `MAXIMUM_LINE_BYTES` comes in pieces of that size, so that memory stays bounded."""
    number = 0
    rest = b""
    while block := stream.read(BLOCK_BYTES):
        pieces = (rest + block).split(b"\n")
        rest = pieces.pop()
        if len(rest) > MAXIMUM_LINE_BYTES:
            pieces.append(rest)
            rest = b""
        for index, line in enumerate(pieces, number + 1):
            if line and line != b"\r":
                yield index, line.rstrip(b"\r")
        number += len(pieces)
    if rest.strip():
        yield number + 1, rest.rstrip(b"\r")


def parse_lines(source: str, lines: Iterator[NumberedLine], parse: Parse) -> Iterator[Item]:
    """One item a line: what `parse` makes of it, or the line rejected. A file that breaks off ends in one rejected line."""
    number = 0
    try:
        for number, line in lines:
            try:
                item = parse(line)
            except PARSE_ERRORS as error:
                yield RejectedLine(source, number, line, f"{type(error).__name__}: {error}")
                continue
            if 0 <= item.event_time <= MAXIMUM_TIME and 0 <= item.available_time <= MAXIMUM_TIME:
                yield item
            else:
                yield RejectedLine(source, number, line, f"event time {item.event_time} ns is outside 1970-2262")
    except BREAK_OFF_ERRORS as error:
        yield RejectedLine(source, number + 1, b"", f"the file breaks off here: {type(error).__name__}: {error}")


def read_file(source: str, path: Path, member: str, parse: Parse, skip_lines: int = 0) -> Iterator[Item]:
    """Items of one line-oriented file. `skip_lines` counts header lines, which are no messages."""
    try:
        with open_bytes(path, member) as stream:
            lines = iterate_lines(stream)
            for _ in range(skip_lines):
                next(lines, None)
            yield from parse_lines(source, lines, parse)
    except (zipfile.BadZipFile, OSError) as error:
        yield RejectedLine(source, 1, b"", f"cannot be opened: {error}")
