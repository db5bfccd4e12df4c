"""The unit-root test errs as often as it says, and the recommended order is the smallest that makes a series stand still."""

from __future__ import annotations

import json

import numpy as np
import pytest

from jobs.training.dataset import Dataset
from jobs.training.fractional_order import ORDERS, differenced, minute_logs, recommend_order, unit_root_statistic
from tests.support.feature_rows import SECOND, START
from udfs.kernels.kernel_settings import FRACTIONAL_MINUTES, fractional_weights

MINUTE = 60 * SECOND


def walk(generator: np.random.Generator, length: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.cumsum(generator.normal(size=length))


def rejections(series: list[np.ndarray[tuple[int], np.dtype[np.float64]]]) -> int:
    tests = [unit_root_statistic(one) for one in series]
    return sum(statistic < critical for statistic, critical in tests)


def test_a_random_walk_is_taken_for_still_one_time_in_twenty() -> None:
    """Law: the share of false rejections is the test's 5 % (400 walks: 20, give or take 3 deviations of 4.4)."""
    generator = np.random.default_rng(1)
    assert 7 <= rejections([walk(generator, 500) for _ in range(400)]) <= 33


def test_a_series_that_comes_back_is_found() -> None:
    generator = np.random.default_rng(2)
    series = []
    for _ in range(50):
        level, levels = 0.0, np.empty(800)
        for step in range(800):
            level = 0.9 * level + generator.normal()
            levels[step] = level
        series.append(levels)
    assert rejections(series) == 50


def test_the_statistic_is_the_t_value_of_the_regression() -> None:
    """Against the textbook formula with one regressor and a constant."""
    series = walk(np.random.default_rng(3), 300)
    before, change = series[:-1], np.diff(series)
    centred = before - before.mean()
    slope = centred @ change / (centred @ centred)
    left = change - change.mean() - slope * centred
    expected = slope / np.sqrt(left @ left / (len(change) - 2) / (centred @ centred))
    assert unit_root_statistic(series, 0)[0] == pytest.approx(expected, rel=1e-9)
    assert unit_root_statistic(series, 0)[1] == pytest.approx(-2.87, abs=0.005)


def test_a_series_that_never_moves_says_nothing() -> None:
    assert np.isnan(unit_root_statistic(np.ones(300))).all()


def test_the_difference_is_the_kernels() -> None:
    """Newest price times the newest weight, and so on back; order 0 keeps the series, order 1 is its return."""
    logs = walk(np.random.default_rng(4), 100)
    found = differenced(logs, 0.4)
    weights = fractional_weights(0.4)
    assert found.shape == (100 - FRACTIONAL_MINUTES + 1,)
    assert found[-1] == pytest.approx(sum(weights[k] * logs[-1 - k] for k in range(FRACTIONAL_MINUTES)), abs=1e-12)
    assert differenced(logs, 0.0) == pytest.approx(logs[FRACTIONAL_MINUTES - 1 :])
    assert differenced(logs, 1.0) == pytest.approx(np.diff(logs)[FRACTIONAL_MINUTES - 2 :])


def dataset_of(logs: list[np.ndarray[tuple[int], np.dtype[np.float64]]]) -> Dataset:
    """Two rows a minute for each symbol; the second one counts."""
    symbol, time, price = [], [], []
    for code, series in enumerate(logs):
        for minute, value in enumerate(series):
            symbol += [code, code]
            time += [START // MINUTE * MINUTE + minute * MINUTE + second * SECOND for second in (5, 50)]
            price += [1.0, float(np.exp(value))]
    rows = len(symbol)
    names = tuple(f"S{code}" for code in range(len(logs)))
    values = np.zeros((rows, 1), np.float32)
    return Dataset(names, np.array(symbol, np.int32), np.array(time), np.arange(rows), np.array(price), values, ("x",), "set")


def test_walks_need_some_differencing_and_less_than_a_return() -> None:
    generator = np.random.default_rng(5)
    walks = [4 + 1e-3 * walk(generator, 1500) for _ in range(6)]
    found = recommend_order(dataset_of(walks), 2**62)
    tried = {one["order"]: one for one in found["tried"]}
    assert 0 < found["recommended"] < 1
    assert tried[0.0]["passing_share"] < 0.9 <= tried[found["recommended"]]["passing_share"]
    assert all(tried[order]["passing_share"] < 0.9 for order in ORDERS if order < found["recommended"])
    assert tried[found["recommended"]]["median_correlation_with_log_price"] > tried[1.0]["median_correlation_with_log_price"] + 0.2
    json.dumps(found)


def test_what_stands_still_needs_none() -> None:
    generator = np.random.default_rng(6)
    found = recommend_order(dataset_of([4 + 1e-3 * generator.normal(size=600) for _ in range(3)]), 2**62)
    assert found["recommended"] == 0.0


def test_what_comes_after_the_training_rows_is_not_looked_at() -> None:
    generator = np.random.default_rng(7)
    series = 4 + 1e-3 * walk(generator, 900)
    until = START // MINUTE * MINUTE + 500 * MINUTE
    one, other = (recommend_order(dataset_of([values]), until) for values in (series, np.append(series[:501], np.zeros(300))))
    assert one == other
    assert minute_logs(dataset_of([series]), 0, until) == pytest.approx(series[:500], abs=1e-9)


def test_too_few_minutes_recommend_nothing() -> None:
    found = recommend_order(dataset_of([np.zeros(100)]), 2**62)
    assert found == {"recommended": None, "symbols": 0, "tried": []}
