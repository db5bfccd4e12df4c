"""Fills on paper: never better than the stated model, never beyond the limit, never from numbers that are not there."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.trading.broker import FillModel, MarketRow, execute, has_expired
from jobs.trading.gate import Order
from jobs.trading.money import MONEY_SCALE, PRICE_SCALE, SIZE_SCALE, units

MODEL = FillModel(latency_nanoseconds=100, fee_basis_points=2.0, impact=1.0, participation=0.1, expires_nanoseconds=1000)
ROW = MarketRow("A", 200, 100.0, 0.02, 1000.0, 0.001)
ORDER = Order("1", "A", 40 * SIZE_SCALE, 101 * PRICE_SCALE, 100)


def test_the_price_is_mid_plus_half_spread_plus_square_root_impact() -> None:
    fill = execute(ORDER, ROW, MODEL)
    assert fill is not None
    assert fill.quantity == ORDER.quantity
    assert math.isclose(fill.price / PRICE_SCALE, 100.01 + 100.0 * 0.001 * math.sqrt(0.04), rel_tol=1e-12)
    assert fill.fee == math.ceil(fill.quantity * fill.price * 2 / 10_000)
    sale = execute(replace(ORDER, quantity=-ORDER.quantity, limit_price=99 * PRICE_SCALE), ROW, MODEL)
    assert sale is not None
    assert math.isclose(sale.price + fill.price, 200 * PRICE_SCALE, abs_tol=2)


def test_nothing_trades_before_the_latency_nor_elsewhere() -> None:
    assert execute(ORDER, replace(ROW, time=199), MODEL) is None
    assert execute(ORDER, replace(ROW, symbol="B"), MODEL) is None


def test_nothing_trades_while_the_venue_has_halted_trading() -> None:
    assert execute(ORDER, replace(ROW, halted=True), MODEL) is None


def test_a_row_lets_through_what_its_book_shows_or_a_share_of_a_minute() -> None:
    large = replace(ORDER, quantity=500 * SIZE_SCALE)
    by_volume, by_book = execute(large, ROW, MODEL), execute(large, replace(ROW, ask_size=7.0, bid_size=1.0), MODEL)
    assert by_volume is not None
    assert by_book is not None
    assert (by_volume.quantity, by_book.quantity) == (100 * SIZE_SCALE, 7 * SIZE_SCALE)
    assert execute(large, replace(ROW, ask_size=0.0), MODEL) is None


def test_an_order_waits_for_so_long() -> None:
    assert not has_expired(ORDER, 1100, MODEL)
    assert has_expired(ORDER, 1101, MODEL)


@pytest.mark.parametrize("name", ["mid", "spread", "volume_of_a_minute", "sigma_of_a_minute"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -1.0])
def test_a_number_that_is_not_there_trades_nothing(name: str, value: float) -> None:
    fill = execute(ORDER, replace(ROW, **{name: value}), MODEL)  # type: ignore[arg-type]
    assert fill is None or (name == "volume_of_a_minute" and value == math.inf)


anything = st.floats()


@example(-120_000, 1, replace(ROW, mid=1e300))
@example(120_000, 1, replace(ROW, mid=1e146, sigma_of_a_minute=1e155))
@given(
    st.integers(-(10**12), 10**12).filter(bool),
    st.integers(1, 10**13),
    st.builds(MarketRow, st.just("A"), st.just(500), anything, anything, anything, anything, anything, anything),
)
def test_whatever_the_row_a_fill_is_sound(quantity: int, limit_price: int, row: MarketRow) -> None:
    """Law: whole numbers, no more than was asked, on its side, never beyond the limit, never better than the mid price."""
    fill = execute(Order("1", "A", quantity, limit_price, 100), row, MODEL)
    if fill is None:
        return
    sign = 1 if quantity > 0 else -1
    assert all(type(number) is int for number in (fill.quantity, fill.price, fill.fee))
    assert 0 < fill.quantity * sign <= abs(quantity)
    assert (limit_price - fill.price) * sign >= 0
    assert (fill.price / PRICE_SCALE - row.mid) * sign >= -1e-9 * row.mid
    assert fill.fee >= 0
    assert fill.price > 0


@given(st.floats())
def test_no_price_that_is_no_price_becomes_a_number(value: float) -> None:
    whole = units(value)
    assert whole is None or (type(whole) is int and whole > 0 and math.isclose(whole / PRICE_SCALE, value, rel_tol=1e-6, abs_tol=1e-8))
    assert MONEY_SCALE == PRICE_SCALE * SIZE_SCALE
