"""A source: the files of one path, each with its reader, merged into one stream of items."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from jobs.gateway.market_event import Item, MarketEvent

PEEKED_ITEMS = 100


@dataclass(frozen=True)
class FileHead:
    """What a format is recognised by: names and the first lines of a file, or of one member of a zip archive."""

    path: Path
    source: str
    """Path relative to the source, with `!member` for a member of an archive."""
    member: str
    lines: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """Lower-case file name (of the member, in an archive) without folder."""
        return (self.member or self.path.name).rpartition("/")[2].lower()


@dataclass(frozen=True)
class SourceFile:
    """One readable file."""

    source: str
    format: str
    venue: str
    symbols: tuple[str, ...]
    """Symbols that its name or first lines tell; a file of many symbols may hold more."""
    read: Callable[[], Iterator[Item]]
    """Starts over at each call. One item a message, in the file's order."""
    covers: tuple[str, ...] = ()
    """Symbol, day and kind of content, where the same trading may be stored at several resolutions."""
    resolution: int = 0
    """Length in seconds of what one row sums up; 0 for single events. Of files that cover the same, the finest is read."""


@dataclass(frozen=True)
class SkippedFile:
    """A file whose format is known, but which is not read by itself."""

    reason: str


@dataclass(frozen=True)
class Source:
    """What `open_source` opens. `events()` may be called again and starts over."""

    path: Path
    files: tuple[SourceFile, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    """Files that are not read, and why."""

    @property
    def name(self) -> str:
        """Name of the file or folder."""
        return self.path.name

    @property
    def venue(self) -> str:
        """Venues of the files, joined by commas."""
        return ", ".join(sorted({file.venue for file in self.files}))

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats of the files."""
        return tuple(sorted({file.format for file in self.files}))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols that file names and first lines tell, sorted; files of many symbols may hold more."""
        return tuple(sorted({symbol for file in self.files for symbol in file.symbols}))

    def events(self) -> Iterator[Item]:
        """Every message of every file, see `merged`."""
        return self.files[0].read() if len(self.files) == 1 else merged(self.files)


def first_available_time(file: SourceFile) -> int:
    """Available time of the first event among the first items of a file, 0 when there is none."""
    items = file.read()
    return next((item.available_time for item in islice(items, PEEKED_ITEMS) if isinstance(item, MarketEvent)), 0)


def merged(files: tuple[SourceFile, ...]) -> Iterator[Item]:
    """Items of several files: at each step the file whose next item has the smallest available time goes on, at equal times the first file.

    Files are ordered by path. The order inside a file is kept even where its available times go back: the running maximum of a file
    decides. Rejected lines take the time of the event before them. A file is opened only when its first event's turn has come, so files
    that follow one another are never open together.
    """
    heap = [(first_available_time(file), index) for index, file in enumerate(files)]
    heapq.heapify(heap)
    streams: dict[int, tuple[Item | None, Iterator[Item]]] = {}
    while heap:
        clock, index = heap[0]
        item, stream = streams.pop(index) if index in streams else open_stream(files[index])
        heapq.heappop(heap)
        following = heap[0] if heap else None
        while item is not None:
            if isinstance(item, MarketEvent) and item.available_time > clock:
                clock = item.available_time
            if following is not None and (clock, index) > following:
                heapq.heappush(heap, (clock, index))
                streams[index] = (item, stream)
                break
            yield item
            item = next(stream, None)


def open_stream(file: SourceFile) -> tuple[Item | None, Iterator[Item]]:
    """First item of a file, and the rest."""
    stream = file.read()
    return next(stream, None), stream
