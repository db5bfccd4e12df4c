"""Spans of outcomes in time, and which rows may train beside a test part: none whose outcome touches it, and none that follows too soon."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.errors import TickflowError

Places = npt.NDArray[np.intp]
Times = npt.NDArray[np.int64]


class InvalidSpans(TickflowError):
    """Spans that cannot be split: of another number than the rows, ending before they start, or too few."""


class LeakingSplit(TickflowError):
    """A split whose training rows know something of its test rows' outcomes."""


class Spans(NamedTuple):
    """When each row was decided on (t0) and when its outcome was measured (t1), nanoseconds."""

    start: Times
    end: Times

    @property
    def rows(self) -> int:
        """How many there are."""
        return int(self.start.shape[0])


class Part(NamedTuple):
    """A test part that is one stretch of time: [start of its first row, end of its last outcome]."""

    rows: Places
    from_time: int
    to_time: int


def check_spans(start: Times, end: Times) -> Spans:
    """The spans. Raises InvalidSpans."""
    spans = Spans(np.asarray(start, np.int64), np.asarray(end, np.int64))
    if spans.start.ndim != 1 or spans.start.shape != spans.end.shape:
        raise InvalidSpans(f"starts have shape {spans.start.shape}, ends {spans.end.shape}; expected one of each for every row")
    backwards = np.flatnonzero(spans.end < spans.start)
    if backwards.size:
        raise InvalidSpans(f"{backwards.size} outcomes end before they start, the first is row {backwards[0]}")
    return spans


def parts_in_time(spans: Spans, parts: int) -> list[Part]:
    """The rows in `parts` parts of nearly the same size by start. Rows with one start stay together. Raises InvalidSpans."""
    order = np.argsort(spans.start, kind="stable")
    in_time = spans.start[order]
    cuts = [int(np.searchsorted(in_time, in_time[k * spans.rows // parts], "left")) for k in range(1, parts)] if spans.rows >= parts else []
    edges = [0, *cuts, spans.rows]
    if len(edges) != parts + 1 or any(first >= last for first, last in pairwise(edges)):
        raise InvalidSpans(f"{spans.rows} rows at {np.unique(spans.start).size} moments cannot be cut into {parts} parts")
    return [part_of(spans, np.sort(order[first:last])) for first, last in pairwise(edges)]


def part_of(spans: Spans, rows: Places) -> Part:
    """Rows as a part."""
    return Part(rows, int(spans.start[rows].min()), int(spans.end[rows].max()))


def purged(spans: Spans, candidates: Places, part: Part, embargo: int) -> Places:
    """Candidates whose outcome neither touches the part nor starts within `embargo` nanoseconds after it."""
    start, end = spans.start[candidates], spans.end[candidates]
    return candidates[(end < part.from_time) | (start > part.to_time + embargo)]


class Stretches(NamedTuple):
    """Stretches of time that are tested, apart from each other and in order."""

    from_time: Times
    to_time: Times


def stretches(spans: Spans, test: Places) -> Stretches:
    """Test rows whose spans overlap belong together; whatever lies between stretches is not tested."""
    order = test[np.argsort(spans.start[test], kind="stable")]
    furthest = np.maximum.accumulate(spans.end[order])
    first = np.flatnonzero(np.concatenate([[True], spans.start[order][1:] > furthest[:-1]]))
    return Stretches(spans.start[order][first], furthest[np.append(first[1:], order.shape[0]) - 1])


def check_no_leak(spans: Spans, train: Places, test: Places, embargo: int = 0) -> None:
    """Raises LeakingSplit when a training row is a test row, its outcome touches one's, or it starts within `embargo` after one."""
    both = np.intersect1d(train, test)
    if both.size:
        raise LeakingSplit(f"{both.size} rows both train and test, the first is row {both[0]}")
    if not test.size:
        return
    tested = stretches(spans, test)
    next_to = np.searchsorted(tested.to_time + embargo, spans.start[train], "left")
    before = np.append(tested.from_time, np.iinfo(np.int64).max)[next_to]
    leaking = np.flatnonzero(spans.end[train] >= before)
    if leaking.size:
        row = int(train[leaking[0]])
        part = int(next_to[leaking[0]])
        raise LeakingSplit(
            f"{leaking.size} training rows know of test outcomes: row {row} spans {spans.start[row]} to {spans.end[row]},"
            f" tested is {tested.from_time[part]} to {tested.to_time[part]}"
        )
