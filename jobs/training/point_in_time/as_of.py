"""The join as of two times: what happened no later than a row, and was known no later than the row was decided on.

Of a symbol's rows the one with the newest event time counts, and of several revisions of it the newest that was available. A revision that
came later is never used, whatever moment it speaks of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.errors import TickflowError

Times = npt.NDArray[np.int64]
NOTHING = -1
"""Place of a row that nothing is known for."""
NEVER = np.iinfo(np.int64).min
"""Available time of a value that is not there."""


class LookAhead(TickflowError):
    """A row was given something that was not available when it was decided on."""


class Known(NamedTuple):
    """One symbol's rows of a source, by (event time, available time)."""

    event_time: Times
    """(rows,) nanoseconds: since when the row says something."""
    available_time: Times
    """(rows,) nanoseconds: since when anyone could know it."""
    values: npt.NDArray[np.float64]
    """(rows, columns)."""

    def take(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Known:
        """Some of the rows."""
        return Known(self.event_time[chosen], self.available_time[chosen], self.values[chosen])


AsOf = Callable[[Known, Times, Times], npt.NDArray[np.intp]]
"""A join: known rows, event times and decision times of the asking rows, to places in `known`."""


def nothing_known(columns: int) -> Known:
    """No row."""
    return Known(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, columns)))


def in_order(known: Known) -> Known:
    """The rows by (event time, available time)."""
    return known.take(np.lexsort((known.available_time, known.event_time)))


def newest_as_of(known: Known, event_time: Times, decision_time: Times) -> npt.NDArray[np.intp]:
    """For each asking row the place of what was known of it, or NOTHING.

    Steps back from the newest row that had happened, over those that were not yet available.
    """
    place = np.searchsorted(known.event_time, event_time, "right") - 1
    waiting = np.flatnonzero(place >= 0)
    while waiting.size:
        waiting = waiting[known.available_time[place[waiting]] > decision_time[waiting]]
        place[waiting] -= 1
        waiting = waiting[place[waiting] >= 0]
    return place


def moments_within(known: Known, event_time: Times, decision_time: Times, window: int) -> npt.NDArray[np.float64]:
    """How many different moments in (event time - window, event time] were known of: revisions of one moment count once."""
    first = np.searchsorted(known.event_time, event_time - window, "right")
    last = np.searchsorted(known.event_time, event_time, "right")
    counts = np.zeros(event_time.shape[0])
    for row in np.flatnonzero(last > first):
        span = slice(first[row], last[row])
        counts[row] = np.unique(known.event_time[span][known.available_time[span] <= decision_time[row]]).size
    return counts


def check_known(name: str, symbol: str, event_time: Times, decision_time: Times, used: Known, place: npt.NDArray[np.intp]) -> Times:
    """(rows,) available times of what was used, NEVER where nothing was.

    Raises LookAhead when any is after its row's decision, or speaks of a later moment than its row.
    """
    there = place >= 0
    available = np.full(place.shape[0], NEVER)
    available[there] = used.available_time[place[there]]
    _refuse_later(f"{name} of {symbol or 'the market'} was available", available, decision_time)
    speaks_of = np.full(place.shape[0], NEVER)
    speaks_of[there] = used.event_time[place[there]]
    _refuse_later(f"{name} of {symbol or 'the market'} speaks of a time", speaks_of, event_time)
    return available


def _refuse_later(what: str, used: Times, permitted: Times) -> None:
    late = np.flatnonzero(used > permitted)
    if late.size:
        row = int(late[0])
        raise LookAhead(f"{what} {(used[row] - permitted[row]) / 1e9:.3f} s after the row that used it ({late.size} of {used.size} rows)")
