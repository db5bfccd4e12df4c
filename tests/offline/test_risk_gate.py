"""No stream of orders, prices and fills gets past a limit, and nothing that was denied leaves a trace."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.trading.gate import (
    Order,
    RiskState,
    accept,
    cancelled,
    filled,
    heard,
    increasing_orders,
    priced,
    reduces,
    resumed,
    review,
    started,
)  # fmt: skip
from jobs.trading.limits import SECOND, Denial, RiskLimits, check_limits
from jobs.trading.money import PRICE_SCALE, SIZE_SCALE, money, units
from jobs.trading.portfolio import Fill, Portfolio, opened, take
from udfs.errors import InvalidSettings
from udfs.records import TradingState

LIMITS = RiskLimits(
    order_notional=money(3_000),
    position=50 * SIZE_SCALE,
    gross_notional=money(8_000),
    concentration_percent=40,
    orders=3,
    open_orders=4,
    daily_loss=money(400),
    drawdown=money(600),
)
SYMBOLS = ("A", "B", "C")
PAID_IN = money(10_000)
START = 10**18

numbers = st.one_of(
    st.integers(-60, 60).map(lambda size: size * SIZE_SCALE),
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, math.nan, math.inf, -math.inf, 1.5, True]),
)
limit_prices = st.one_of(st.integers(85, 115).map(lambda price: price * PRICE_SCALE), st.sampled_from([0, -1, math.nan, math.inf, 2**70]))
asks = st.tuples(st.just("order"), st.sampled_from(SYMBOLS), numbers, limit_prices, st.sampled_from(TradingState))
moves = st.tuples(st.just("price"), st.sampled_from(SYMBOLS), st.one_of(st.floats(90, 110), st.floats()), st.integers(0, 4 * SECOND))
fills = st.tuples(st.just("fill"), st.integers(0, 5), st.floats(0.01, 1.0), st.integers(0, 200))
cancels = st.tuples(st.just("cancel"), st.integers(0, 5))
sound_asks = st.tuples(
    st.just("order"),
    st.sampled_from(SYMBOLS),
    st.integers(-25, 25).map(lambda size: size * SIZE_SCALE),
    st.sampled_from([99 * PRICE_SCALE, 100 * PRICE_SCALE, 101 * PRICE_SCALE]),
    st.sampled_from(TradingState),
)
sound_streams = st.lists(st.one_of(sound_asks, sound_asks, asks, fills), max_size=40)
streams = st.lists(st.one_of(asks, sound_asks, sound_asks, moves, moves, fills, fills, cancels), max_size=60)


def worst(state: RiskState, symbol: str) -> int:
    """The largest position that can come of what is held and open."""
    held = state.portfolio.holding(symbol).quantity
    return max(abs(held + state.waiting(symbol, 1)), abs(held + state.waiting(symbol, -1)), abs(held))


def check_after_acceptance(before: RiskState, state: RiskState, order: Order, allowed: TradingState, now: int) -> None:
    """What must hold of every order that got out."""
    assert allowed is not TradingState.HALTED
    assert all(type(number) is int for number in (order.quantity, order.limit_price))
    assert now - state.prices[order.symbol].time <= LIMITS.price_age
    assert len(state.open_orders) <= LIMITS.open_orders
    assert sum(time > now - LIMITS.order_window for time in state.accepted_times) <= LIMITS.orders
    assert worst(state, order.symbol) <= LIMITS.position
    price = state.prices[order.symbol].price
    assert abs(order.limit_price - price) * 10_000 <= price * LIMITS.collar_basis_points or (order.limit_price < price) == (
        order.quantity > 0
    )
    if reduces(before, order):
        return
    assert allowed is TradingState.ACTIVE
    assert state.latched is None
    assert abs(order.quantity) * order.limit_price <= LIMITS.order_notional
    assert worst(state, order.symbol) * price * 100 <= LIMITS.concentration_percent * (state.equity() or 0)
    assert sum(worst(state, symbol) * state.prices[symbol].price for symbol in SYMBOLS if symbol in state.prices) <= LIMITS.gross_notional


@given(streams)
@settings(max_examples=200, deadline=None)
def test_no_stream_of_orders_gets_past_a_limit(stream: list[tuple[Any, ...]]) -> None:
    """Law, at every step: limits hold with everything that is open filled; denied orders change nothing; money is conserved."""
    state, now = started(opened(PAID_IN)), START
    for symbol in SYMBOLS:
        state = priced(state, symbol, 100 * PRICE_SCALE, now, LIMITS)
    for number, (what, *details) in enumerate(stream):
        if what == "order":
            symbol, quantity, limit_price, allowed = details
            order = Order(str(number), symbol, quantity, limit_price, now)
            frozen = repr(state)
            denial = review(state, order, LIMITS, allowed, now)
            assert repr(state) == frozen
            if denial is None:
                before, state = state, accept(state, order, LIMITS, now)
                check_after_acceptance(before, state, order, allowed, now)
        elif what == "price":
            symbol, price, step = details
            now += step
            before = state
            state = priced(state, symbol, units(price), now, LIMITS)
            assert state.prices[symbol].price > 0
            assert math.isfinite(price) or state == before
        elif state.open_orders:
            chosen = list(state.open_orders.values())[details[0] % len(state.open_orders)]
            if what == "cancel":
                state = cancelled(state, chosen.order_id)
            else:
                part = math.ceil(abs(chosen.quantity) * details[1])
                sign = 1 if chosen.quantity > 0 else -1
                state = filled(
                    state, Fill(chosen.order_id, chosen.symbol, sign * min(part, abs(chosen.quantity)), chosen.limit_price, details[2], now)
                )
        assert state.portfolio.imbalance == 0
        assert all(abs(holding.quantity) <= LIMITS.position for holding in state.portfolio.holdings.values())


@given(sound_streams, st.sampled_from([TradingState.REDUCING, TradingState.HALTED]))
@settings(max_examples=100, deadline=None)
def test_reduce_only_never_makes_a_position_larger(stream: list[tuple[Any, ...]], allowed: TradingState) -> None:
    """Law: whatever fills afterwards, in whatever order; a halt lets nothing move at all."""
    state, now = started(opened(PAID_IN)), START
    for symbol, quantity in zip(SYMBOLS, (20, -15, 0)):
        state = priced(state, symbol, 100 * PRICE_SCALE, now, LIMITS)
        if quantity:
            state = replace(state, portfolio=take(state.portfolio, Fill("0", symbol, quantity * SIZE_SCALE, 100 * PRICE_SCALE, 0, now)))
    held = {symbol: state.portfolio.holding(symbol).quantity for symbol in SYMBOLS}
    for number, (what, *details) in enumerate(stream):
        now += SECOND // 2
        if what == "order":
            symbol, quantity, limit_price, _ = details
            order = Order(str(number), symbol, quantity, limit_price, now)
            state = priced(state, order.symbol, 100 * PRICE_SCALE, now, LIMITS)
            if review(state, order, LIMITS, allowed, now) is None:
                state = accept(state, order, LIMITS, now)
        elif what == "fill" and state.open_orders:
            chosen = list(state.open_orders.values())[details[0] % len(state.open_orders)]
            part = chosen.quantity if details[2] % 2 else chosen.quantity // 2 or chosen.quantity
            state = filled(state, Fill(chosen.order_id, chosen.symbol, part, 100 * PRICE_SCALE, 0, now))
        for symbol in SYMBOLS:
            after = state.portfolio.holding(symbol).quantity
            assert abs(after) <= abs(held[symbol])
            assert after * held[symbol] >= 0
            assert allowed is TradingState.REDUCING or after == held[symbol]
            held[symbol] = after
    assert not increasing_orders(state)


DENIALS: dict[str, tuple[dict[str, object], TradingState, Denial]] = {
    "halted": ({}, TradingState.HALTED, Denial.HALTED),
    "reduce only": ({}, TradingState.REDUCING, Denial.REDUCE_ONLY),
    "not a number": ({"quantity": math.nan}, TradingState.ACTIVE, Denial.NOT_A_NUMBER),
    "nothing": ({"quantity": 0}, TradingState.ACTIVE, Denial.NOT_A_NUMBER),
    "no price": ({"symbol": "Z"}, TradingState.ACTIVE, Denial.STALE_PRICE),
    "collar of a buy": ({"limit_price": 102 * PRICE_SCALE}, TradingState.ACTIVE, Denial.PRICE_COLLAR),
    "collar of a sale": ({"quantity": -SIZE_SCALE, "limit_price": 98 * PRICE_SCALE}, TradingState.ACTIVE, Denial.PRICE_COLLAR),
    "order notional": ({"quantity": 31 * SIZE_SCALE}, TradingState.ACTIVE, Denial.ORDER_NOTIONAL),
    "duplicate": ({"order_id": "open"}, TradingState.ACTIVE, Denial.DUPLICATE),
}


def ready() -> RiskState:
    state = started(opened(PAID_IN))
    for symbol in SYMBOLS:
        state = priced(state, symbol, 100 * PRICE_SCALE, START, LIMITS)
    return replace(state, open_orders={"open": order(order_id="open")})


def order(**changes: object) -> Order:
    return replace(Order("1", "A", SIZE_SCALE, 100 * PRICE_SCALE, START), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", DENIALS)
def test_each_reason_is_given(name: str) -> None:
    changes, allowed, denial = DENIALS[name]
    assert review(ready(), order(**changes), LIMITS, allowed, START) is denial


@pytest.mark.parametrize(
    ("change", "denial"),
    [
        ({"position": 10 * SIZE_SCALE}, Denial.POSITION),
        ({"gross_notional": money(1_000)}, Denial.GROSS_NOTIONAL),
        ({"concentration_percent": 20}, Denial.CONCENTRATION),
        ({"open_orders": 1}, Denial.TOO_MANY_OPEN),
    ],
)
def test_each_limit_of_size_has_its_reason(change: dict[str, int], denial: Denial) -> None:
    """The same order is let through by the limits that are wider."""
    large = order(quantity=25 * SIZE_SCALE)
    assert review(ready(), large, LIMITS, TradingState.ACTIVE, START) is None
    assert review(ready(), large, replace(LIMITS, **change), TradingState.ACTIVE, START) is denial


def test_rate_stale_price_and_losses() -> None:
    state = replace(ready(), accepted_times=(START - 10, START - 5, START - 1))
    assert review(state, order(), LIMITS, TradingState.ACTIVE, START) is Denial.ORDER_RATE
    assert review(state, order(), LIMITS, TradingState.ACTIVE, START + SECOND) is None
    for clock, now in ((START + LIMITS.price_age + 1, START), (START, START + LIMITS.silence + 1)):
        assert review(heard(ready(), "A", clock), order(), LIMITS, TradingState.ACTIVE, now) is Denial.STALE_PRICE
    assert review(heard(ready(), "A", START), order(), LIMITS, TradingState.ACTIVE, START + LIMITS.silence) is None
    held = replace(ready(), portfolio=take(opened(PAID_IN), Fill("0", "A", 40 * SIZE_SCALE, 100 * PRICE_SCALE, 0, START)))
    for step, price in enumerate((100, 89, 89), 1):
        held = priced(held, "A", price * PRICE_SCALE, START + step, LIMITS)
    assert review(held, order(limit_price=89 * PRICE_SCALE), LIMITS, TradingState.ACTIVE, START + 3) is Denial.DAILY_LOSS
    assert held.latched is None
    held = priced(held, "A", 89 * PRICE_SCALE, START + 4, LIMITS)
    assert held.latched is Denial.DAILY_LOSS
    assert resumed(held, START + 5).latched is None
    slow = replace(held, latched=None, equities=())
    for step in range(5, 9):
        slow = priced(slow, "A", 84 * PRICE_SCALE, START + step, LIMITS)
    assert slow.latched is Denial.DRAWDOWN


@pytest.mark.parametrize("sign", [1, -1])
def test_prices_of_other_symbols_confirm_no_loss_and_no_high(sign: int) -> None:
    """One bad price of A, however many come of B: nothing latches, and nothing is a high; nothing new is opened until A has another."""
    held = opened(PAID_IN)
    for symbol in ("A", "B"):
        held = take(held, Fill("0", symbol, 30 * SIZE_SCALE, 100 * PRICE_SCALE, 0, START))
    state = replace(started(held), equities=((START, PAID_IN),))
    prices = [("A", 100), ("B", 100)] * 3 + [("A", 100 - sign * 20)] + [("B", 100)] * 5
    for step, (symbol, price) in enumerate(prices):
        state = priced(state, symbol, price * PRICE_SCALE, START + step * SECOND, LIMITS)
    assert (state.latched, state.highest_equity) == (None, PAID_IN)
    assert state.suspected is (Denial.DAILY_LOSS if sign > 0 else None)
    for step in range(2):
        state = priced(state, "A", (100 - sign * 20) * PRICE_SCALE, START + (20 + step) * SECOND, LIMITS)
    assert state.latched is (Denial.DAILY_LOSS if sign > 0 else None)
    assert state.highest_equity == (PAID_IN if sign > 0 else PAID_IN + money(600))


@given(st.lists(st.integers(1, 120), min_size=3, max_size=30), st.data())
@settings(max_examples=100, deadline=None)
def test_what_lasts_for_too_few_prices_is_no_high(seconds: list[int], data: st.DataObject) -> None:
    """Law: of a steady price and one or two bad ticks upwards nothing is left, wherever they come; a third makes them a high."""
    place = data.draw(st.integers(3, len(seconds)))
    bad = data.draw(st.integers(1, 3))
    state = replace(started(opened(PAID_IN)), portfolio=take(opened(PAID_IN), Fill("0", "A", 40 * SIZE_SCALE, 100 * PRICE_SCALE, 0, START)))
    now = START
    for step, price in zip([*seconds, 1, 1, 1, 1, 1, 1, 1], [100] * place + [120] * bad + [100] * len(seconds)):
        now += step * SECOND
        state = priced(state, "A", price * PRICE_SCALE, now, LIMITS)
        assert state.latched is None or bad == 3
        assert resumed(state, now).highest_equity <= (PAID_IN if bad < 3 else PAID_IN + money(800))
    assert state.highest_equity == (PAID_IN if bad < 3 else PAID_IN + money(800))
    assert all(equity == PAID_IN for _, equity in state.equities) or bad == 3
    assert (state.latched is not None) == (bad == 3)


@given(st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 10**12), st.integers(0, 10**6)), max_size=40))
def test_money_is_conserved_to_the_last_unit(trades: list[tuple[int, int, int]]) -> None:
    """Law: cash + cost of what is held = paid in + realised - fees; equity at the last price is cash + worth."""
    portfolio: Portfolio = opened(PAID_IN)
    cash = PAID_IN
    for quantity, price, fee in trades:
        portfolio = take(portfolio, Fill("0", "A", quantity, price, fee, 0))
        cash -= quantity * price + fee
        assert portfolio.cash == cash
        assert portfolio.imbalance == 0
        holding = portfolio.holding("A")
        assert holding.quantity != 0 or holding.cost == 0
        assert holding.quantity * holding.cost >= 0
        assert portfolio.equity({"A": price}) == cash + holding.quantity * price
    assert portfolio.holding("A").quantity == sum(quantity for quantity, _, _ in trades)


def test_a_round_trip_makes_the_difference_less_fees() -> None:
    portfolio = take(opened(0), Fill("0", "A", 3, 100, 2, 0))
    portfolio = take(portfolio, Fill("0", "A", -5, 110, 2, 0))
    holding = portfolio.holding("A")
    assert (holding.quantity, holding.cost, holding.realised, portfolio.fees, portfolio.cash) == (-2, -220, 30, 4, 246)


def test_limits_must_be_above_nothing() -> None:
    check_limits(RiskLimits())
    names = [found.name for found in fields(RiskLimits)]
    with pytest.raises(InvalidSettings) as raised:
        check_limits(RiskLimits(**dict.fromkeys(names, 0)))
    assert all(name in str(raised.value) for name in names)
    with pytest.raises(InvalidSettings, match="daily_loss is nan"):
        check_limits(replace(LIMITS, daily_loss=math.nan))  # type: ignore[arg-type]
