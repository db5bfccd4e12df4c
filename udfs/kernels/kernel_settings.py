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
    """Age on the symbol's clock from which the book's features are not valid, and from which nothing is scored."""
    crossed_hold_nanoseconds: int = 1_000_000_000
    """Event time without crossing after which an uncrossed BOOK that is no snapshot ends the quarantine."""
    flash_crash_hold_nanoseconds: int = 300_000_000_000
    """How long a price must have been calm after a crash before predictions go on."""
    bar_lengths_seconds: tuple[int, ...] = BAR_LENGTHS_SECONDS
    """Lengths of the bars that are published. Features and rows do not depend on it."""
    fractional_order: float = 0.4
    """Order d of the fractional difference: 0 is the log price itself, 1 its return of a minute."""
    garch_alpha: float = 0.1
    """Weight of the newest squared return in the recursive volatility."""
    garch_beta: float = 0.85
    """Weight of its last variance; what `garch_alpha` and this leave of 1 pulls towards the target."""
    garch_target_bars: int = 120
    """Length of the exponential mean of squared returns that is the target."""


_SHARES: Final = ("garch_alpha", "garch_beta")
_COUNTS: Final = tuple(name for name in KernelSettings._fields if name not in ("bar_lengths_seconds", "fractional_order", *_SHARES))

FRACTIONAL_MINUTES: Final = 60
"""Closed minutes in the window of the fractional difference."""

COMPILED_SETTINGS: Final = np.dtype(
    [
        *((name, "i8") for name in (*_COUNTS, "published_bars")),
        *((name, "f8") for name in _SHARES),
        ("fractional_weights", "f8", (FRACTIONAL_MINUTES,)),
    ]
)
"""`published_bars` has bit k set when bars of `BAR_LENGTHS_SECONDS[k]` are published."""


def compiled_settings(settings: KernelSettings) -> npt.NDArray[np.void]:
    """Give the settings as an array (1,) of `COMPILED_SETTINGS`; InvalidSettings lists every problem."""
    problems = settings_problems(settings)
    if problems:
        raise InvalidSettings("kernel settings: " + "; ".join(problems))
    published = sum(1 << BAR_LENGTHS_SECONDS.index(length) for length in sorted(set(settings.bar_lengths_seconds)))
    compiled = np.zeros(1, COMPILED_SETTINGS)
    for name in (*_COUNTS, *_SHARES):
        compiled[name] = getattr(settings, name)
    compiled["published_bars"], compiled["fractional_weights"] = published, fractional_weights(settings.fractional_order)
    return compiled


def fractional_weights(order: float) -> npt.NDArray[np.float64]:
    """Weights (FRACTIONAL_MINUTES,) of the fractional difference, newest first: those of (1 - lag)^order, cut off.

    Lopez de Prado 2018, Advances in Financial Machine Learning, section 5.5: the window is fixed, so it has no drift.
    """
    weights = np.ones(FRACTIONAL_MINUTES)
    for lag in range(1, FRACTIONAL_MINUTES):
        weights[lag] = -weights[lag - 1] * (order - lag + 1) / lag
    return weights


def settings_problems(settings: KernelSettings) -> list[str]:
    """Everything that is wrong with the settings, in words."""
    counts = {name: getattr(settings, name) for name in _COUNTS}
    problems = [f"{name} is {value}, expected 0 or more" for name, value in counts.items() if value < 0]
    if settings.out_of_order_nanoseconds > MAXIMUM_OUT_OF_ORDER_NANOSECONDS:
        found = settings.out_of_order_nanoseconds
        problems.append(f"out_of_order_nanoseconds is {found}, expected at most {MAXIMUM_OUT_OF_ORDER_NANOSECONDS}")
    if settings.minimum_time <= MAXIMUM_OUT_OF_ORDER_NANOSECONDS:
        problems.append(f"minimum_time is {settings.minimum_time}, expected more than {MAXIMUM_OUT_OF_ORDER_NANOSECONDS}")
    unknown = sorted(set(settings.bar_lengths_seconds) - set(BAR_LENGTHS_SECONDS))
    if unknown:
        problems.append(f"bar_lengths_seconds has {unknown}, expected some of {BAR_LENGTHS_SECONDS}")
    return problems + _feature_problems(settings)


def _feature_problems(settings: KernelSettings) -> list[str]:
    problems = []
    if not 0.0 <= settings.fractional_order <= 2.0:
        problems.append(f"fractional_order is {settings.fractional_order}, expected 0 to 2")
    if settings.garch_target_bars < 1:
        problems.append(f"garch_target_bars is {settings.garch_target_bars}, expected 1 or more")
    alpha, beta = settings.garch_alpha, settings.garch_beta
    if not (alpha >= 0.0 and beta >= 0.0 and alpha + beta < 1.0):
        problems.append(f"garch_alpha is {alpha} and garch_beta {beta}, expected 0 or more and a sum below 1")
    return problems
