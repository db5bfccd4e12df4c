"""Reasons add up to the score exactly, and every model input can be spoken of."""

from __future__ import annotations

import math
from dataclasses import astuple
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.feature_rows import planted_dataset
from tests.support.trained_model import scorer
from udfs.kernels.feature_vector import FEATURE_NAMES, MODEL_INPUTS, Feature
from udfs.records import Direction
from udfs.scoring.model_metadata import QUANTILE_LEVELS
from udfs.scoring.phrases import describe, phrase_of
from udfs.scoring.reasons import quantile_of
from udfs.scoring.trees import FlatTrees, attribute, decode_trees, encode_trees

ROWS = planted_dataset(rows=200, seed=11).values
SMALL = FlatTrees(
    roots=np.array([0, 3], np.int32),
    outputs=np.array([2, 0], np.int8),
    feature=np.array([1, -1, -1, -1], np.int16),
    threshold=np.array([0.5, 0, 0, 0], np.float32),
    left=np.array([1, 0, 0, 0], np.int32),
    right=np.array([2, 0, 0, 0], np.int32),
    missing_left=np.array([False, False, False, False]),
    value=np.array([0.25, -1.0, 1.5, 7.0]),
    base=np.array([0.0, 0.0, 0.125, 0.0, 0.0]),
)


@pytest.mark.parametrize(("value", "leaf"), [(0.5, -1.0), (0.75, 1.5), (math.nan, 1.5)])
def test_a_split_is_credited_with_the_change_of_the_expected_value(value: float, leaf: float) -> None:
    contributions, bias = attribute(SMALL, np.array([9.0, value], np.float32), 2)
    assert contributions.tolist() == [0.0, leaf - 0.25]
    assert bias == 0.375


def test_contributions_and_bias_are_the_raw_score() -> None:
    inputs = np.ascontiguousarray(ROWS[:, scorer().columns])
    raw_scores = scorer().raw_scores(inputs)
    for row, row_scores in zip(inputs, raw_scores, strict=True):
        for output, raw_score in enumerate(row_scores):
            contributions, bias = scorer().attribute(row, output)
            assert contributions.sum() + bias == pytest.approx(float(raw_score), rel=1e-5, abs=1e-5)


@given(st.integers(0, len(ROWS) - 1), st.sampled_from(Direction), st.integers(0, 5))
def test_reasons_speak_for_the_direction_strongest_first(row: int, direction: Direction, count: int) -> None:
    reasons = scorer().reasons(ROWS[row], direction, count)
    contributions = [reason.contribution for reason in reasons]
    assert len(reasons) <= count
    assert all(contribution > 0 for contribution in contributions)
    assert contributions == sorted(contributions, reverse=True)
    assert len({reason.feature for reason in reasons}) == len(reasons)


def test_the_planted_feature_is_the_reason() -> None:
    row = ROWS[0].copy()
    row[Feature.IMBALANCE_5_LEVELS] = 0.99
    reason = scorer().reasons(row, Direction.UP)[0]
    assert (reason.feature, reason.words) == ("imbalance_5_levels", "strong buy-side book imbalance (0.99)")
    row[Feature.IMBALANCE_5_LEVELS] = -0.99
    assert scorer().reasons(row, Direction.DOWN)[0].words == "strong sell-side book imbalance (-0.99)"


@pytest.mark.parametrize("name", [FEATURE_NAMES[place] for place in MODEL_INPUTS])
def test_every_model_input_has_a_phrase(name: str) -> None:
    assert phrase_of(name) is not None


def test_phrases_tell_features_apart() -> None:
    subjects = [phrase_of(FEATURE_NAMES[place]).subject for place in MODEL_INPUTS]  # type: ignore[union-attr]
    assert len(set(subjects)) == len(subjects)


def test_words_say_side_and_strength() -> None:
    assert describe("return_5_minutes", -0.002, 0.3) == "slight downward price move over 5 minutes (-0.002)"
    assert describe("spread_basis_points", 12.0, 0.99) == "very wide spread (12)"
    assert describe("rsi_14", 60.0, 0.8) == "high relative strength (RSI) (60)"
    assert describe("trade_imbalance_1_minute", 0.0, 0.5) == "balanced trade imbalance over 1 minute (0)"
    assert describe("rsi_14", math.nan, math.nan) == "no relative strength (RSI) yet"
    assert describe("something_new", 3.0, 0.1) == "low something new (3)"


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=7, max_size=7).map(sorted), st.lists(st.floats(-2e6, 2e6), min_size=2, max_size=9).map(sorted)
)
def test_quantiles_grow_with_the_value(levels: list[float], numbers: list[float]) -> None:
    found = [quantile_of(number, np.array(levels)) for number in numbers]
    assert all(0 <= quantile <= 1 for quantile in found)
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(found))


def test_quantiles_are_those_of_the_levels() -> None:
    levels = np.arange(7.0)
    assert [quantile_of(value, levels) for value in levels] == list(QUANTILE_LEVELS)
    assert math.isnan(quantile_of(math.nan, levels))
    assert math.isnan(quantile_of(1.0, np.full(7, math.nan)))


def test_trees_survive_their_text() -> None:
    again = decode_trees(encode_trees(SMALL))
    assert all(one.tobytes() == other.tobytes() and one.dtype == other.dtype for one, other in zip(SMALL, again, strict=True))
    with pytest.raises(ValueError, match="not encoded trees"):
        decode_trees("????")


def test_reasons_are_plain_values() -> None:
    for reason in scorer().reasons(ROWS[0], Direction.UP):
        assert [type(part) for part in astuple(reason)] == [str, float, str]
