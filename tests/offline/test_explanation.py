"""What would have changed a signal does change it, and a changed field of a stored signal is named."""

from __future__ import annotations

import numpy as np
import pytest

from jobs.benchmark.score import feature_rows_of, score_all
from jobs.explanation.flips import nearest_flips
from jobs.explanation.made_again import differences
from tests.support.feature_rows import planted_dataset
from tests.support.trained_model import scorer
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.records import Direction, Signal


def test_each_flip_changes_the_direction_as_it_says() -> None:
    flipped = 0
    for row in feature_rows_of(planted_dataset(), 30):
        for flip in nearest_flips(scorer(), row):
            values = row.values[None, :].copy()
            values[0, FEATURE_NAMES.index(flip["feature"])] = flip["would_need"]
            direction = Direction(int(scorer().score(values, ~np.isnan(values)).probabilities.argmax()) - 1)
            assert direction.name.lower() == flip["direction"]
            flipped += flip["feature"] == "imbalance_5_levels"
    assert flipped > 10, "the planted relation can be turned round"


def stored(signal: Signal) -> dict[str, object]:
    down, neutral, up = signal.probabilities
    names = (
        "signal_id",
        "confidence",
        "expected_return",
        "sigma",
        "price",
        "model_version",
        "model_hash",
        "feature_hash",
        "control_version",
    )
    own = {name: getattr(signal, name) for name in names}
    numbers = {name: int(getattr(signal, name)) for name in ("direction", "status", "code")}
    return own | numbers | {"probability_down": down, "probability_neutral": neutral, "probability_up": up}


def test_the_same_signal_has_no_differences() -> None:
    (signal,) = score_all(scorer(), feature_rows_of(planted_dataset(), 1))[1]
    assert differences(stored(signal), signal) == []


@pytest.mark.parametrize("name", ["sigma", "probability_up", "price"])
def test_one_bit_is_named(name: str) -> None:
    (signal,) = score_all(scorer(), feature_rows_of(planted_dataset(), 1))[1]
    row = stored(signal)
    row[name] = float(np.nextafter(row[name], 2.0))  # type: ignore[call-overload]
    assert [found["field"] for found in differences(row, signal)] == [name]
