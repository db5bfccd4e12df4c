"""Stored frames as the job stored them: each is compared with the hash beside it; and the settings that were in force then."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pyiceberg.catalog import Catalog

from jobs.lake.reading import EVERYTHING, Selection, StoredFrame, frames_in_order, read_rows
from jobs.lake.tables import NAMESPACE
from jobs.settings import Settings
from udfs.errors import TickflowError
from udfs.records import Position

_SECOND = 1_000_000_000
FRAME_SPAN = 60 * _SECOND
"""A frame is named by its last event; one that starts inside the range may end this much later."""


class FrameChanged(TickflowError):
    """A stored frame is not what it was when it was stored."""

    def __init__(self, frame: StoredFrame, expected: str, found: str) -> None:
        place = f"{frame.position.topic}/{frame.position.partition}/{frame.position.offset}"
        super().__init__(f"stored frame of {frame.symbol} at {place}: hash is {found}, expected {expected}")
        self.difference = {"symbol": frame.symbol, "position": place, "field": "frame", "live": expected, "replay": found}


@dataclass(frozen=True)
class Range:
    """Rows that a replay keeps: [from_time, to_time) of event time in nanoseconds, and symbols; None and empty mean all.

    Frames before `from_time` are replayed all the same: the state at its beginning is made of them.
    """

    from_time: int | None = None
    to_time: int | None = None
    symbols: tuple[str, ...] = ()
    last: Position | None = None
    """Of its partition of the log nothing after it is read."""


def settings_that_made_rows(catalog: Catalog, settings: Settings) -> Settings:
    """These settings, with everything that decides results as it was in the newest run that streamed; unchanged where none is noted."""
    columns = ("started_at", "verb", "settings")
    rows = [row for batch in read_rows(catalog, NAMESPACE, "runs", columns) for row in batch.to_pylist() if row["verb"] != "replay"]
    if not rows:
        return settings
    recorded = Settings.model_validate_json(max(rows, key=lambda row: row["started_at"])["settings"])
    return settings.model_copy(update={name: getattr(recorded, name) for name in ("kernel", "scoring", "universe", "topics")})


def checked_frames(catalog: Catalog, wanted: Range) -> Iterator[StoredFrame]:
    """Frames in log order up to the end of the range, each compared with the hash that was stored beside it."""
    to_time = None if wanted.to_time is None else wanted.to_time + FRAME_SPAN
    selection = replace(EVERYTHING, to_time=to_time, symbols=wanted.symbols) if to_time or wanted.symbols else Selection()
    for frame in frames_in_order(catalog, NAMESPACE, selection, wanted.last):
        found = frame_hash(frame.frame)
        if found != frame.frame_hash:
            raise FrameChanged(frame, frame.frame_hash, found)
        yield frame


def frame_hash(frame: bytes) -> str:
    """What the job stores beside a frame: SHA-256 of the bytes read as Latin-1 and written as UTF-8; Flink SQL computes the same."""
    return hashlib.sha256(frame.decode("latin-1").encode()).hexdigest()
