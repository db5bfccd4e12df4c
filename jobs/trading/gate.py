"""The gate that every order passes: pure functions over an explicit state; the caller gives the time. A denied order changes nothing.

Counted is the worst case: what is held, and whatever is open on the same side fills. Loss limits latch: once reached, positions are only
closed until a person resumes; they look back 24 hours and at the highest equity, and neither midnight nor a restart sets them back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from jobs.trading.limits import SECOND, Denial, RiskLimits
from jobs.trading.money import LARGEST
from jobs.trading.portfolio import Fill, Portfolio, take
from udfs.records import TradingState

DAY: Final = 86_400 * SECOND
_MARK_SPACING: Final = 60 * SECOND
"""Distance of the equities that are kept for the loss of a day."""
_MARKS_OF_A_DAY: Final = DAY // _MARK_SPACING + 1


@dataclass(frozen=True, slots=True)
class Order:
    """What someone wants to trade."""

    order_id: str
    symbol: str
    quantity: int
    """Above 0 buys, below 0 sells."""
    limit_price: int
    """Worst price that is accepted."""
    time: int
    signal_id: str = ""
    signal_time: int | None = None
    """Event time of the signal that it comes of."""
    until: int | None = None
    """End of the horizon of the signal that opens a position."""


@dataclass(frozen=True, slots=True)
class Price:
    """A price in force."""

    price: int
    time: int
    recent: tuple[int, ...] = ()
    """The symbol's last `confirmations` prices, this one included."""


@dataclass(frozen=True, slots=True)
class RiskState:
    """Everything that a decision depends on."""

    portfolio: Portfolio
    open_orders: Mapping[str, Order] = field(default_factory=dict)
    """What is left of accepted orders, by id."""
    prices: Mapping[str, Price] = field(default_factory=dict)
    clocks: Mapping[str, int] = field(default_factory=dict)
    """Greatest event time of each symbol's own stream."""
    until: Mapping[str, int] = field(default_factory=dict)
    """Of each symbol with a position that a signal opened: the end of the horizon of the newest signal that wants it."""
    accepted_times: tuple[int, ...] = ()
    highest_equity: int = 0
    equities: tuple[tuple[int, int], ...] = ()
    """(time, equity) of the last 24 hours, a minute apart."""
    suspected: Denial | None = None
    """The loss limit that is reached at the newest prices."""
    latched: Denial | None = None
    """The loss limit that was reached surely, and not yet resumed from."""

    def equity(self) -> int | None:
        """Worth of everything; None while a price is missing."""
        return self.portfolio.equity({symbol: found.price for symbol, found in self.prices.items()})

    def extreme_equity(self, sign: int) -> int | None:
        """The highest (1) or lowest (-1) that the equity was at the recent prices of each symbol; None while a price is missing."""
        prices = {}
        for symbol, found in self.prices.items():
            choose = max if self.portfolio.holding(symbol).quantity * sign > 0 else min
            prices[symbol] = choose(found.recent or (found.price,))
        return self.portfolio.equity(prices)

    def waiting(self, symbol: str, sign: int) -> int:
        """What open orders of one side may still trade."""
        return sum(order.quantity for order in self.open_orders.values() if order.symbol == symbol and order.quantity * sign > 0)


def started(portfolio: Portfolio) -> RiskState:
    """The state before anything happened."""
    return RiskState(portfolio, highest_equity=portfolio.cash)


def review(state: RiskState, order: Order, limits: RiskLimits, allowed: TradingState, now: int) -> Denial | None:
    """Why an order must not go out; None when it may. Changes nothing."""
    if allowed is TradingState.HALTED:
        return Denial.HALTED
    if not _is_whole(order):
        return Denial.NOT_A_NUMBER
    if order.order_id in state.open_orders:
        return Denial.DUPLICATE
    if len(state.open_orders) >= limits.open_orders:
        return Denial.TOO_MANY_OPEN
    if _recent(state, limits, now) >= limits.orders:
        return Denial.ORDER_RATE
    denial = _price_denial(state, order, limits, now)
    if denial is not None:
        return denial
    if reduces(state, order):
        return None
    if state.latched is not None:
        return state.latched
    if allowed is not TradingState.ACTIVE:
        return Denial.REDUCE_ONLY
    if order.signal_time is not None and state.prices[order.symbol].time - order.signal_time > limits.signal_age:
        return Denial.STALE_SIGNAL
    return state.suspected or _size_denial(state, order, limits, now)


def accept(state: RiskState, order: Order, limits: RiskLimits, now: int) -> RiskState:
    """The state with an order that `review` let through."""
    times = tuple(time for time in state.accepted_times if time > now - limits.order_window)
    return replace(state, open_orders={**state.open_orders, order.order_id: order}, accepted_times=(*times, now))


def reduces(state: RiskState, order: Order) -> bool:
    """Whether the position can only become smaller, and stays on its side, also when everything open fills."""
    held = state.portfolio.holding(order.symbol).quantity
    sign = 1 if order.quantity > 0 else -1
    return held * sign < 0 and abs(state.waiting(order.symbol, sign) + order.quantity) <= abs(held)


def increasing_orders(state: RiskState) -> list[str]:
    """Open orders that must be cancelled when positions may only become smaller, oldest first."""
    found, closing = [], dict[str, int]()
    for order_id, order in state.open_orders.items():
        held = state.portfolio.holding(order.symbol).quantity
        closing[order.symbol] = closing.get(order.symbol, 0) + (order.quantity if held * order.quantity < 0 else 0)
        if held * order.quantity >= 0 or abs(closing[order.symbol]) > abs(held):
            found.append(order_id)
            closing[order.symbol] -= order.quantity if held * order.quantity < 0 else 0
    return found


def filled(state: RiskState, fill: Fill) -> RiskState:
    """The state after a part of an open order was traded."""
    order = state.open_orders[fill.order_id]
    left = order.quantity - fill.quantity
    rest = {order_id: found for order_id, found in state.open_orders.items() if order_id != fill.order_id}
    if left:
        rest = {**state.open_orders, fill.order_id: replace(order, quantity=left)}
    until = state.until if order.until is None else {**state.until, order.symbol: order.until}
    return replace(state, portfolio=take(state.portfolio, fill), open_orders=rest, until=until)


def cancelled(state: RiskState, order_id: str) -> RiskState:
    """The state without an open order."""
    return replace(state, open_orders={name: order for name, order in state.open_orders.items() if name != order_id})


def heard(state: RiskState, symbol: str, time: int) -> RiskState:
    """The state after anything came of a symbol: a row, with or without a price, or a signal."""
    return replace(state, clocks={**state.clocks, symbol: max(time, state.clocks.get(symbol, 0))})


def is_silent(state: RiskState, symbol: str, limits: RiskLimits, now: int) -> bool:
    """Whether nothing came of a symbol for too long, by the time of the whole log."""
    return symbol in state.clocks and now - state.clocks[symbol] > limits.silence


def has_old_price(state: RiskState, symbol: str, limits: RiskLimits, now: int) -> bool:
    """Whether nothing should be ordered at a symbol's price.

    Partitions are read unevenly, so the log's time says little of one symbol. Its own stream tells when a price is old; that its stream
    itself is, only a much greater distance from the log's time.
    """
    price = state.prices.get(symbol)
    return price is None or state.clocks.get(symbol, now) - price.time > limits.price_age or is_silent(state, symbol, limits, now)


def prolonged(state: RiskState, symbol: str, until: int) -> RiskState:
    """The state after another signal wanted what is held."""
    return replace(state, until={**state.until, symbol: max(until, state.until.get(symbol, 0))})


def priced(state: RiskState, symbol: str, price: int | None, time: int, limits: RiskLimits) -> RiskState:
    """The state with a new price. One that is no number changes nothing: the old one grows old, and then nothing is ordered at it."""
    before = state.prices.get(symbol, Price(1, 0))
    if price is None or price <= 0 or time < before.time:
        return state
    recent = (*before.recent, price)[-limits.confirmations :]
    return _judged(replace(state, prices={**state.prices, symbol: Price(price, time, recent)}), limits, time)


def resumed(state: RiskState, now: int) -> RiskState:
    """A person looked and goes on: loss limits count from here, so that they do not close again at once."""
    counted = state.extreme_equity(-1)
    if counted is None:
        return replace(state, latched=None, suspected=None)
    return replace(state, latched=None, suspected=None, highest_equity=counted, equities=((now, counted),))


def remembered(state: RiskState, time: int, equity: int, highest_equity: int) -> RiskState:
    """The state with a mark that was noted before a restart."""
    kept = state.equities if state.equities and state.equities[-1][0] >= time else (*state.equities, (time, equity))
    return replace(state, equities=kept[-_MARKS_OF_A_DAY:], highest_equity=highest_equity)


def _judged(state: RiskState, limits: RiskLimits, now: int) -> RiskState:
    """Note the equity, and latch a loss limit that is surely reached.

    One bad tick stops nothing for good, and makes no high: sure is what holds at each of the last `confirmations` prices of every symbol
    that is held. Other symbols' prices confirm nothing.
    """
    equity, highest, lowest = state.equity(), state.extreme_equity(1), state.extreme_equity(-1)
    if equity is None or highest is None or lowest is None:
        return state
    is_sure = all(len(state.prices[symbol].recent) == limits.confirmations for symbol in state.portfolio.held)
    kept = tuple((time, found) for time, found in state.equities if now - DAY <= time)
    latched = state.latched or (_reached(state, kept, highest, limits) if is_sure else None)
    suspected = _reached(state, kept, equity, limits)
    if not kept:
        kept = ((now, min(equity, state.highest_equity)),)
    elif is_sure and now - kept[-1][0] >= _MARK_SPACING:
        kept = (*kept, (now, lowest))
    counted = max(state.highest_equity, lowest) if is_sure else state.highest_equity
    return replace(state, equities=kept, highest_equity=counted, suspected=suspected, latched=latched)


def _reached(state: RiskState, marks: tuple[tuple[int, int], ...], equity: int, limits: RiskLimits) -> Denial | None:
    """The loss limit that an equity reaches."""
    if max((found for _, found in marks), default=equity) - equity >= limits.daily_loss:
        return Denial.DAILY_LOSS
    return Denial.DRAWDOWN if state.highest_equity - equity >= limits.drawdown else None


def _is_whole(order: Order) -> bool:
    numbers = (order.quantity, order.limit_price, order.time)
    return all(type(number) is int and abs(number) < LARGEST for number in numbers) and order.quantity != 0 and order.limit_price > 0


def _recent(state: RiskState, limits: RiskLimits, now: int) -> int:
    return sum(time > now - limits.order_window for time in state.accepted_times)


def _price_denial(state: RiskState, order: Order, limits: RiskLimits, now: int) -> Denial | None:
    if has_old_price(state, order.symbol, limits, now):
        return Denial.STALE_PRICE
    price = state.prices[order.symbol].price
    collar = price * limits.collar_basis_points // 10_000
    beyond = order.limit_price - price if order.quantity > 0 else price - order.limit_price
    return Denial.PRICE_COLLAR if beyond > collar else None


def _size_denial(state: RiskState, order: Order, limits: RiskLimits, now: int) -> Denial | None:
    """The limits of what makes a position larger, each at the worst price that the order accepts."""
    equity = state.equity()
    if equity is None or any(has_old_price(state, symbol, limits, now) for symbol in state.portfolio.held):
        return Denial.STALE_PRICE
    price = max(order.limit_price, state.prices[order.symbol].price)
    sign = 1 if order.quantity > 0 else -1
    held, waiting = state.portfolio.holding(order.symbol).quantity, state.waiting(order.symbol, sign)
    worst = max(abs(held + waiting + order.quantity), abs(held))
    others = sum(_exposure(state, symbol) for symbol in _symbols(state) if symbol != order.symbol)
    in_symbol = max(worst, abs(held + state.waiting(order.symbol, -sign))) * price
    checks = (
        (Denial.ORDER_NOTIONAL, abs(order.quantity) * price > limits.order_notional),
        (Denial.POSITION, worst > limits.position),
        (Denial.GROSS_NOTIONAL, others + in_symbol > limits.gross_notional),
        (Denial.CONCENTRATION, 100 * in_symbol > limits.concentration_percent * equity),
    )
    return next((denial for denial, reached in checks if reached), None)


def _symbols(state: RiskState) -> list[str]:
    return sorted({*state.portfolio.holdings, *(order.symbol for order in state.open_orders.values())})


def _exposure(state: RiskState, symbol: str) -> int:
    held = state.portfolio.holding(symbol).quantity
    worst = max(abs(held + state.waiting(symbol, 1)), abs(held + state.waiting(symbol, -1)), abs(held))
    return worst * state.prices[symbol].price if symbol in state.prices else 0
