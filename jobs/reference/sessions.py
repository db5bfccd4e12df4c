"""The sessions of exchanges' calendars, from `exchange-calendars`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from udfs.errors import InvalidSettings

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
"""No session before it is looked for."""
_DAY = 86_400
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Sessions:
    """All sessions of a calendar, in order of time, in seconds since the epoch."""

    starts: list[int]
    """Where each session's day begins: midnight of the calendar, or its open if that is earlier."""
    opens: list[int]
    closes: list[int]
    is_early: list[bool]
    offsets: list[int]
    """Seconds that local time is ahead of UTC at the open."""
    days: list[int]
    """Dates as days since the epoch."""
    zone: tzinfo

    def at(self, second: int) -> tuple[tuple[float, ...], int] | None:
        """Numbers of the SESSION fact of a second, and the second at which the next session's day begins; None beyond the calendar."""
        place = bisect_right(self.starts, second) - 1
        if not 1 <= place < len(self.starts) - 1:
            return None
        times = self.starts[place], self.opens[place], self.closes[place], self.opens[place + 1], self.closes[place - 1]
        numbers = *times, self.is_early[place], self.offsets[place], self.days[place]
        return tuple(map(float, numbers)), self.starts[place + 1]

    def begin_of(self, day: date) -> float:
        """Second at which a date begins: with its session's day, or at midnight of the calendar where it has no session."""
        number = (day - _EPOCH).days
        place = bisect_left(self.days, number)
        if place < len(self.days) and self.days[place] == number:
            return float(self.starts[place])
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp()


@cache
def sessions_of(calendar: str) -> Sessions:
    """The sessions of the last twenty years and the next one. Seconds to make. Raises InvalidSettings for an unknown name."""
    return _sessions(calendar, None)


@cache
def older_sessions_of(calendar: str) -> Sessions:
    """The same from 1990 on, where the calendar goes back as far."""
    return _sessions(calendar, EARLIEST)


def _sessions(name: str, first: datetime | None) -> Sessions:
    from exchange_calendars import errors, get_calendar

    try:
        calendar = get_calendar(name)
        if first is not None:
            bound = calendar.bound_min()
            start = first.date().isoformat() if bound is None else max(bound.date(), first.date()).isoformat()
            calendar = get_calendar(name, start=start)
    except errors.InvalidCalendarName as error:
        raise InvalidSettings(f"calendar {name!r} is not known; expected a name of exchange-calendars such as XNYS, or 24/7") from error
    return _as_seconds(calendar)


def _as_seconds(calendar: Any) -> Sessions:
    opens = calendar.opens.dt.tz_convert(calendar.tz)
    offsets = [int(time.utcoffset().total_seconds()) for time in opens]
    days = _seconds(calendar.sessions) // _DAY
    opening = _seconds(calendar.opens)
    midnights = days * _DAY - np.array(offsets)
    early = set(_seconds(calendar.early_closes).tolist())
    return Sessions(
        starts=np.minimum(midnights, opening).tolist(),
        opens=opening.tolist(),
        closes=_seconds(calendar.closes).tolist(),
        is_early=[day * _DAY in early for day in days.tolist()],
        offsets=offsets,
        days=days.tolist(),
        zone=calendar.tz,
    )


def _seconds(times: Any) -> npt.NDArray[np.int64]:
    seconds: npt.NDArray[np.int64] = np.asarray(times.to_numpy("datetime64[s]")).astype(np.int64)
    return seconds
