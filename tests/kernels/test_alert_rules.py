"""Alert rules fire once a crossing, wait out their cool-down, keep almost nothing, and never act on a missing value."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import InvalidRule, StateVersionError
from udfs.kernels.alert_rules import Fired, Measures, alert_id, check_rule, evaluate, rules_of_symbol
from udfs.records import AlertRule, Measure

SECOND = 1_000_000_000
RULE = AlertRule("calm", Measure.IMBALANCE, threshold=0.8, rearm_below=0.5, cool_down=10 * SECOND, symbols=())
values = st.floats(-1, 1) | st.just(math.nan) | st.sampled_from([0.5, 0.8, -0.8])
steps = st.lists(st.tuples(st.integers(0, 8 * SECOND), values), max_size=40)


def imbalance(value: float) -> Measures:
    return Measures(math.nan, math.nan, math.nan, value)


def run(rules: tuple[AlertRule, ...], path: list[tuple[int, float]]) -> list[tuple[int, str]]:
    """(seconds, rule) of everything that fires along (seconds, imbalance)."""
    state, found = b"", []
    for seconds, value in path:
        fired, state = evaluate(rules, imbalance(value), state, seconds * SECOND)
        found += [(seconds, one.rule.rule_id) for one in fired]
    return found


class SlowRule:
    """The same law written the obvious way, with everything remembered."""

    def __init__(self, rule: AlertRule) -> None:
        self.rule, self.armed = rule, True
        self.last_fired: int | None = None

    def take(self, value: float, time: int) -> bool:
        if abs(value) < self.rule.rearm_below:
            self.armed = True
        cooled = self.last_fired is None or time - self.last_fired >= self.rule.cool_down
        if not (self.armed and cooled and abs(value) >= self.rule.threshold):
            return False
        self.armed, self.last_fired = False, time
        return True


def test_it_fires_once_a_crossing() -> None:
    assert run((RULE,), [(0, 0.7), (1, 0.8), (2, 0.9), (30, 0.9), (40, 0.6), (50, 0.9)]) == [(1, "calm")]


def test_it_fires_again_after_calm_and_cool_down() -> None:
    assert run((RULE,), [(1, 0.9), (2, 0.4), (3, 0.9), (11, 0.9), (12, 0.9)]) == [(1, "calm"), (11, "calm")]


def test_the_sign_does_not_matter_but_is_reported() -> None:
    fired, _ = evaluate((RULE,), imbalance(-0.9), b"", 0)
    assert fired == (Fired(RULE, -0.9),)


@given(steps, st.lists(st.tuples(st.floats(0.1, 1), st.floats(0.01, 1), st.integers(0, 12 * SECOND)), max_size=3))
def test_it_equals_the_slow_rule_at_every_step(path: list[tuple[int, float]], shapes: list[tuple[float, float, int]]) -> None:
    """Law: same alerts as the version that keeps everything, and a state no larger than 17 bytes a rule."""
    rules = tuple(AlertRule(f"r{k}", Measure.IMBALANCE, top, min(low, top), cool, ()) for k, (top, low, cool) in enumerate(shapes))
    slow, state, time = [SlowRule(rule) for rule in rules], b"", 0
    for wait, value in path:
        time += wait
        fired, state = evaluate(rules, imbalance(value), state, time)
        assert [one.rule for one in fired] == [rule.rule for rule in slow if rule.take(value, time)]
        assert len(state) <= 1 + 17 * len(rules)


@given(steps)
def test_missing_values_change_nothing(path: list[tuple[int, float]]) -> None:
    state, time = b"", 0
    for wait, value in path:
        time += wait
        fired, after = evaluate((RULE,), imbalance(math.nan), state, time)
        assert fired == ()
        again, _ = evaluate((RULE,), imbalance(value), after, time)
        directly, state = evaluate((RULE,), imbalance(value), state, time)
        assert again == directly


def test_calm_symbols_and_removed_rules_keep_no_state() -> None:
    _, state = evaluate((RULE,), imbalance(0.9), b"", 0)
    assert len(state) == 18
    assert evaluate((RULE,), imbalance(0.1), state, 60 * SECOND) == ((), b"")
    assert evaluate((), imbalance(0.9), state, 1) == ((), b"")


def test_a_changed_rule_starts_anew_and_the_same_again_does_not() -> None:
    _, state = evaluate((RULE,), imbalance(0.9), b"", 0)
    assert evaluate((replace(RULE, symbols=("A",)),), imbalance(0.9), state, 1)[0] == ()
    assert len(evaluate((replace(RULE, threshold=0.7),), imbalance(0.9), state, 1)[0]) == 1


def test_each_measure_is_watched() -> None:
    measures = Measures(predicted_volatility=0.9, price_move=-0.9, confidence=0.9, imbalance=-0.9)
    for place, measure in enumerate(Measure):
        ((_, value),), _ = evaluate((replace(RULE, measure=measure),), measures, b"", 0)
        assert value == measures[place]
        assert Measures._fields[place].upper() == measure.name


def test_only_rules_of_the_symbol_are_asked() -> None:
    rules = (RULE, replace(RULE, rule_id="some", symbols=("A", "B")))
    assert [rule.rule_id for rule in rules_of_symbol(rules, "A")] == ["calm", "some"]
    assert [rule.rule_id for rule in rules_of_symbol(rules, "C")] == ["calm"]


@pytest.mark.parametrize("state", [b"\x02" + bytes(17), b"\x01" + bytes(16)])
def test_a_state_of_another_version_is_refused(state: bytes) -> None:
    with pytest.raises(StateVersionError):
        evaluate((RULE,), imbalance(0.0), state, 0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rule_id": ""}, "rule_id"),
        ({"threshold": math.nan}, "threshold"),
        ({"threshold": -1.0}, "threshold"),
        ({"threshold": 1.5}, "never be reached"),
        ({"rearm_below": 0.9}, "rearm_below"),
        ({"rearm_below": math.nan}, "rearm_below"),
        ({"cool_down": -1}, "cool_down"),
        ({"measure": 99}, "measure"),
    ],
)
def test_a_bad_rule_is_refused_with_its_reason(change: dict[str, object], says: str) -> None:
    check_rule(RULE)
    with pytest.raises(InvalidRule, match=says):
        check_rule(replace(RULE, **change))  # type: ignore[arg-type]


def test_alert_names_depend_on_rule_and_row() -> None:
    names = {
        alert_id("a", "S", 1, 2),
        alert_id("b", "S", 1, 2),
        alert_id("a", "T", 1, 2),
        alert_id("a", "S", 2, 2),
        alert_id("a", "S", 1, 3),
    }
    assert len(names) == 5
    assert alert_id("a", "S", 1, 2) in names
