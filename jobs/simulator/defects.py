"""What goes wrong on the way from a venue, planted at known places and counted exactly."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from jobs.simulator.event_rows import TABLES, EventRows
from jobs.simulator.order_flow import Floats
from jobs.simulator.settings import SimulationSettings
from udfs.errors import Reason
from udfs.kernels.events import NANOSECONDS_PER_SECOND, EventFlag, EventKind

MALFORMED_KIND = 255
"""In a column of kinds: a line that cannot be read."""
_ABSURD_AHEAD = 3650 * 86_400 * NANOSECONDS_PER_SECOND
_TRADE, _QUOTE, _BOOK = int(EventKind.TRADE), int(EventKind.QUOTE), int(EventKind.BOOK)

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Defect(IntEnum):
    """In the order of the fields of `DefectRates`."""

    DUPLICATE = 0
    OUT_OF_ORDER = 1
    LATE = 2
    SEQUENCE_GAP = 3
    CROSSED = 4
    GARBAGE = 5
    MALFORMED = 6
    NONE = 7


_CAN_CARRY = {
    Defect.DUPLICATE: (_TRADE, _QUOTE, _BOOK),
    Defect.OUT_OF_ORDER: (_TRADE, _QUOTE),
    Defect.LATE: (_TRADE,),
    Defect.SEQUENCE_GAP: (_BOOK,),
    Defect.CROSSED: (_QUOTE,),
    Defect.GARBAGE: (_TRADE,),
    Defect.MALFORMED: (_TRADE, _QUOTE, _BOOK),
}
_GARBAGE = (Reason.NOT_A_NUMBER, Reason.PRICE_NOT_POSITIVE, Reason.SIZE_NEGATIVE, Reason.TIME_ABSURD)
"""In turn; the first three spoil these columns of a trade with these numbers."""
_SPOILT = ((0, np.nan), (0, -1.0), (1, -1.0))


@dataclass(frozen=True, slots=True)
class FeedColumns:
    """What the gateway would receive of one symbol: n items in the order of their arrival."""

    kind: npt.NDArray[np.uint8]
    """(n,) EventKind or MALFORMED_KIND."""
    flags: npt.NDArray[np.uint8]
    event_time: Integers
    available_time: Integers
    sequence: Integers
    row: Integers
    rows: EventRows
    """Its tables hold the payloads; its columns are those before planting."""


class Planter:
    """Plants the defects of one symbol; `planted` counts those that the job must reject by reason, `harmless` the others by name."""

    def __init__(self, settings: SimulationSettings, generator: np.random.Generator) -> None:
        self.planted: Counter[Reason] = Counter()
        self.harmless: Counter[str] = Counter()
        self._settings = settings
        self._generator = generator
        self._edges = np.cumsum(astuple(settings.defects))
        self._last_sequence = dict.fromkeys(TABLES, 0)
        self._snapshot_next = True
        self._garbage = int(generator.integers(len(_GARBAGE)))

    def plant(self, rows: EventRows) -> FeedColumns:
        """The messages with sequence numbers, times, flags and defects."""
        draws = self._generator.random((len(rows.kind), 2))
        defect = self._defects(rows, draws[:, 0])
        event_time = self._settings.start_time + np.rint(rows.time * NANOSECONDS_PER_SECOND).astype(np.int64)
        available_time = event_time + self._settings.feed_delay_microseconds * 1000
        flags = self._flags(rows, defect)
        event_time = self._out_of_order(event_time, defect, draws[:, 1])
        source = np.repeat(np.arange(len(defect)), 1 + _brings_another(defect))
        extra = np.append(False, source[1:] == source[:-1]) if len(source) else np.zeros(0, np.bool_)
        feed = FeedColumns(
            kind=rows.kind[source],
            flags=flags[source],
            event_time=event_time[source],
            available_time=available_time[source],
            sequence=np.zeros(len(source), np.int64),
            row=rows.row[source],
            rows=rows,
        )
        feed = self._spoil(feed, np.where(extra, defect[source], Defect.NONE), draws[source, 1])
        self._number(feed, extra & (defect[source] == Defect.DUPLICATE))
        return feed

    def _defects(self, rows: EventRows, chance: Floats) -> Integers:
        """(n,) Defect of each message, NONE where its kind cannot carry what was drawn."""
        defect = np.searchsorted(self._edges, chance, side="right")
        for one, kinds in _CAN_CARRY.items():
            defect[(defect == one) & ~np.isin(rows.kind, kinds)] = Defect.NONE
        books = np.flatnonzero(rows.kind == _BOOK)
        gaps = defect[books] == Defect.SEQUENCE_GAP
        snapshots = np.append(self._snapshot_next, gaps[:-1]) if len(books) else gaps
        defect[books[gaps & snapshots]] = Defect.NONE
        return defect

    def _flags(self, rows: EventRows, defect: Integers) -> npt.NDArray[np.uint8]:
        """(n,) SEQUENCE_GAP where numbers are left out, SNAPSHOT on the BOOK after it and on the first."""
        flags = np.zeros(len(defect), np.uint8)
        books = np.flatnonzero(rows.kind == _BOOK)
        if not len(books):
            return flags
        gaps = defect[books] == Defect.SEQUENCE_GAP
        self.planted[Reason.SEQUENCE_GAP] += int(gaps.sum())
        flags[books[gaps]] = EventFlag.SEQUENCE_GAP
        flags[books[np.append(self._snapshot_next, gaps[:-1])]] = EventFlag.SNAPSHOT
        self._snapshot_next = bool(gaps[-1])
        return flags

    def _out_of_order(self, event_time: Integers, defect: Integers, draw: Floats) -> Integers:
        """Times set back before the one before, by no more than the job tolerates."""
        if not len(event_time):
            return event_time
        before = np.append(event_time[0], event_time[:-1])
        back = before - 1 - (draw * self._settings.out_of_order_milliseconds * 1e6).astype(np.int64)
        tolerated = event_time - back < self._settings.late_seconds * NANOSECONDS_PER_SECOND / 2
        places = (defect == Defect.OUT_OF_ORDER) & tolerated
        places[0] = False
        self.harmless["out_of_order"] += int(places.sum())
        return np.where(places, back, event_time)

    def _spoil(self, feed: FeedColumns, defect: Integers, draw: Floats) -> FeedColumns:
        """Make of each further message what its defect says; the others have NONE."""
        late = defect == Defect.LATE
        feed.event_time[late] -= ((self._settings.late_seconds + 0.1 + 5 * draw[late]) * NANOSECONDS_PER_SECOND).astype(np.int64)
        feed.kind[defect == Defect.MALFORMED] = MALFORMED_KIND
        for reason, one in ((Reason.DUPLICATE, Defect.DUPLICATE), (Reason.LATE, Defect.LATE), (Reason.CROSSED_BOOK, Defect.CROSSED)):
            self.planted[reason] += int(np.count_nonzero(defect == one))
        self.planted[Reason.MALFORMED_INPUT_LINE] += int(np.count_nonzero(defect == Defect.MALFORMED))
        feed.flags[(defect != Defect.NONE) & (defect != Defect.DUPLICATE)] = 0
        feed = _cross(feed, np.flatnonzero(defect == Defect.CROSSED))
        return self._make_garbage(feed, np.flatnonzero(defect == Defect.GARBAGE))

    def _make_garbage(self, feed: FeedColumns, places: Integers) -> FeedColumns:
        trades = feed.rows.trades[feed.row[places]]
        for number, place in enumerate(places):
            turn = self._garbage % len(_GARBAGE)
            self._garbage += 1
            self.planted[_GARBAGE[turn]] += 1
            if _GARBAGE[turn] is Reason.TIME_ABSURD:
                feed.event_time[place] = feed.available_time[place] + _ABSURD_AHEAD
            else:
                column, value = _SPOILT[turn]
                trades[number, column] = value
        feed.row[places] = len(feed.rows.trades) + np.arange(len(places))
        return replace(feed, rows=replace(feed.rows, trades=np.concatenate([feed.rows.trades, trades])))

    def _number(self, feed: FeedColumns, repeated: Mask) -> None:
        """Consecutive numbers a kind; a repeated event has its original's, and before a gap some are left out."""
        for kind in TABLES:
            places = np.flatnonzero(feed.kind == kind)
            if len(places):
                steps = np.where(repeated[places], 0, np.where(feed.flags[places] & EventFlag.SEQUENCE_GAP, 4, 1))
                feed.sequence[places] = self._last_sequence[kind] + np.cumsum(steps)
                self._last_sequence[kind] = int(feed.sequence[places[-1]])


def _brings_another(defect: Integers) -> Mask:
    return np.isin(defect, (Defect.DUPLICATE, Defect.LATE, Defect.CROSSED, Defect.GARBAGE, Defect.MALFORMED))


def _cross(feed: FeedColumns, places: Integers) -> FeedColumns:
    """Give these quotes rows of their own with bid and ask exchanged."""
    quotes = feed.rows.quotes[feed.row[places]][:, [2, 1, 0, 3]]
    feed.row[places] = len(feed.rows.quotes) + np.arange(len(places))
    return replace(feed, rows=replace(feed.rows, quotes=np.concatenate([feed.rows.quotes, quotes])))
