"""The paper broker: what an open order would have traded at a row of the market. Pure; whole numbers out, rounded against the trader.

An order meets the first row at least `latency_nanoseconds` after it was sent, and each row after that until it expires. It trades at the
mid price, plus half the spread, plus an impact that grows with the square root of its share of what trades in a minute:
`impact * sigma_of_a_minute * sqrt(quantity / volume_of_a_minute)` (Almgren et al. 2005, Direct estimation of equity market impact; Toth et
al. 2011). A row lets through at most what its book shows on that side, or where that is not known, `participation` of a minute's volume;
the rest waits. Nothing trades beyond the order's limit, nor while the venue has halted trading, nor at a row whose numbers are not all
there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from jobs.trading.gate import Order
from jobs.trading.money import LARGEST, PRICE_SCALE, SIZE_SCALE, units
from jobs.trading.portfolio import Fill


@dataclass(frozen=True, slots=True)
class FillModel:
    """How the market answers."""

    latency_nanoseconds: int = 50_000_000
    fee_basis_points: float = 1.0
    impact: float = 1.0
    participation: float = 0.1
    """Share of a minute's volume that one row lets through where the book's sizes are not known."""
    expires_nanoseconds: int = 5_000_000_000
    """How long an order waits."""


@dataclass(frozen=True, slots=True)
class MarketRow:
    """One row of the market of a symbol; NaN for what is not known."""

    symbol: str
    time: int
    mid: float
    spread: float
    volume_of_a_minute: float
    sigma_of_a_minute: float
    bid_size: float = math.nan
    ask_size: float = math.nan
    halted: bool = False
    """Whether the venue has halted trading."""


def execute(order: Order, row: MarketRow, model: FillModel) -> Fill | None:
    """What an order trades at a row; None when nothing."""
    if row.halted or row.symbol != order.symbol or row.time < order.time + model.latency_nanoseconds:
        return None
    quantity = min(abs(order.quantity), _available(order, row, model))
    price = _price(order, row, model, quantity) if quantity else None
    if price is None:
        return None
    sign = 1 if order.quantity > 0 else -1
    if (price - order.limit_price) * sign > 0:
        return None
    fee = math.ceil(quantity * price * model.fee_basis_points / 10_000)
    return Fill(order.order_id, order.symbol, sign * quantity, price, fee, row.time)


def has_expired(order: Order, now: int, model: FillModel) -> bool:
    """Whether an order has waited for long enough."""
    return now - order.time > model.expires_nanoseconds


def _available(order: Order, row: MarketRow, model: FillModel) -> int:
    shown = row.ask_size if order.quantity > 0 else row.bid_size
    size = shown if math.isfinite(shown) else model.participation * row.volume_of_a_minute
    return units(size, SIZE_SCALE) or 0


def _price(order: Order, row: MarketRow, model: FillModel, quantity: int) -> int | None:
    """The price per unit; None where the row does not tell it."""
    size, volume = quantity / SIZE_SCALE, row.volume_of_a_minute
    share = size / volume if volume > 0 else math.nan
    impact = model.impact * row.sigma_of_a_minute * math.sqrt(share) if share >= 0 else math.nan
    sign = 1 if order.quantity > 0 else -1
    scaled = (row.mid + sign * (row.spread / 2 + row.mid * impact)) * PRICE_SCALE
    if not (0 < scaled < LARGEST and row.mid > 0 and row.spread >= 0 and impact >= 0):
        return None
    return math.ceil(scaled) if sign > 0 else math.floor(scaled)
