"""Evidence of one model against another: fair where neither is better, however one looks, and found where one is."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.shadow.evidence import CELLS, NO_OUTCOME, STRETCH_HORIZONS, Pairs, capital, evidence_of, log_ratio, stretch_gains, stretches_of

HORIZON, TOLERANCE = 100, 20
SYMBOLS = 6


def forecasts(generator: np.random.Generator, truth: npt.NDArray[Any], noise: float) -> npt.NDArray[Any]:
    """Log-probabilities off by so much."""
    scores = truth + generator.normal(0, noise, truth.shape)
    powers = np.exp(scores)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def market(seed: int, stretches: int, champion_noise: float, challenger_noise: float, common: float = 0.0) -> Pairs:
    """Rows every half horizon; outcomes of a moment agree between symbols as far as `common` says."""
    generator = np.random.default_rng(seed)
    moments = np.arange(0, stretches * STRETCH_HORIZONS * HORIZON, HORIZON // 2)
    start, symbol = np.repeat(moments, SYMBOLS), np.tile(np.arange(SYMBOLS), moments.size)
    truth = generator.normal(0, 0.5, (start.size, 3))
    shared = np.repeat(generator.random((moments.size, 1)) < common, SYMBOLS, axis=0)[:, 0]
    draw = np.where(shared, np.repeat(generator.random(moments.size), SYMBOLS), generator.random(start.size))
    truth[shared] = truth[(np.flatnonzero(shared) // SYMBOLS) * SYMBOLS]
    happened = (forecasts(generator, truth, 0.0).cumsum(axis=1) < draw[:, None]).sum(axis=1).clip(0, 2)
    return Pairs(symbol, start, forecasts(generator, truth, champion_noise), forecasts(generator, truth, challenger_noise), happened)


@pytest.mark.parametrize("common", [0.0, 1.0])
def test_equals_hardly_ever_win_whenever_one_looks(common: float) -> None:
    """Of 120 pairs of equally good models at most one in twenty ever reaches 20, whether symbols move alone or together."""
    found = [evidence_of(market(seed, 60, 0.4, 0.4, common), HORIZON, TOLERANCE) for seed in range(120)]
    assert sum(one.better >= 20 for one in found) <= 6
    assert sum(one.worse >= 20 for one in found) <= 6


def test_a_better_model_wins_and_the_champion_does_not() -> None:
    found = [evidence_of(market(seed, 120, 0.8, 0.1), HORIZON, TOLERANCE) for seed in range(20)]
    assert sum(one.better >= 20 for one in found) >= 18
    assert max(one.worse for one in found) < 20
    assert all(one.mean_gain > 0 for one in found)


def test_one_bet_is_the_other_the_other_way_round() -> None:
    pairs = market(3, 30, 0.6, 0.2)
    one = evidence_of(pairs, HORIZON, TOLERANCE)
    other = evidence_of(pairs._replace(champion=pairs.challenger, challenger=pairs.champion), HORIZON, TOLERANCE)
    assert (one.better, one.worse, one.mean_gain) == pytest.approx((other.worse, other.better, -other.mean_gain))


def test_the_same_model_gains_nothing() -> None:
    pairs = market(3, 10, 0.3, 0.3)
    assert evidence_of(pairs._replace(challenger=pairs.champion), HORIZON, TOLERANCE)[2:] == (0.0, 1.0, 1.0)


def test_no_rows_are_no_evidence() -> None:
    none = market(1, 2, 0.1, 0.1).take(np.zeros(0, np.intp))
    assert evidence_of(none, HORIZON, TOLERANCE) == (0, 0, 0.0, 1.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 3.0), st.floats(0.0, 3.0), st.integers(2, 12))
def test_a_stretch_loses_its_stake_at_most_and_never_looks_ahead(seed: int, one: float, other: float, stretches: int) -> None:
    """Law: each stretch gains at least -1 whatever happens, and what it gains does not change when later rows come."""
    pairs = market(seed, stretches, one, other)
    worst = pairs._replace(happened=log_ratio(pairs).argmin(axis=1))
    found = stretches_of(worst, HORIZON, TOLERANCE)
    gains = stretch_gains(worst, log_ratio(worst), found)
    assert (gains >= -1 - 1e-12).all()
    assert gains.size == max(0, len(found) - 1)
    early = worst.take(worst.start < worst.start.max() // 2)
    before = stretch_gains(early, log_ratio(early), stretches_of(early, HORIZON, TOLERANCE))
    assert np.allclose(before, gains[: before.size])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 8))
def test_each_symbol_counts_once_a_horizon_with_an_outcome_inside_the_stretch(seed: int, stretches: int) -> None:
    pairs = market(seed, stretches, 0.3, 0.3)
    order = np.random.default_rng(seed).permutation(pairs.start.size)
    shuffled = pairs.take(order)
    for rows in stretches_of(shuffled, HORIZON, TOLERANCE):
        start, symbol = shuffled.start[rows], shuffled.symbol[rows]
        number = start // (STRETCH_HORIZONS * HORIZON)
        assert np.unique(number).size == 1
        assert (start + HORIZON + TOLERANCE <= (number + 1) * STRETCH_HORIZONS * HORIZON).all()
        cells = set(zip(symbol.tolist(), (start // HORIZON).tolist(), strict=True))
        assert len(cells) == rows.size <= CELLS * SYMBOLS


def test_rows_without_outcome_keep_their_place_and_gain_nothing() -> None:
    """Taking the next row instead would choose rows by what came of them."""
    pairs = market(5, 10, 0.6, 0.1)
    unknown = pairs._replace(happened=np.full(pairs.start.size, NO_OUTCOME))
    assert [rows.tolist() for rows in stretches_of(unknown, HORIZON, TOLERANCE)] == [
        rows.tolist() for rows in stretches_of(pairs, HORIZON, TOLERANCE)
    ]
    assert evidence_of(unknown, HORIZON, TOLERANCE)[2:] == (0.0, 1.0, 1.0)


def test_the_capital_is_the_largest_on_the_way() -> None:
    up, down = np.full(50, 0.5), np.full(50, -0.5)
    assert capital(np.concatenate([up, down])) == pytest.approx(capital(up))
    assert capital(down) == 1.0
    assert capital(np.full(10, -1.0)) == 1.0
