"""Each feature scales with the units of price and size as its own unit says, and what scales is no input of a model."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.kernel_events import MIDNIGHT, SECOND, Event, bar, random_walk
from tests.support.kernel_runs import run
from udfs.kernels.events import EventKind
from udfs.kernels.feature_traits import UNITS, Scaling
from udfs.kernels.feature_vector import Feature

PACES = {"200 ms": 200_000_000, "5 s": 5 * SECOND, "1 min": 60 * SECOND, "20 min": 1200 * SECOND}
PRICE_COLUMNS = {EventKind.TRADE: (0,), EventKind.QUOTE: (0, 2), EventKind.BAR: (0, 1, 2, 3)}
SIZE_COLUMNS = {EventKind.TRADE: (1,), EventKind.QUOTE: (1, 3), EventKind.BAR: (4,)}
LEVELS = 10


def scaled(event: Event, price: float, size: float) -> Event:
    """The event in other units."""
    prices, sizes = PRICE_COLUMNS.get(EventKind(event.kind), ()), SIZE_COLUMNS.get(EventKind(event.kind), ())
    if event.kind == EventKind.BOOK:
        prices, sizes = (*range(LEVELS), *range(2 * LEVELS, 3 * LEVELS)), (*range(LEVELS, 2 * LEVELS), *range(3 * LEVELS, 4 * LEVELS))
    factors = {**dict.fromkeys(prices, price), **dict.fromkeys(sizes, size)}
    return event._replace(numbers=tuple(number * factors.get(place, 1.0) for place, number in enumerate(event.numbers)))


def vendor_bars(seed: int) -> list[Event]:
    """Minute bars of a vendor, and nothing else."""
    generator = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(generator.normal(0, 1e-3, 200)))
    spans = generator.uniform(0, 0.2, (200, 2))
    return [
        bar(MIDNIGHT + (index + 1) * 60 * SECOND, (close, close + up, close - down, close), float(generator.integers(0, 50)))
        for index, (close, (up, down)) in enumerate(zip(closes.tolist(), spans.tolist()))
    ]


def market(seed: int, pace: str) -> list[Event]:
    """A stream at one of the paces, or of vendor bars."""
    return random_walk(seed, 400, PACES[pace]) if pace in PACES else vendor_bars(seed)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 50), st.sampled_from([*PACES, "vendor bars"]), st.integers(-8, 8), st.integers(-8, 8))
def test_every_feature_scales_as_its_unit_says(seed: int, pace: str, price_power: int, size_power: int) -> None:
    """The same market in other units of price and size. Powers of two, so that no rounding turns a comparison."""
    price, size = 2.0**price_power, 2.0**size_power
    events = market(seed, pace)
    left, right = run(events), run([scaled(event, price, size) for event in events])
    assert left.row_valid.tolist() == right.row_valid.tolist()
    for feature in Feature:
        before, after = left.row_values[:, feature].astype(np.float64), right.row_values[:, feature].astype(np.float64)
        if not feature.scaling.shifts:
            expected = before * price**feature.scaling.price * size**feature.scaling.size
            np.testing.assert_allclose(after, expected, rtol=1e-5, atol=1e-12, err_msg=feature.name)


@pytest.mark.parametrize("feature", [feature for feature in Feature if feature.scaling.shifts], ids=lambda feature: feature.name)
@pytest.mark.parametrize("pace", ["1 min", "20 min", "vendor bars"])
def test_a_logarithm_shifts(feature: Feature, pace: str) -> None:
    """By the same in every row, and twice as far when prices are scaled twice."""
    events = market(3, pace)
    values = [_values(feature, [scaled(event, price, 1.0) for event in events]) for price in (1.0, 8.0, 64.0)]
    once, twice = values[1] - values[0], values[2] - values[0]
    assert np.ptp(once) < 1e-5
    np.testing.assert_allclose(twice, 2 * once, rtol=1e-4)
    assert abs(once.mean()) > 1e-3


def _values(feature: Feature, events: list[Event]) -> npt.NDArray[np.float64]:
    result = run(events)
    values: npt.NDArray[np.float64] = result.row_values[result.row_valid[:, feature], feature].astype(np.float64)
    return values


def test_the_streams_reach_every_feature() -> None:
    valid = [run(market(0, pace)).row_valid.any(axis=0) for pace in (*PACES, "vendor bars")]
    assert [feature.name for feature in Feature if not np.any(valid, axis=0)[feature]] == []


def test_a_model_sees_only_what_does_not_scale() -> None:
    assert [feature.name for feature in Feature if feature.model_input and not feature.scaling.is_free] == []
    assert [unit for unit in UNITS if unit not in {feature.unit for feature in Feature}] == []


def test_scaling_knows_what_is_free() -> None:
    assert Scaling().is_free
    assert not any(scaling.is_free for scaling in (Scaling(price=1), Scaling(size=-1), Scaling(shifts=True)))
