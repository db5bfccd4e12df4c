"""The oracle of the made-up markets is right, and the check sees what was planted, claims nothing else, and refuses what peeks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jobs.training.labels import forward_returns
from jobs.training.planted.check import CheckSettings, check_planted, leaking_splitter_detected
from jobs.training.planted.market import PlantedSettings, planted_market

SMALL = PlantedSettings(symbols=8, steps=900, strength=0.25)


def test_the_oracle_expects_what_happens_on_average() -> None:
    """Slope 1 and no remainder, in units of what the volatility was, for the linear part and the product together."""
    settings = PlantedSettings(symbols=10, steps=6000, strength=0.3)
    market = planted_market(settings)
    labels = forward_returns(market.dataset, settings.horizon, settings.step)
    said, sigma = market.oracle[labels.rows], market.oracle_sigma[labels.rows]
    one, other = said / sigma, labels.log_return / sigma
    assert float(one @ other / (one @ one)) == pytest.approx(1.0, abs=0.06)
    assert float((other - one).mean()) == pytest.approx(0.0, abs=0.03)
    assert float((other - one).std()) == pytest.approx(1.0, abs=0.05)


def test_nothing_planted_leaves_nothing_to_expect() -> None:
    assert not planted_market(replace(SMALL, strength=0.0)).oracle.any()


def test_a_seed_gives_one_market() -> None:
    one, again, other = (planted_market(replace(SMALL, steps=20, seed=seed)) for seed in (3, 3, 4))
    assert one.dataset.values.tobytes() == again.dataset.values.tobytes()
    assert one.dataset.price.tobytes() != other.dataset.price.tobytes()


def test_a_splitter_that_leaks_is_refused() -> None:
    found = leaking_splitter_detected(replace(SMALL, steps=200))
    assert found["detected"]
    assert "know of test outcomes" in found["said"]


def test_the_check_on_small_markets() -> None:
    said: list[str] = []
    found = check_planted(CheckSettings(SMALL, seeds=1, null_seeds=1, null_steps=500), said.append)
    assert found["recovered_share"] > 0.6
    assert found["null_released"] == 0
    assert not found["shuffled"]["released"]
    assert found["leaking_splitter"]["detected"]
    assert 0.86 < found["coverage_90"] < 0.94
    assert found["holds"] == (not found["failed"])
    assert len(said) == 3
