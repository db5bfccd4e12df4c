from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.lake.flink_session import FlinkSession
from jobs.lake.sql_files import statements
from jobs.lake.sql_session import SQL_FOLDER
from tests.sql import sample_lake
from tests.sql.obvious_indicators import exponential_mean, relative_strength
from udfs import table_functions
from udfs.kernels.feature_vector import FEATURE_NAMES

REGISTERED = dict(re.findall(r"EXISTS (\w+) AS 'udfs\.table_functions\.(\w+)'", (SQL_FOLDER / "functions.sql").read_text(encoding="utf-8")))
PRICES = st.lists(st.floats(1, 1e6), min_size=1, max_size=60)


def plain(name: str) -> Callable[..., Any]:
    """What a SQL function calls."""
    function: Callable[..., Any] = getattr(table_functions, name)._func
    return function


def test_every_function_is_registered_under_its_own_name() -> None:
    defined = {name for name, value in vars(table_functions).items() if hasattr(value, "_func")}
    assert set(REGISTERED.values()) == defined
    assert all(sql_name == name.upper() for sql_name, name in REGISTERED.items())


@pytest.mark.parametrize("name", sorted(REGISTERED.values()))
def test_null_in_gives_null_out(name: str) -> None:
    function = plain(name)
    arguments = inspect.signature(function).parameters
    assert function(*[None] * len(arguments)) is None


@given(PRICES, st.integers(2, 20))
@settings(deadline=None)  # the first call compiles
def test_indicators_are_those_of_the_obvious_loops(closes: list[float], period: int) -> None:
    for name, expected in (("rsi", relative_strength(closes, period)), ("ema", exponential_mean(closes, period))):
        assert plain(name)(closes, period) == (None if expected is None else pytest.approx(expected, rel=1e-6, abs=1e-6))
    assert plain("sma")(closes, period) == (pytest.approx(np.mean(closes[-period:])) if len(closes) >= period else None)


@given(PRICES)
def test_realised_volatility_is_the_root_of_the_sum_of_squared_returns(closes: list[float]) -> None:
    expected = math.sqrt(sum(math.log(after / before) ** 2 for before, after in pairwise(closes)))
    assert plain("realised_volatility")(closes) == (pytest.approx(expected) if len(closes) > 1 else None)


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_imbalance_lies_between_its_bounds_and_changes_sign_with_the_sides(bid_size: float, ask_size: float) -> None:
    found = plain("imbalance")(bid_size, ask_size)
    if bid_size + ask_size == 0:
        assert found is None
    else:
        assert -1 <= found <= 1
        assert plain("imbalance")(ask_size, bid_size) == -found


@given(st.floats(1, 1e6), st.floats(0, 1e3), st.floats(1, 1e6), st.floats(1, 1e6))
def test_microprice_lies_within_the_spread_and_nearer_the_side_with_less_size(
    bid: float, spread: float, bid_size: float, ask_size: float
) -> None:
    found = plain("microprice")(bid, bid_size, bid + spread, ask_size)
    assert bid * (1 - 1e-12) <= found <= (bid + spread) * (1 + 1e-12)
    if bid_size > 2 * ask_size and spread > bid * 1e-6:
        assert found > bid + spread / 2


@given(st.lists(st.tuples(st.integers(), st.floats(allow_nan=False)), max_size=20, unique_by=lambda pair: pair[0]))
def test_values_come_in_the_order_of_their_keys(pairs: list[tuple[int, float]]) -> None:
    small = [(key % 2**62, value) for key, value in pairs]
    keys, values = [key for key, _ in small], [value for _, value in small]
    assert plain("in_order")(keys, values) == [value for _, value in sorted(small, key=lambda pair: pair[0])]
    assert plain("in_order")([*keys, 1], values) is None


def test_a_feature_is_found_by_its_name() -> None:
    vector = sample_lake.feature_vector(1, "AAA")
    for place, name in enumerate(FEATURE_NAMES):
        assert plain("feature")(vector, name.upper()) == (None if math.isnan(vector[place]) else vector[place])
    with pytest.raises(ValueError, match="no feature 'nonsense'"):
        plain("feature")(vector, "nonsense")


def test_functions_work_in_sql_on_constants_on_groups_and_behind_each_other(flink: FlinkSession) -> None:
    (statement,) = statements(
        """
        SELECT symbol, RSI(IN_ORDER(ARRAY_AGG(start_time_ns), ARRAY_AGG(`close`)), 14), IMBALANCE(3e0, 1e0),
               MICROPRICE(10e0, 3e0, 11e0, CAST(NULL AS DOUBLE))
        FROM bars WHERE length_seconds = 60 GROUP BY symbol ORDER BY symbol
        """
    )
    rows = flink.run(statement, 10).rows
    closes = {
        symbol: [row["close"] for row in sample_lake.bars() if row["symbol"] == symbol and row["length_seconds"] == 60]
        for symbol, *_ in rows
    }
    assert [row[0] for row in rows] == sorted(sample_lake.SYMBOLS)
    for symbol, strength, imbalance, microprice in rows:
        assert strength == pytest.approx(relative_strength(closes[str(symbol)], 14))
        assert imbalance == 0.5
        assert microprice is None


def test_a_compiled_kernel_answers_on_values_too(flink: FlinkSession) -> None:
    """In a chain with a VALUES source it would wait for ever: see `jobs.lake.sql_session`."""
    (statement,) = statements("SELECT SMA(ARRAY[1e0, 2e0, 6e0], 2)")
    assert flink.run(statement, 10).rows == [(4.0,)]
