"""What paper trading may do at most. All limits are required to be sensible, all problems said at once."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Final

from jobs.trading.money import SIZE_SCALE, money
from udfs.errors import InvalidSettings

SECOND: Final = 1_000_000_000


class Denial(IntEnum):
    """Why an order does not go out. The numbers are written to the audit log: never reuse one."""

    HALTED = 1
    REDUCE_ONLY = 2
    NOT_A_NUMBER = 3
    STALE_PRICE = 4
    PRICE_COLLAR = 5
    ORDER_NOTIONAL = 6
    POSITION = 7
    GROSS_NOTIONAL = 8
    CONCENTRATION = 9
    ORDER_RATE = 10
    DAILY_LOSS = 11
    DRAWDOWN = 12
    DUPLICATE = 13
    TOO_MANY_OPEN = 14
    STALE_SIGNAL = 15


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """Quantities in units of `money.SIZE_SCALE`, money in units of `money.MONEY_SCALE`, times in nanoseconds."""

    order_notional: int = money(50_000)
    """Most money of one order."""
    position: int = 10_000 * SIZE_SCALE
    """Most that may be held of one symbol, long or short, if all that is open fills."""
    gross_notional: int = money(500_000)
    """Most money in all positions and open orders together."""
    concentration_percent: int = 40
    """Most money in one symbol, as a share of the equity."""
    orders: int = 20
    """Most orders in `order_window`."""
    order_window: int = SECOND
    open_orders: int = 100
    """Most orders that wait for a fill."""
    daily_loss: int = money(20_000)
    """Loss within 24 hours, whatever the date, from which positions are only closed."""
    drawdown: int = money(50_000)
    """Loss from the highest equity, from which positions are only closed."""
    confirmations: int = 3
    """Prices in a row of every symbol held at which a loss limit must be reached until it latches; until then nothing new is opened. A high
    needs as many."""
    price_age: int = 10 * SECOND
    """Age of a price, by its symbol's own time, from which nothing is ordered at it."""
    silence: int = 60 * SECOND
    """How far a symbol's own time may lie behind that of the whole log, whose partitions are read unevenly, until nothing is ordered."""
    signal_age: int = 10 * SECOND
    """Age of a signal, by its symbol's own time, from which it opens nothing."""
    collar_basis_points: int = 100
    """How far an order's limit may lie beyond the price in force."""


def check_limits(limits: RiskLimits) -> None:
    """Raises InvalidSettings naming every limit that is not above 0."""
    wrong = [
        f"{found.name} is {getattr(limits, found.name)!r}" for found in fields(limits) if not _is_sensible(getattr(limits, found.name))
    ]
    if wrong:
        raise InvalidSettings(f"risk limits: {'; '.join(wrong)}; expected whole numbers above 0")


def _is_sensible(value: object) -> bool:
    return type(value) is int and value > 0
