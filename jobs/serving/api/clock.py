"""What "now" is for ages: the wall clock, or for a recorded market the stream's own clock, which goes on when the stream stops."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

NANOSECONDS: Final = 1_000_000_000


class StreamClock:
    """Nanoseconds since 1970. Following the stream, it is the newest available time plus what has passed since that came."""

    def __init__(self, follows_stream: bool = False) -> None:
        self._follows = follows_stream
        self._newest = 0
        self._seen_at = 0

    def saw(self, available_time: int) -> None:
        """A record that was available at this time has come."""
        if available_time > self._newest:
            self._newest, self._seen_at = available_time, time.monotonic_ns()

    def now(self) -> int:
        """The moment that ages refer to."""
        if self._follows and self._newest:
            return self._newest + time.monotonic_ns() - self._seen_at
        return time.time_ns()


def rfc3339(nanoseconds: int) -> str:
    """A time in UTC with all nine digits, so that nothing is lost where numbers are floats."""
    seconds, rest = divmod(nanoseconds, NANOSECONDS)
    return f"{_to_the_second(seconds)}.{rest:09d}Z"


@lru_cache(4096)
def _to_the_second(seconds: int) -> str:
    """Many records share their second, and formatting it is most of the work."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
