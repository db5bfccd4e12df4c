"""Outcomes against slow searches; none spans a break; what they were measured with was there; overlapping ones share their weight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.training.labelling.path import NO_BREAKS, Outcomes, PricePath, path_of
from jobs.training.labelling.returns import log_returns, spread_adjusted_returns
from jobs.training.labelling.triple_barrier import Barriers, trailing_deviation, triple_barrier
from jobs.training.labelling.uniqueness import average_uniqueness, sample_weights
from jobs.training.labelling.volatility import realised_volatility
from tests.support.price_paths import SECOND, price_paths

BARRIERS = Barriers(10 * SECOND, 4 * SECOND, 1.0, 1.5, 60 * SECOND)


def all_outcomes(path: PricePath) -> list[Outcomes]:
    return [
        log_returns(path, 10 * SECOND, 4 * SECOND),
        spread_adjusted_returns(path, 10 * SECOND, 4 * SECOND),
        triple_barrier(path, BARRIERS),
        realised_volatility(path, 10 * SECOND, 4 * SECOND, SECOND),
    ]


def whole(rows: int, step: int = SECOND, **changes: object) -> PricePath:
    """A path without breaks whose price climbs by one in ten thousand each row."""
    columns = {"spread": np.full(rows, 0.02), "halted": np.zeros(rows, bool), "breaks": NO_BREAKS, "longest_gap": 0} | changes
    return path_of(np.arange(rows) * step, 100 * np.exp(np.arange(rows) * 1e-4), **columns)  # type: ignore[arg-type]


def expected_end(path: PricePath, row: int, horizon: int, tolerance: int) -> int | None:
    """The slow search for the row that a return is measured at."""
    due = path.time[row] + horizon
    later = [k for k in range(path.time.shape[0]) if path.time[k] >= due]
    if path.halted[row] or not later or path.time[later[0]] > due + tolerance:
        return None
    return None if any(path.time[row] < moment <= path.time[later[0]] for moment in path.breaks) else later[0]


@given(price_paths(), st.integers(1, 12), st.integers(0, 6))
def test_returns_are_those_of_the_slow_search(path: PricePath, horizon: int, tolerance: int) -> None:
    found = log_returns(path, horizon * SECOND, tolerance * SECOND)
    ends = {row: expected_end(path, row, horizon * SECOND, tolerance * SECOND) for row in range(path.time.shape[0])}
    expected = [(row, end) for row, end in ends.items() if end is not None]
    assert found.rows.tolist() == [row for row, _ in expected]
    assert found.end.tolist() == [path.time[end] for _, end in expected]
    assert np.allclose(found.value, [np.log(path.price[end] / path.price[row]) for row, end in expected], rtol=0, atol=1e-14)


@given(price_paths(longest_gap=2 * SECOND))
def test_no_outcome_spans_a_break_a_halt_or_a_gap(path: PricePath) -> None:
    for found in all_outcomes(path):
        for row, start, end in zip(found.rows, found.start, found.end, strict=True):
            inside = (path.time > start) & (path.time <= end)
            assert not path.halted[row]
            assert not path.halted[inside].any()
            assert not any(start < moment <= end for moment in path.breaks)
            seen = path.time[(path.time >= start) & (path.time <= end)]
            assert np.all(np.diff(seen) <= 2 * SECOND)


@given(price_paths(), st.integers(0, 59))
def test_an_outcome_does_not_depend_on_what_follows_its_span(path: PricePath, cut: int) -> None:
    """Law: with the prices after t1 changed, every outcome that ends before them stays."""
    changed = path._replace(price=np.where(np.arange(path.price.shape[0]) > cut, path.price * 1.5, path.price))
    first = path.time[cut + 1] if cut + 1 < path.time.shape[0] else np.iinfo(np.int64).max
    for one, other in zip(all_outcomes(path), all_outcomes(changed), strict=True):
        before, after = ({(r, e): v for r, e, v in zip(o.rows, o.end, o.value, strict=True) if e < first} for o in (one, other))
        assert before == after


@given(price_paths())
def test_crossing_the_spread_never_pays_more_than_the_move(path: PricePath) -> None:
    """Law: of the move's sign or nothing, and smaller; without spread it is the move; equal to trading at bid and ask."""
    plain, adjusted = log_returns(path, 5 * SECOND, 9 * SECOND), spread_adjusted_returns(path, 5 * SECOND, 9 * SECOND)
    assert np.all(adjusted.value * plain.value >= 0)
    assert np.all(np.abs(adjusted.value) <= np.abs(plain.value) + 1e-15)
    free = path._replace(spread=np.full(path.price.shape[0], np.nan))
    assert np.allclose(spread_adjusted_returns(free, 5 * SECOND, 9 * SECOND).value, plain.value, rtol=0, atol=1e-15)


def test_a_bought_share_is_bought_at_the_ask_and_sold_at_the_bid() -> None:
    path = whole(3, spread=np.full(3, 0.022))
    (found,) = spread_adjusted_returns(path, 2 * SECOND, 0).value
    assert found == 0.0  # a rise of 2 in 10 000 does not pay 2 half spreads of 1.1 in 10 000 each
    path = path._replace(price=np.array([100.0, 101.0, 102.0]))
    (found,) = spread_adjusted_returns(path, 2 * SECOND, 0).value
    assert found == pytest.approx(np.log((102 - 0.011) / (100 + 0.011)), abs=1e-15)
    (found,) = spread_adjusted_returns(path._replace(price=np.array([102.0, 101.0, 100.0])), 2 * SECOND, 0).value
    assert found == pytest.approx(np.log((100 + 0.011) / (102 - 0.011)), abs=1e-15)


@given(price_paths())
def test_the_barrier_is_the_first_that_is_met(path: PricePath) -> None:
    found = triple_barrier(path, BARRIERS)
    deviation = trailing_deviation(path, BARRIERS.memory) * np.sqrt(BARRIERS.horizon)
    logs = np.log(path.price)
    for row, end, value, side in zip(found.rows, found.end, found.value, found.side, strict=True):
        due = path.time[row] + BARRIERS.horizon
        vertical = next((k for k in range(row + 1, logs.size) if path.time[k] >= due), logs.size - 1)
        inside = [k for k in range(row + 1, vertical + 1) if path.time[k] <= due]
        up, down = BARRIERS.rise * deviation[row], -BARRIERS.fall * deviation[row]
        met = [k for k in inside if not down < logs[k] - logs[row] < up]
        if met:
            assert path.time[met[0]] == end
            assert value == logs[met[0]] - logs[row]
            assert side == (1 if value >= up else -1)
        else:
            assert side == 0
            assert end == path.time[vertical] >= due


def test_barriers_are_met_in_both_directions_and_sometimes_not() -> None:
    generator = np.random.default_rng(1)
    price = 100 * np.exp(np.cumsum(generator.normal(size=2000) * 1e-4))
    path = whole(2000)._replace(price=price)
    shares = np.bincount((triple_barrier(path, BARRIERS).side + 1).astype(int), minlength=3) / 2000
    assert 0.2 < shares[2] < 0.4
    assert 0.08 < shares[0] < shares[2]
    assert shares[1] > 0.3


def test_the_deviation_is_that_of_the_walk_and_knows_nothing_ahead() -> None:
    generator = np.random.default_rng(2)
    path = whole(3000)._replace(price=100 * np.exp(np.cumsum(generator.normal(size=3000) * 1e-4)))
    deviation = trailing_deviation(path, 600 * SECOND) * np.sqrt(SECOND)
    assert np.isnan(deviation[:20]).all()
    assert 0.8e-4 < np.median(deviation[100:]) < 1.2e-4
    changed = path._replace(price=np.where(np.arange(3000) > 1500, path.price * 2, path.price))
    assert trailing_deviation(changed, 600 * SECOND)[:1501].tobytes() == trailing_deviation(path, 600 * SECOND)[:1501].tobytes()


def test_a_jump_across_a_break_is_no_volatility() -> None:
    path = whole(200)
    split = path._replace(price=np.where(np.arange(200) >= 100, path.price / 2, path.price), breaks=np.array([100 * SECOND]))
    assert np.nanmax(trailing_deviation(split, 60 * SECOND)) == pytest.approx(np.nanmax(trailing_deviation(path, 60 * SECOND)), rel=1e-6)


def test_realised_volatility_is_the_root_of_the_summed_squares() -> None:
    path = whole(4000)
    found = realised_volatility(path)
    assert found.end[0] - found.start[0] == 3600 * SECOND
    assert np.allclose(found.value, np.sqrt(60 * (60e-4) ** 2), rtol=1e-9)
    assert found.rows.tolist() == list(range(400))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), min_size=1, max_size=25))
def test_uniqueness_is_that_of_the_slow_count(spans: list[tuple[int, int]]) -> None:
    """Law: the mean, over the unit steps of a span, of one over how many spans hold the step."""
    start = np.array([first for first, _ in spans])
    end = start + np.array([length for _, length in spans])
    steps = np.arange(0, 50)
    holds = (start[:, None] <= steps) & (steps < end[:, None])
    for row, found in enumerate(average_uniqueness(start, end)):
        own = holds[row]
        expected = float(np.mean(1 / holds.sum(axis=0)[own])) if own.any() else 1.0
        assert found == pytest.approx(expected, abs=1e-12)


def test_weights_share_within_a_symbol_only() -> None:
    start, end = np.array([0, 0, 0, 50]), np.array([10, 10, 10, 60])
    weight = sample_weights(np.array([0, 0, 1, 1], np.int32), start, end)
    assert weight.tolist() == pytest.approx([2 / 3, 2 / 3, 4 / 3, 4 / 3])
    assert sample_weights(np.zeros(0, np.int32), start[:0], end[:0]).size == 0
