"""What trading costs, how fast it is, and what it may not exceed."""

from __future__ import annotations

from dataclasses import dataclass

from udfs.errors import InvalidSettings

MILLISECOND, SECOND = 1_000_000, 1_000_000_000


@dataclass(frozen=True, slots=True)
class BacktestSettings:
    """Settings of one backtest; all of them name the trial."""

    notional: float = 10_000.0
    """Value of a full position in one symbol, in the currency of its prices."""
    feed_latency: int = 60 * MILLISECOND
    """Nanoseconds from a signal's available time to when the trader has it: that time is its tick's, and 19 of 20 are out 60 ms later."""
    order_latency: int = 20 * MILLISECOND
    """Nanoseconds from then to when an order is at the venue."""
    fee_basis_points: float = 0.5
    """Of the value of each fill."""
    assumed_half_spread_basis_points: float = 1.0
    """For symbols that have trades or bars and no book."""
    impact: float = 1.0
    """Y of the square-root law: a fill moves its own price by Y * deviation of an hour * root of (size / volume of an hour)."""
    participation: float = 0.5
    """Share of the size at the touch that a fill may take."""
    maximum_turnover: float = 50.0
    """Value traded in a symbol on one day, in full positions, from which no position is opened any more; one may always be closed."""
    minimum_confidence: float = 0.0
    """Signals below it are not traded."""
    grid_seconds: int = 60
    """Distance of the moments at which positions are valued."""

    def check(self) -> None:
        """Raises InvalidSettings with every problem."""
        positive = ("notional", "participation", "maximum_turnover", "grid_seconds")
        others = ("feed_latency", "order_latency", "fee_basis_points", "assumed_half_spread_basis_points", "impact", "minimum_confidence")
        problems = [f"{name} must be above 0, found {getattr(self, name)}" for name in positive if not getattr(self, name) > 0]
        problems += [f"{name} must be 0 or more, found {getattr(self, name)}" for name in others if not getattr(self, name) >= 0]
        if problems:
            raise InvalidSettings("backtest: " + "; ".join(problems))
