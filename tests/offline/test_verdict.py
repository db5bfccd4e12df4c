"""The gate of a release: what is worse is refused, what differs by chance is not."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.training.measures import difference, losses, mean_of
from jobs.training.metrics import Metrics
from jobs.training.resampling import blocks_in_time, estimate
from jobs.training.verdict import objections

PRIOR_LOSS = 1.09


def metrics(lowest: float = 0.01) -> Metrics:
    """Beyond doubt better than chance where `lowest` is above 0."""
    intervals = {field.name: (lowest, lowest + 0.01) for field in fields(Metrics) if field.name.endswith("_interval")}
    return Metrics(**{field.name: 0.0 for field in fields(Metrics)} | intervals)  # type: ignore[arg-type]


def comparison(gained: float, better_by: float, reach: float | None = 0.001) -> dict[str, Any]:
    """One baseline that gains so much on the class shares, and a model that is so much better than it."""
    interval = [None, None] if reach is None else [better_by - reach, better_by + reach]
    entry = {"value": PRIOR_LOSS - gained, "model_better_by": better_by, "model_better_by_interval": interval}
    return {"model": {}, "prior": {"log_loss": {"value": PRIOR_LOSS}}, "linear": {"log_loss": entry}}


def test_a_model_that_is_as_good_as_the_baseline_passes() -> None:
    assert objections(metrics(), comparison(0.02, 0.0)) == []


def test_worse_beyond_doubt_is_refused_however_little_it_is() -> None:
    (said,) = objections(metrics(), comparison(0.02, -0.0006, reach=0.0005))
    assert "beyond doubt above that of linear" in said


def test_worse_by_chance_passes_as_long_as_most_of_the_gain_is_kept() -> None:
    assert objections(metrics(), comparison(0.02, -0.0006)) == []
    (said,) = objections(metrics(), comparison(0.02, -0.0021, reach=0.1))
    assert "too much of the 0.02 that linear gains" in said


def test_few_rows_excuse_nothing() -> None:
    """Without an interval the point decides, and what must be beyond doubt is not."""
    assert len(objections(metrics(float("nan")), comparison(0.02, 0.01, reach=None))) == 3
    assert len(objections(metrics(), comparison(0.02, -0.01, reach=None))) == 1


def test_a_baseline_worse_than_the_class_shares_excuses_no_model_that_is_too() -> None:
    assert objections(metrics(), comparison(-0.01, 0.011)) == []
    assert len(objections(metrics(), comparison(-0.01, 0.009))) == 1


@given(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05), st.floats(0, 0.05), st.floats(0, 0.02))
def test_a_better_model_is_never_refused_for_more(gained: float, better_by: float, reach: float, more: float) -> None:
    one = objections(metrics(), comparison(gained, better_by, reach))
    assert len(objections(metrics(), comparison(gained, better_by + more, reach))) <= len(one)


@pytest.mark.parametrize(("worse", "refused"), [(0.0, range(10)), (0.15, range(90, 101))])
def test_how_often_equals_and_worse_ones_are_refused(worse: float, refused: range) -> None:
    """Of 100 pairs of predictions of the same worth a few are refused; of pairs with a real difference nearly all."""
    generator, count = np.random.default_rng(3), 0
    for _ in range(100):
        classes = generator.integers(0, 3, 600)
        one, other = (sharpened(generator, classes, 0.5), sharpened(generator, classes, 0.5 - worse))
        blocks = blocks_in_time(np.arange(600), 10)
        gain = estimate(blocks, difference(mean_of(losses(one, classes)), mean_of(losses(other, classes))))
        gained = float(np.log(3) - losses(one, classes).mean())
        entry = {"value": np.log(3) - gained, "model_better_by": gain.value, "model_better_by_interval": list(gain.interval)}
        found = {"model": {}, "prior": {"log_loss": {"value": float(np.log(3))}}, "linear": {"log_loss": entry}}
        count += any("beyond doubt" in said for said in objections(metrics(), found))
    assert count in refused


def sharpened(generator: np.random.Generator, classes: npt.NDArray[Any], knowledge: float) -> npt.NDArray[Any]:
    """(rows, 3) probabilities that lean to what happens, each with an error of its own."""
    scores = generator.normal(0, 0.3, (classes.shape[0], 3))
    scores[np.arange(classes.shape[0]), classes] += knowledge
    powers = np.exp(scores)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
