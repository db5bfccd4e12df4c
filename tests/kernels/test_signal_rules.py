"""A signal is acted on only when everything it needs is there; its name depends on the row and the model alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.kernels.outputs import RowFlag
from udfs.kernels.signal_rules import NOTHING_SCORED, Decision, ScoringFlag, Thresholds, decide, feature_hash, signal_id
from udfs.records import Direction, SignalCode, SignalStatus

SURE_UP = (0.1, 0.2, 0.7)
KNOWN_FLAGS = [*RowFlag, *ScoringFlag]
HALTS = (RowFlag.TRADING_HALTED, ScoringFlag.HALTED_BY_CONTROL, ScoringFlag.BREAKER_OPEN)
any_number = st.floats(allow_nan=True, allow_infinity=True)
probabilities = st.tuples(*[st.floats(0.01, 1.0)] * 3).map(lambda parts: tuple(part / sum(parts) for part in parts))


def decided(
    scores: tuple[float, ...] = SURE_UP,
    expected: float = 1e-4,
    sigma: float = 1e-3,
    flags: int = 0,
    has_model: bool = True,
    share: float = 1.0,
) -> Decision:
    return decide(scores, expected, sigma, flags, has_model, Thresholds(minimum_confidence=0.5, minimum_valid_share=0.5), share)


def test_a_confident_score_of_a_sound_row_is_ok() -> None:
    assert decided() == (Direction.UP, 0.7, SignalStatus.OK, SignalCode.NONE)
    assert decided((0.7, 0.2, 0.1)).direction is Direction.DOWN
    assert decided((0.1, 0.8, 0.1)).direction is Direction.NEUTRAL


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"scores": (0.3, 0.3, 0.4)}, SignalCode.LOW_CONFIDENCE),
        ({"share": 0.49}, SignalCode.WARMING_UP),
        ({"share": math.nan}, SignalCode.WARMING_UP),
        ({"flags": RowFlag.BOOK_QUARANTINED}, SignalCode.BOOK_QUARANTINED),
        ({"flags": RowFlag.STALE}, SignalCode.STALE_INPUT),
        ({"flags": ScoringFlag.OUT_OF_RANGE}, SignalCode.OUT_OF_RANGE),
        ({"expected": math.nan}, SignalCode.NOT_FINITE),
        ({"sigma": math.inf}, SignalCode.NOT_FINITE),
        ({"sigma": 0.0}, SignalCode.NOT_FINITE),
        ({"scores": (math.nan, 0.2, 0.7)}, SignalCode.NOT_FINITE),
        ({"scores": NOTHING_SCORED, "has_model": False}, SignalCode.NO_MODEL),
        ({"flags": 1 << 20}, SignalCode.NOT_FINITE),
    ],
)
def test_each_defect_makes_it_abstain_with_its_own_code(change: dict[str, object], code: SignalCode) -> None:
    found = decided(**change)  # type: ignore[arg-type]
    assert (found.status, found.code) == (SignalStatus.ABSTAINED, code)


@pytest.mark.parametrize("flag", HALTS)
@given(other=st.sampled_from(KNOWN_FLAGS), scores=st.tuples(any_number, any_number, any_number), has_model=st.booleans())
def test_a_halt_outranks_everything(flag: int, other: int, scores: tuple[float, float, float], has_model: bool) -> None:
    assert decided(scores, flags=flag | other, has_model=has_model).status is SignalStatus.HALTED


@given(st.tuples(any_number, any_number, any_number), any_number, any_number, st.integers(0, 1023), st.booleans(), any_number)
def test_ok_needs_everything(
    scores: tuple[float, float, float], expected: float, sigma: float, flags: int, has_model: bool, share: float
) -> None:
    """Law: OK if and only if there is a model, no flag, enough inputs, finite numbers and enough confidence."""
    found = decided(scores, expected, sigma, flags, has_model, share)
    finite = all(math.isfinite(number) for number in (sum(scores), expected, sigma)) and sigma > 0
    sound = has_model and flags == 0 and share >= 0.5 and finite
    assert (found.status is SignalStatus.OK) == (sound and found.confidence >= 0.5)
    assert (found.status is SignalStatus.OK) == (found.code is SignalCode.NONE)


@given(probabilities)
def test_the_direction_is_the_only_most_likely_class(scores: tuple[float, float, float]) -> None:
    found = decided(scores)
    largest = [k for k in range(3) if scores[k] == max(scores)]
    assert found.direction == (largest[0] - 1 if len(largest) == 1 else Direction.NEUTRAL)
    assert found.confidence == scores[found.direction + 1]


def test_equal_up_and_down_is_no_direction() -> None:
    found = decided((0.45, 0.1, 0.45))
    assert (found.direction, found.status) == (Direction.NEUTRAL, SignalStatus.ABSTAINED)


@given(st.lists(st.floats(width=32, allow_nan=True), min_size=1, max_size=20), st.data())
def test_one_changed_bit_changes_the_feature_hash(numbers: list[float], data: st.DataObject) -> None:
    values = np.array(numbers, np.float32)
    place = data.draw(st.integers(0, values.nbytes * 8 - 1))
    changed = bytearray(values.tobytes())
    changed[place // 8] ^= 1 << place % 8
    assert feature_hash(values) == feature_hash(values.copy())
    assert feature_hash(values) != feature_hash(np.frombuffer(bytes(changed), np.float32))


@given(st.integers(0, 4))
def test_each_part_of_the_name_matters(place: int) -> None:
    parts = ["BTC", 7, 1_700_000_000, "ab" * 32, "cd" * 10]
    before = signal_id(*parts)  # type: ignore[arg-type]
    parts[place] = "other" if isinstance(parts[place], str) else 8
    assert len(before) == 20
    assert signal_id(*parts) != before  # type: ignore[arg-type]


def test_names_are_the_same_on_every_machine() -> None:
    assert signal_id("BTCUSDT", 42, 1_723_104_000_000_000_000, "0" * 64, "f" * 20) == "295e36fba20c0e9b4daf"
    assert feature_hash(np.array([1.5, -2.0], np.float32)) == "abf83829cbb7e37847e0"
