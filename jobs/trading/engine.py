"""Paper trading as one object: market rows, signals and control in; orders, fills, denials, cancellations out. Knows no clock, no Kafka.

A signal that is `ok` wants a position of one stated size, long or short, or none where it is neutral. What it lacks is ordered, within a
collar around the price. What people and breakers allow decides what gets out: `reducing` only closes, `halted` sends nothing at all,
closing orders included, and cancels what is open. A position is closed at the end of the horizon of the newest signal that wanted it.

Each symbol has a clock, the greatest event time of its own rows and signals: orders are timed, filled and expire by it, and prices and
signals grow old by it. The time of the whole log only tells that a symbol fell silent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from jobs.trading.broker import FillModel, MarketRow, execute, has_expired
from jobs.trading.gate import (
    Order,
    RiskState,
    accept,
    cancelled,
    filled,
    heard,
    increasing_orders,
    is_silent,
    priced,
    prolonged,
    resumed,
    review,
    started,
)  # fmt: skip
from jobs.trading.limits import Denial, RiskLimits
from jobs.trading.money import SIZE_SCALE, amount, money, units
from jobs.trading.portfolio import Fill, opened
from udfs.operators.control_state import ControlSnapshot
from udfs.records import Signal, SignalCode, SignalStatus, TradingState

Note = Callable[[str, str, dict[str, Any]], None]
"""Takes what happened, why, and its details: (kind, why, what)."""
_STOPPED_BY_VENUE: Final = (SignalCode.TRADING_HALTED, SignalCode.HALTED_BY_CONTROL)
_BASIS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Strategy:
    """What a signal is worth."""

    money_per_position: int = money(10_000)
    paid_in: int = money(100_000)
    collar_basis_points: int = 20
    """How far beyond the price an order may trade."""


@dataclass(slots=True)
class Counts:
    """What happened."""

    signals: int = 0
    orders: int = 0
    fills: int = 0
    denials: int = 0
    cancellations: int = 0


class PaperTrader:
    """Trades on paper. One thread uses it."""

    def __init__(self, limits: RiskLimits, model: FillModel, strategy: Strategy, note: Note) -> None:
        self._limits, self._model, self._strategy, self._note = limits, model, strategy, note
        self.state: RiskState = started(opened(strategy.paid_in))
        self.counts = Counts()
        self.denied: dict[str, int] = {}
        self._control = ControlSnapshot()
        self._venue: dict[str, TradingState] = {}
        self._paused: set[str] = set()
        """Symbols whose newest row says that trading is halted."""
        self._told: dict[str, Denial] = {}
        self.now = 0
        """Greatest event time of all symbols, nanoseconds."""

    def on_control(self, snapshot: ControlSnapshot, resumes: bool = False) -> None:
        """People changed what is allowed: what is no longer allowed is cancelled before anything else happens.

        `resumes` says that a person let everything go again, which also lifts a loss limit that was reached.
        """
        self._control = snapshot
        if resumes and self.state.latched is not None:
            limit, known = self.state.latched.name.lower(), self.state.equity() is not None
            self.state = resumed(self.state, self.now)
            what = {"limit": limit, "time": self.now, "equity": self.state.highest_equity if known else None}
            self._note("loss_limit_lifted", "a person resumed everything", what)
        self._cancel_what_is_not_allowed()

    def on_row(self, row: MarketRow) -> None:
        """The market moved: orders trade or expire, positions are priced."""
        self._hear(row.symbol, row.time)
        (self._paused.add if row.halted else self._paused.discard)(row.symbol)
        self._cancel_what_is_not_allowed(row.symbol)
        latched, mark = self.state.latched, self.state.equities[-1:]
        self.state = priced(self.state, row.symbol, units(row.mid), row.time, self._limits)
        if self.state.equities[-1:] != mark:
            self._note_mark("a minute passed")
        if self.state.latched is not latched and self.state.latched is not None:
            self._note("loss_limit", self.state.latched.name.lower(), {"equity": self._equity()})
            self._cancel_what_is_not_allowed()
        for order in list(self.state.open_orders.values()):
            self._trade(order, row)
        self._close_at_horizon(row)

    def on_signal(self, signal: Signal) -> Denial | None:
        """A signal: the order that it leads to, if any, is reviewed and sent; why it was denied."""
        self._hear(signal.symbol, signal.event_time)
        self.counts.signals += 1
        self._venue[signal.symbol] = _state_of(signal)
        self._cancel_what_is_not_allowed(signal.symbol)
        if signal.status is SignalStatus.OK and signal.direction * self.state.portfolio.holding(signal.symbol).quantity > 0:
            self.state = prolonged(self.state, signal.symbol, signal.event_time + signal.horizon)
        order = self.order_of(signal)
        return None if order is None else self.submit(order, "signal")

    def close_down(self) -> None:
        """Cancel everything that is open: nobody watches it any more."""
        for order in list(self.state.open_orders.values()):
            self._cancel(order, "the program ends")
        if self.state.equities:
            self._note_mark("the program ends")

    def submit(self, order: Order, why: str = "asked for") -> Denial | None:
        """Review an order and send it, or deny it; why it was denied. Of denials in a row of a symbol for one reason the first is noted."""
        denial = review(self.state, order, self._limits, self.allowed(order.symbol), self.now)
        if denial is not None:
            self.counts.denials += 1
            self.denied[denial.name.lower()] = self.denied.get(denial.name.lower(), 0) + 1
            if self._told.get(order.symbol) is not denial:
                self._told[order.symbol] = denial
                self._note("order_denied", denial.name.lower(), asdict(order))
            return denial
        self._told.pop(order.symbol, None)
        self.state = accept(self.state, order, self._limits, self.now)
        self.counts.orders += 1
        self._note("order_sent", why, asdict(order))
        return None

    def allowed(self, symbol: str) -> TradingState:
        """The strictest of what people, the venue by rows and by signals, the breakers and the loss limits allow."""
        if symbol in self._paused:
            return TradingState.HALTED
        latch = TradingState.REDUCING if self.state.latched is not None else TradingState.ACTIVE
        return max(self._control.trading_state(symbol), self._venue.get(symbol, TradingState.ACTIVE), latch)

    def order_of(self, signal: Signal) -> Order | None:
        """What a signal lacks to the position that it wants; None for nothing."""
        price, target = units(signal.price), self._target(signal)
        if price is None or target is None:
            return None
        held = self.state.portfolio.holding(signal.symbol).quantity
        quantity = target - held - self.state.waiting(signal.symbol, 1) - self.state.waiting(signal.symbol, -1)
        if not quantity:
            return None
        if held * quantity < 0 and abs(quantity) > abs(held):
            quantity = -held  # first close, then open the other side with the next signal
        limit_price, now = self._within_collar(price, quantity), self.state.clocks[signal.symbol]
        until = None if held else signal.event_time + signal.horizon
        return Order(signal.signal_id, signal.symbol, quantity, limit_price, now, signal.signal_id, signal.event_time, until)

    def _within_collar(self, price: int, quantity: int) -> int:
        """The worst price at which an order may trade."""
        collar = price * self._strategy.collar_basis_points // _BASIS
        return price + collar if quantity > 0 else price - collar

    def _close_at_horizon(self, row: MarketRow) -> None:
        """What is held longer than the signal that wanted it predicts is a bet that nobody made. It is asked for until it is done."""
        symbol, price, now = row.symbol, units(row.mid), self.state.clocks[row.symbol]
        held, until = self.state.portfolio.holding(symbol).quantity, self.state.until.get(symbol, now + 1)
        is_waiting = self.state.waiting(symbol, 1) or self.state.waiting(symbol, -1)
        if not held or is_waiting or price is None or now < until or self.allowed(symbol) is TradingState.HALTED:
            return
        self.submit(Order(f"{symbol}-horizon-{now}", symbol, -held, self._within_collar(price, -held), now), "the horizon ends")

    def _hear(self, symbol: str, time: int) -> None:
        self.now = max(self.now, time)
        self.state = heard(self.state, symbol, time)

    def _target(self, signal: Signal) -> int | None:
        """The position that a signal wants; None when it wants nothing to change."""
        price = units(signal.price)
        if price is None or self.state.waiting(signal.symbol, 1) or self.state.waiting(signal.symbol, -1):
            return None
        held = self.state.portfolio.holding(signal.symbol).quantity
        size = self._strategy.money_per_position // price // (SIZE_SCALE // 100) * (SIZE_SCALE // 100)
        wanted = int(signal.direction) * size
        if signal.status is SignalStatus.OK:
            return held if held * wanted > 0 else wanted
        if signal.status is SignalStatus.REDUCING or signal.code is SignalCode.FLASH_CRASH:
            return held if held * wanted > 0 else 0
        return None

    def _trade(self, order: Order, row: MarketRow) -> None:
        if has_expired(order, self.state.clocks.get(order.symbol, self.now), self._model):
            self._cancel(order, "expired")
        elif is_silent(self.state, order.symbol, self._limits, self.now):
            self._cancel(order, "nothing comes of the symbol")
        elif self.allowed(order.symbol) is not TradingState.HALTED and (fill := execute(order, row, self._model)) is not None:
            self._fill(fill)

    def _fill(self, fill: Fill) -> None:
        self.state = filled(self.state, fill)
        self.counts.fills += 1
        self._note("order_filled", "the market", {**asdict(fill), "equity": self._equity()})

    def _cancel_what_is_not_allowed(self, symbol: str = "") -> None:
        if not self.state.open_orders:
            return
        increasing = set(increasing_orders(self.state))
        for order_id, order in list(self.state.open_orders.items()):
            allowed = self.allowed(order.symbol)
            if symbol not in ("", order.symbol) or allowed is TradingState.ACTIVE:
                continue
            if allowed is TradingState.HALTED or order_id in increasing:
                self._cancel(order, allowed.name.lower())

    def _cancel(self, order: Order, why: str) -> None:
        self.state = cancelled(self.state, order.order_id)
        self.counts.cancellations += 1
        self._note("order_cancelled", why, {"order_id": order.order_id, "symbol": order.symbol, "quantity": order.quantity})

    def _note_mark(self, why: str) -> None:
        time, equity = self.state.equities[-1]
        self._note("equity_mark", why, {"time": time, "equity": equity, "highest_equity": self.state.highest_equity})

    def _equity(self) -> float | None:
        equity = self.state.equity()
        return None if equity is None else amount(equity)


def _state_of(signal: Signal) -> TradingState:
    """What the venue, the breakers and the control version of a signal allow."""
    if signal.code in _STOPPED_BY_VENUE:
        return TradingState.HALTED
    reducing = signal.status is SignalStatus.REDUCING or signal.code is SignalCode.FLASH_CRASH
    return TradingState.REDUCING if reducing else TradingState.ACTIVE
