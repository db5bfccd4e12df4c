"""What a simulated market is like."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field

from udfs.errors import InvalidSettings

PREDICTED_SECONDS = 300.0
"""Horizon for which `predictability` is defined."""
PRESSURE_SECONDS = 120.0
"""Time in which buying or selling pressure decays to 1/e."""

NEWS_FOLLOWED_SECONDS = 120.0
"""Time in which the price takes up what news says, evenly."""


@dataclass(frozen=True, slots=True)
class DefectRates:
    """How often something is wrong, as a share of the events that can carry it. 0 everywhere gives a clean stream."""

    duplicate: float = 2e-4
    """An event is sent twice, with the same number."""
    out_of_order: float = 1e-3
    """An event's time lies up to `SimulationSettings.out_of_order_milliseconds` before the symbol's previous event."""
    late: float = 1e-4
    """A further trade whose time lies more than `SimulationSettings.late_seconds` back."""
    sequence_gap: float = 5e-5
    """Numbers are left out before an event, which is flagged."""
    crossed: float = 1e-4
    """A further quote with its bid above its ask."""
    garbage: float = 2e-4
    """A further trade with a price that is no number or not positive, a negative size, or a time in the far future, in turn."""
    malformed: float = 2e-5
    """A further line that cannot be read."""

    def total(self) -> float:
        """Share of events with some defect."""
        return float(sum(astuple(self)))


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """The market, its activity and its faults. Equal settings give equal events, and more `seconds` only add events at the end."""

    symbols: int = 20
    seconds: float = 60.0
    ticks_per_second: float = 400.0
    """Events of all symbols together, on average."""
    activity_exponent: float = 0.6
    """Zipf: the k-th symbol is active in proportion to k ** -exponent; 0 makes all equal."""
    quiet_symbols: int = 1
    """The last symbols, of which something is heard only about every `quiet_seconds`."""
    quiet_seconds: float = 45.0
    start_time: int = 1_772_458_200_000_000_000
    """Nanoseconds since the epoch; the default is Monday 2 March 2026, 13:30 UTC."""
    seed: int = 7
    daily_volatility: float = 0.02
    """Standard deviation of a symbol's log return over 23 400 s of trading; symbols differ by up to a half."""
    correlation: float = 0.4
    """Between the returns of any two symbols, through one common factor."""
    predictability: float = 0.1
    """Share of the variance of the 5-minute efficient return that the pressure in the book explains beforehand; 0 = none, below 0.25."""
    jumps_per_hour: float = 1.0
    """By symbol."""
    jump_size: float = 0.004
    """Standard deviation of a jump's log return."""
    news_per_hour: float = 0.0
    """By symbol: headlines whose meaning the price follows."""
    news_impact: float = 0.002
    """How far good or bad news moves the logarithm of the price in the end."""
    halts_per_hour: float = 0.5
    """By symbol."""
    halt_seconds: float = 20.0
    """Mean length of a halt; never shorter than half of it."""
    u_shape: float = 0.0
    """0: activity does not depend on the hour. 1: at midnight UTC four times that of noon."""
    excitation: float = 0.3
    """Share of order arrivals that earlier ones bring about (Hawkes); 0 gives Poisson arrivals."""
    book_interval_milliseconds: float = 100.0
    """Least time between two BOOK events of a symbol."""
    feed_delay_microseconds: int = 300
    """From an event to its being available."""
    out_of_order_milliseconds: float = 200.0
    late_seconds: float = 2.0
    """The job's tolerance for disorder; planted late events lie further back."""
    defects: DefectRates = field(default_factory=DefectRates)

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise InvalidSettings("simulation: " + "; ".join(problems))

    def _problems(self) -> Iterator[str]:
        for name in ("symbols", "seconds", "ticks_per_second", "quiet_seconds", "daily_volatility", "halt_seconds", "start_time"):
            if not getattr(self, name) > 0:
                yield f"{name} is {getattr(self, name)}, expected above 0"
        for name, limit in (("correlation", 1.0), ("predictability", 0.25), ("excitation", 0.9)):
            if not 0 <= getattr(self, name) < limit:
                yield f"{name} is {getattr(self, name)}, expected from 0 to below {limit}"
        for name in (
            "activity_exponent",
            "jumps_per_hour",
            "jump_size",
            "news_per_hour",
            "halts_per_hour",
            "seed",
            "book_interval_milliseconds",
        ):
            if not getattr(self, name) >= 0:
                yield f"{name} is {getattr(self, name)}, expected 0 or more"
        if not 0 <= self.quiet_symbols <= self.symbols:
            yield f"quiet_symbols is {self.quiet_symbols}, expected from 0 to {self.symbols}, the number of symbols"
        if not 0 <= self.u_shape <= 1:
            yield f"u_shape is {self.u_shape}, expected from 0 to 1"
        if min(astuple(self.defects)) < 0 or self.defects.total() > 0.5:
            yield f"defects are {self.defects}, expected shares of 0 or more that add up to at most 0.5"

    def names(self) -> tuple[str, ...]:
        """The symbols, the most active first."""
        return tuple(f"SIM{number:02d}" for number in range(1, self.symbols + 1))

    def rates(self) -> list[float]:
        """Events a second of each symbol, before faults."""
        active = self.symbols - self.quiet_symbols
        weights = [rank**-self.activity_exponent for rank in range(1, active + 1)]
        quiet = 1 / self.quiet_seconds
        shared = max(self.ticks_per_second - quiet * self.quiet_symbols, 0.0)
        return [shared * weight / sum(weights) for weight in weights] + [quiet] * self.quiet_symbols

    def drift_per_pressure(self) -> float:
        """How far, in standard deviations of a second's return, a pressure of one moves the efficient price a second.

        With return variance h over the horizon h, decay rate d and unit pressure, the pressure at its start explains drift² g² of
        h + drift² v, where g = (1 - exp(-d h)) / d and v = 2 (d h - 1 + exp(-d h)) / d².
        """
        horizon, decay = PREDICTED_SECONDS, 1 / PRESSURE_SECONDS
        remaining = math.exp(-decay * horizon)
        known = (1 - remaining) / decay
        total = 2 * (decay * horizon - 1 + remaining) / decay**2
        return math.sqrt(self.predictability * horizon / (known**2 - self.predictability * total))
