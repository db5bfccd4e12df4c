"""Breakers for everything: decided beside the stream, from what the watch sees, and written into the control log.

A breaker changes signals, so it takes effect where every such decision does: at the frame that is stamped with its entry, in live and in
replay. Here is only when one opens or closes; a threshold to open, a lower one to close, and a time for which each must have held, so that
one bad look neither halts nor releases everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from udfs.records import ShedLevel, SignalCode, TradingState

FEWEST_SYMBOLS: Final = 5
"""With fewer a share of the market says nothing."""
FEWEST_DIRECTIONS: Final = 10
"""With fewer signals that have a direction, all of one is no wonder."""
FEWEST_EVENTS: Final = 100
"""Of an interval, for a share of errors."""


@dataclass(frozen=True)
class BreakerRule:
    """When a breaker opens and closes; seconds are those of the watch."""

    name: str
    state: TradingState
    """What is allowed while it is open."""
    opens_at: float
    closes_below: float
    opens_after_seconds: float
    closes_after_seconds: float
    meaning: str


CRASH: Final = "market-crash"
DRIFT: Final = "drift"
ERRORS: Final = "errors"
LAG: Final = "lag"
ONE_WAY: Final = "one-way"
RULES: Final = (
    BreakerRule(CRASH, TradingState.HALTED, 0.2, 0.05, 0.0, 300.0, "share of symbols whose newest signal says `flash_crash`"),
    BreakerRule(DRIFT, TradingState.REDUCING, 0.5, 0.2, 60.0, 300.0, "share of symbols whose newest signal says `out_of_range`"),
    BreakerRule(ERRORS, TradingState.REDUCING, 0.2, 0.05, 10.0, 120.0, "share of events that were refused, duplicates aside"),
    BreakerRule(LAG, TradingState.REDUCING, 10.0, 1.0, 10.0, 60.0, "seconds by which the job is behind the log"),
    BreakerRule(
        ONE_WAY, TradingState.REDUCING, 0.98, 0.8, 900.0, 300.0, "distance from 0 of the mean direction of the signals that have one"
    ),
)
SHED_AT_SECONDS: Final[Mapping[ShedLevel, float]] = {ShedLevel.ONLINE_FEATURES: 1.0, ShedLevel.REASONS: 3.0}
"""Lag from which work is left out."""
SHED_BELOW_SECONDS: Final = 0.2
SHED_AFTER_SECONDS: Final = 5.0
RESTORE_AFTER_SECONDS: Final = 60.0


@dataclass
class Latch:
    """On after a condition has held for a while, off after the opposite one has; in between it stays as it is."""

    is_on: bool = False
    _since: float | None = None
    """When the condition that would turn it began to hold."""

    def look(self, turns: bool, after_seconds: float, now: float) -> bool:
        """Whether it is on at `now`; `turns` is whether the condition holds that would turn it over after `after_seconds`."""
        if not turns:
            self._since = None
            return self.is_on
        self._since = now if self._since is None else self._since
        if now - self._since >= after_seconds:
            self.is_on, self._since = not self.is_on, None
        return self.is_on


@dataclass
class Breakers:
    """What should be in force, from one look to the next. A value that is not known turns nothing."""

    latches: dict[str, Latch] = field(default_factory=lambda: {rule.name: Latch() for rule in RULES})
    shedding: dict[ShedLevel, Latch] = field(default_factory=lambda: {level: Latch() for level in SHED_AT_SECONDS})

    def take_over(self, in_force: Mapping[str, TradingState], shed_level: int) -> None:
        """Go on from what the control log says: after a restart, or after a person closed what was open."""
        for name, latch in self.latches.items():
            if latch.is_on is not (name in in_force):
                self.latches[name] = Latch(name in in_force)
        for level, latch in self.shedding.items():
            if latch.is_on is not (shed_level >= level):
                self.shedding[level] = Latch(shed_level >= level)

    def look(self, values: Mapping[str, float], now: float) -> tuple[dict[str, TradingState], ShedLevel]:
        """The breakers that should be open and how much should be shed, for the values by name at `now` in seconds."""
        opened = {rule.name: rule.state for rule in RULES if self._is_open(rule, values.get(rule.name), now)}
        return opened, self._shed(values.get(LAG), now)

    def _is_open(self, rule: BreakerRule, value: float | None, now: float) -> bool:
        latch = self.latches[rule.name]
        if value is None:
            return latch.look(False, 0.0, now)
        if latch.is_on:
            return latch.look(value < rule.closes_below, rule.closes_after_seconds, now)
        return latch.look(value >= rule.opens_at, rule.opens_after_seconds, now)

    def _shed(self, lag: float | None, now: float) -> ShedLevel:
        for level, latch in self.shedding.items():
            if lag is None:
                latch.look(False, 0.0, now)
            elif latch.is_on:
                latch.look(lag < SHED_BELOW_SECONDS, RESTORE_AFTER_SECONDS, now)
            else:
                latch.look(lag >= SHED_AT_SECONDS[level], SHED_AFTER_SECONDS, now)
        return max((level for level, latch in self.shedding.items() if latch.is_on), default=ShedLevel.NOTHING)


def share_of(code: SignalCode, newest: Mapping[str, int]) -> float | None:
    """The share of symbols whose newest signal has this code; None where too few have one."""
    if len(newest) < FEWEST_SYMBOLS:
        return None
    return sum(found == code for found in newest.values()) / len(newest)


def mean_direction(directions: Iterable[int]) -> float | None:
    """How far signals all point one way, 0 to 1: a model that says the same of everything is broken, or nobody should follow it.

    `directions` are 1, -1, and 0, which does not count; None where too few have one.
    """
    found = [direction for direction in directions if direction]
    return abs(sum(found)) / len(found) if len(found) >= FEWEST_DIRECTIONS else None


@dataclass(frozen=True)
class Interval:
    """What the job did between two looks at its counters."""

    seconds: float
    frames: int
    accepted: int
    refused: int
    pending_frames: int | None

    @property
    def error_share(self) -> float | None:
        """The share of events that were refused; None where there were too few."""
        events = self.accepted + self.refused
        return self.refused / events if events >= FEWEST_EVENTS else None

    @property
    def lag_seconds(self) -> float | None:
        """How long the job needs for what waits, at the pace of the interval: infinite where it stands still, None where not known."""
        if self.pending_frames is None:
            return None
        if self.pending_frames <= 0:
            return 0.0
        return self.pending_frames * self.seconds / self.frames if self.frames else float("inf")
