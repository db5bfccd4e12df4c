"""Labels look forward by the horizon and no further than the tolerance; no part of a split knows another part's outcome."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.training.dataset import Dataset, NotEnoughData, from_batches, from_table
from jobs.training.labels import Labels, choose_band, classify, forward_returns
from jobs.training.splits import split_by_time
from tests.support.feature_rows import SECOND, lake_columns, planted_dataset
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET

gaps = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 3), st.sampled_from([np.nan, 0.0, 90.0, 100.0, 110.0])), min_size=1, max_size=40
)


def tiny(rows: list[tuple[int, int, float]]) -> Dataset:
    """Rows (symbol, seconds since the last row, price)."""
    symbol, gap, price = (np.array(column) for column in zip(*rows, strict=True))
    values = np.zeros((len(rows), 1), np.float32)
    return Dataset(("A", "B"), symbol.astype(np.int32), np.cumsum(gap) * SECOND, np.arange(len(rows)), price, values, ("x",), "set")


@given(gaps, st.integers(1, 6), st.integers(0, 4))
def test_returns_equal_the_slow_search(rows: list[tuple[int, int, float]], horizon: int, tolerance: int) -> None:
    """Law: the price used is that of the symbol's first usable row at or after the horizon, if it comes soon enough."""
    dataset = tiny(rows)
    labels = forward_returns(dataset, horizon * SECOND, tolerance * SECOND)
    expected = []
    for row in range(len(rows)):
        due = dataset.event_time[row] + horizon * SECOND
        later = [
            k
            for k in range(len(rows))
            if dataset.symbol[k] == dataset.symbol[row] and dataset.price[k] > 0 and dataset.event_time[k] >= due
        ]
        if dataset.price[row] > 0 and later and dataset.event_time[later[0]] <= due + tolerance * SECOND:
            expected.append((row, int(dataset.event_time[later[0]]), np.log(dataset.price[later[0]]) - np.log(dataset.price[row])))
    assert list(zip(labels.rows.tolist(), labels.end.tolist(), labels.log_return.tolist(), strict=True)) == expected


def test_a_gap_gives_no_label() -> None:
    dataset = tiny([(0, 0, 100.0), (0, 5, 101.0), (0, 60, 102.0)])
    assert forward_returns(dataset, 5 * SECOND, SECOND).rows.tolist() == [0]


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(0, 20))
def test_no_part_knows_the_outcome_of_another(seed: int, longest: int, embargo: int) -> None:
    """Law: every outcome of a part is measured before the next part begins, an embargo apart, and nothing is shuffled."""
    generator = np.random.default_rng(seed)
    start = np.cumsum(generator.integers(0, 6, 1000))
    labels = Labels(np.arange(1000), start, start + generator.integers(1, longest + 1, 1000), np.zeros(1000), np.full(1000, np.nan))
    try:
        train, test = split_by_time(labels, embargo)
    except NotEnoughData:
        return
    assert labels.end[train].max() + embargo < labels.start[test].min() + (embargo == 0)
    assert np.all(np.diff(train) > 0)


def test_the_split_leaves_out_only_what_it_must() -> None:
    start = np.arange(1000) * SECOND
    labels = Labels(np.arange(1000), start, start + 10 * SECOND, np.zeros(1000), np.full(1000, np.nan))
    train, test = split_by_time(labels, 5 * SECOND)
    assert (train[0], train[-1], test[0], test[-1]) == (0, 789, 805, 999)


def test_about_a_third_is_neutral_for_quiet_and_lively_symbols() -> None:
    generator = np.random.default_rng(0)
    symbol = np.repeat(np.array([0, 1], np.int32), 5000)
    log_return = generator.normal(size=10_000) * np.where(symbol == 0, 1e-5, 1e-3)
    classes = classify(choose_band(symbol, 2, log_return), symbol, log_return)
    for code in range(2):
        shares = np.bincount(classes[symbol == code], minlength=3) / 5000
        assert np.allclose(shares, 1 / 3, atol=0.02)


def test_a_third_without_movement_is_all_that_is_neutral() -> None:
    log_return = np.array([0.0] * 40 + [1e-4] * 30 + [-1e-4] * 30)
    symbol = np.zeros(100, np.int32)
    assert np.bincount(classify(choose_band(symbol, 1, log_return), symbol, log_return)).tolist() == [30, 40, 30]


def test_rows_come_back_from_lake_columns() -> None:
    """Law: bits, order and each row once, whatever order and however often the files hold them."""
    dataset = planted_dataset(rows=300)
    table = pa.table(lake_columns(dataset))
    order = np.random.default_rng(1).permutation(np.concatenate([np.arange(300), np.arange(50)]))
    found = from_batches(table.take(order).to_batches(max_chunksize=64), FEATURE_NAMES, (7,))
    assert found.snapshot_ids == (7,)
    assert (found.symbols, found.feature_set) == (dataset.symbols, FEATURE_SET)
    for name in ("symbol", "event_time", "event_number", "price", "values"):
        assert getattr(found, name).tobytes() == getattr(dataset, name).tobytes()


def test_a_value_whose_bit_is_off_is_missing() -> None:
    columns = lake_columns(planted_dataset(rows=4))
    columns["feature_valid"] = pa.array([bytes(len(columns["feature_valid"][0].as_py()))] * 4, pa.binary())
    assert np.all(np.isnan(from_table(pa.table(columns), FEATURE_NAMES).values))


def test_rows_that_do_not_fit_are_refused() -> None:
    columns = lake_columns(planted_dataset(rows=4))
    with pytest.raises(NotEnoughData, match="no feature rows"):
        from_table(pa.table(columns).slice(0, 0), FEATURE_NAMES)
    with pytest.raises(ValueError, match="expected 3"):
        from_table(pa.table(columns), ("a", "b", "c"))
    with pytest.raises(ValueError, match="2 feature sets"):
        from_table(pa.table(columns | {"feature_set": pa.array(["one", "one", "two", "two"])}), FEATURE_NAMES)
    with pytest.raises(ValueError, match="validity"):
        from_table(pa.table(columns | {"feature_valid": pa.array([b""] * 4, pa.binary())}), FEATURE_NAMES)
