"""Positions, cash and profit. Every step conserves: cash + cost of what is held = what was paid in + realised - fees, to the last unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Holding:
    """What is held of one symbol."""

    quantity: int = 0
    """Above 0 bought, below 0 sold short; units of `money.SIZE_SCALE`."""
    cost: int = 0
    """Money paid for it: its sign is that of the quantity."""
    realised: int = 0
    """Money made by what was closed again, before fees."""
    fees: int = 0


@dataclass(frozen=True, slots=True)
class Fill:
    """A part of an order that was traded."""

    order_id: str
    symbol: str
    quantity: int
    """Above 0 bought, below 0 sold."""
    price: int
    fee: int
    time: int


@dataclass(frozen=True, slots=True)
class Portfolio:
    """All that is held, and the cash."""

    paid_in: int
    cash: int
    holdings: Mapping[str, Holding] = field(default_factory=dict)

    def holding(self, symbol: str) -> Holding:
        """What is held of a symbol."""
        return self.holdings.get(symbol, Holding())

    @property
    def held(self) -> list[str]:
        """Symbols with a position."""
        return [symbol for symbol, holding in self.holdings.items() if holding.quantity]

    def equity(self, prices: Mapping[str, int]) -> int | None:
        """Cash and the worth of everything held at these prices; None when one of them is missing."""
        if any(symbol not in prices for symbol in self.held):
            return None
        return self.cash + sum(self.holdings[symbol].quantity * prices[symbol] for symbol in self.held)

    @property
    def realised(self) -> int:
        """Money made by what was closed, before fees."""
        return sum(holding.realised for holding in self.holdings.values())

    @property
    def fees(self) -> int:
        """Fees paid."""
        return sum(holding.fees for holding in self.holdings.values())

    @property
    def imbalance(self) -> int:
        """0, always: what is there less what must be there."""
        costs = sum(holding.cost for holding in self.holdings.values())
        return self.cash + costs - (self.paid_in + self.realised - self.fees)


def opened(paid_in: int) -> Portfolio:
    """A portfolio of cash alone."""
    return Portfolio(paid_in, paid_in)


def take(portfolio: Portfolio, fill: Fill) -> Portfolio:
    """The portfolio after a fill. What is closed leaves at average cost, whole units rounded towards what stays."""
    before = portfolio.holding(fill.symbol)
    value = fill.quantity * fill.price
    closing = _closing(before.quantity, fill.quantity)
    released = _share(before.cost, closing, before.quantity)
    opening_value = value + closing * fill.price
    after = Holding(
        quantity=before.quantity + fill.quantity,
        cost=before.cost - released + opening_value,
        realised=before.realised + closing * fill.price - released,
        fees=before.fees + fill.fee,
    )
    return replace(portfolio, cash=portfolio.cash - value - fill.fee, holdings={**portfolio.holdings, fill.symbol: after})


def _closing(held: int, traded: int) -> int:
    """How much of what is held is closed: its sign is that of what is held."""
    if held * traded >= 0:
        return 0
    return min(held, -traded) if held > 0 else max(held, -traded)


def _share(cost: int, part: int, whole: int) -> int:
    if not part or not whole:
        return 0
    return cost if part == whole else cost * part // whole
