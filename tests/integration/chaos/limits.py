"""A limit on how long something may take, so that nothing hangs."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooLate(Exception):
    """It did not end in time."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooLate in the block once it has taken so long, whatever it waits for. In the main thread alone."""

    def expired(_number: int, _frame: FrameType | None) -> None:
        raise TooLate(f"it did not end within {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
