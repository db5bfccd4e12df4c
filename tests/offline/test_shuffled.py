"""Outcomes that have nothing to do with their rows leave nothing to find, and folds that leak are refused, on made-up and on real rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs.settings import load_settings
from jobs.training.fit import TrainingSettings
from jobs.training.from_files import rows_of_files
from jobs.training.labelling.kinds import LabelSettings
from jobs.training.labels import forward_returns
from jobs.training.planted import shuffled as module
from jobs.training.planted.market import PlantedSettings, planted_market
from jobs.training.planted.shuffled import check_shuffled, leak_detected, moved

MARKET = PlantedSettings(symbols=8, steps=500, strength=0.4)
TRAINING = TrainingSettings(horizon=MARKET.horizon, rounds=10, folds=3)
BARS = Path(__file__).resolve().parents[3] / "shared" / "data" / "us_minute_bars_2018"


def test_a_strong_relation_is_gone_once_outcomes_are_dealt_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TRIES", 1)
    monkeypatch.setattr(module, "MISSES", 0)
    market = planted_market(MARKET)
    labels = forward_returns(market.dataset, MARKET.horizon, TRAINING.label_tolerance)
    said: list[str] = []
    found = check_shuffled(market.dataset, labels, TRAINING, said.append)
    assert found["holds"], found["failed"]
    assert (found["dealt_covering_zero"], found["moved_covering_zero"], found["released"]) == (1, 1, 0)
    assert "know of test outcomes" in found["leaking_splitter"]["said"]
    assert len(said) == 3


def test_outcomes_are_moved_within_their_symbol() -> None:
    market = planted_market(MARKET)
    labels = forward_returns(market.dataset, MARKET.horizon, TRAINING.label_tolerance)
    found = moved(market.dataset, labels, 0.25)
    symbol = market.dataset.symbol[labels.rows]
    for code in range(MARKET.symbols):
        one, other = labels.log_return[symbol == code], found.log_return[symbol == code]
        assert np.array_equal(other, np.roll(one, round(one.size / 4)))
    assert np.array_equal(found.start, labels.start)


@pytest.mark.parametrize(
    ("broken", "failed"),
    [
        ({"released": 1}, ["released"]),
        ({"dealt_covering_zero": 1}, ["dealt_covering_zero"]),
        ({"moved_covering_zero": 0}, ["moved_covering_zero"]),
        ({"leaking_splitter": {"detected": False}}, ["leaking_splitter"]),
    ],
)
def test_the_check_can_fail(broken: dict[str, Any], failed: list[str]) -> None:
    sound = {"dealt_covering_zero": 2, "moved_covering_zero": 3, "released": 0, "leaking_splitter": {"detected": True}}
    assert module._failed(sound) == []
    assert module._failed(sound | broken) == failed


@pytest.mark.skipif(not BARS.is_dir(), reason=f"no real minute bars at {BARS}: the leak on real rows is NOT checked")
def test_folds_that_leak_are_refused_on_real_rows() -> None:
    """One symbol's first bars, minute by minute: further apart than the horizon they would not leak.

    The whole check, on all symbols, is `infra/tickflow train --check shuffled --data PATH`.
    """
    file = sorted(BARS.rglob("*.*"))[0]
    label = LabelSettings("return", 300_000_000_000, 60_000_000_000)
    rows, labels = rows_of_files(file, load_settings(), label)
    found = leak_detected(rows, labels.take(np.arange(2_000)), TrainingSettings())
    assert found["detected"]
