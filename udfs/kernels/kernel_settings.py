"""What a run fixes about the kernels, for people and for compiled code."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.errors import InvalidSettings
from udfs.kernels.events import NANOSECONDS_PER_SECOND

BAR_LENGTHS_SECONDS: Final = (1, 60, 300, 3600)
"""Lengths of the bars that are built."""

MAXIMUM_OUT_OF_ORDER_NANOSECONDS: Final = 10 * NANOSECONDS_PER_SECOND
"""What the ring of open seconds can hold."""


class KernelSettings(NamedTuple):
    """What a run fixes about the kernels. Part of the manifest: other settings give other results."""

    out_of_order_nanoseconds: int = 2_000_000_000
    """How far an event may lie behind the symbol's clock before it is LATE; at most 10 s."""
    maximum_clock_skew_nanoseconds: int = 60_000_000_000
    """How far event time may be ahead of available time before it is TIME_ABSURD."""
    minimum_time: int = 631_152_000_000_000_000
    """Earliest event time that is believed: 1990-01-01."""
    row_interval_nanoseconds: int = 100_000_000
    """Shortest distance on the symbol's clock of rows that no bar asks for."""
    stale_book_nanoseconds: int = 60_000_000_000
    """Age on the symbol's clock from which the book's features are not valid."""
    crossed_hold_nanoseconds: int = 1_000_000_000
    """Event time without crossing after which an uncrossed BOOK that is no snapshot ends the quarantine."""
    bar_lengths_seconds: tuple[int, ...] = BAR_LENGTHS_SECONDS
    """Lengths of the bars that are published. Features and rows do not depend on it."""


COMPILED_SETTINGS: Final = np.dtype([(name, "i8") for name in (*KernelSettings._fields[:-1], "published_bars")])
"""`published_bars` has bit k set when bars of `BAR_LENGTHS_SECONDS[k]` are published."""


def compiled_settings(settings: KernelSettings) -> npt.NDArray[np.void]:
    """Give the settings as an array (1,) of `COMPILED_SETTINGS`; InvalidSettings lists every problem."""
    problems = settings_problems(settings)
    if problems:
        raise InvalidSettings("kernel settings: " + "; ".join(problems))
    published = sum(1 << BAR_LENGTHS_SECONDS.index(length) for length in sorted(set(settings.bar_lengths_seconds)))
    return np.array([(*settings[:-1], published)], COMPILED_SETTINGS)


def settings_problems(settings: KernelSettings) -> list[str]:
    """Everything that is wrong with the settings, in words."""
    problems = [f"{name} is {value}, expected 0 or more" for name, value in zip(settings._fields[:-1], settings[:-1]) if value < 0]
    if settings.out_of_order_nanoseconds > MAXIMUM_OUT_OF_ORDER_NANOSECONDS:
        found = settings.out_of_order_nanoseconds
        problems.append(f"out_of_order_nanoseconds is {found}, expected at most {MAXIMUM_OUT_OF_ORDER_NANOSECONDS}")
    if settings.minimum_time <= MAXIMUM_OUT_OF_ORDER_NANOSECONDS:
        problems.append(f"minimum_time is {settings.minimum_time}, expected more than {MAXIMUM_OUT_OF_ORDER_NANOSECONDS}")
    unknown = sorted(set(settings.bar_lengths_seconds) - set(BAR_LENGTHS_SECONDS))
    if unknown:
        problems.append(f"bar_lengths_seconds has {unknown}, expected some of {BAR_LENGTHS_SECONDS}")
    return problems
