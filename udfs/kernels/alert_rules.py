"""Which alert rules fire at a feature row: hysteresis and cool-down, with a few bytes of state a symbol. Pure.

A rule fires when |measure| reaches its threshold while it is armed and its cool-down since the last alert has passed. Firing disarms it,
|measure| below `rearm_below` arms it again, also during the cool-down. NaN neither fires nor arms. Only rules that are disarmed or
cooling down take room in the state (17 bytes each); an entry leaves with its rule, or when the rule is as good as new.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from udfs.errors import InvalidRule, StateVersionError
from udfs.records import AlertRule, Measure

STATE_VERSION = 1
_ENTRY = struct.Struct("<8s?q")
_DIGEST_BYTES = 10


class Measures(NamedTuple):
    """What rules watch, in the order of `udfs.records.Measure`; NaN where there is no value."""

    predicted_volatility: float
    """The model's sigma: standard deviation of the log return over its horizon."""
    price_move: float
    """Log return of the last 5 minutes."""
    confidence: float
    """Calibrated probability of the signal's direction."""
    imbalance: float
    """Book imbalance over 5 levels, in [-1, 1]."""


class Fired(NamedTuple):
    """A rule that fires, and the measure's value, with its sign."""

    rule: AlertRule
    value: float


class _Memory(NamedTuple):
    """What is kept of a rule that fired."""

    armed: bool
    last_fired: int


def rules_of_symbol(rules: Iterable[AlertRule], symbol: str) -> tuple[AlertRule, ...]:
    """The rules that watch a symbol, in their order."""
    return tuple(rule for rule in rules if not rule.symbols or symbol in rule.symbols)


def evaluate(rules: tuple[AlertRule, ...], measures: Measures, state: bytes, event_time: int) -> tuple[tuple[Fired, ...], bytes]:
    """(what fires in the order of the rules, new state). `rules` are those of the symbol; an empty state is every rule's first.

    Raises StateVersionError on a state of another version.
    """
    if not state and not any(_reached(rule, measures) for rule in rules):
        return (), state
    memories = _read_state(state)
    fired, kept = [], {}
    for rule in rules:
        key = _key(rule)
        fires, memory = _step(rule, measures, memories.get(key), event_time)
        if fires:
            fired.append(Fired(rule, measures[rule.measure - 1]))
        if memory is not None:
            kept[key] = memory
    return tuple(fired), _write_state(kept)


def _reached(rule: AlertRule, measures: Measures) -> bool:
    return abs(measures[rule.measure - 1]) >= rule.threshold


def _step(rule: AlertRule, measures: Measures, memory: _Memory | None, event_time: int) -> tuple[bool, _Memory | None]:
    """(fires now, what to remember); no memory means armed and never fired."""
    cooled = memory is None or event_time - memory.last_fired >= rule.cool_down
    armed = memory is None or memory.armed or abs(measures[rule.measure - 1]) < rule.rearm_below
    if armed and cooled:
        fires = _reached(rule, measures)
        return fires, _Memory(armed=False, last_fired=event_time) if fires else None
    assert memory is not None
    return False, _Memory(armed, memory.last_fired)


@lru_cache(maxsize=4096)
def _key(rule: AlertRule) -> bytes:
    """Names the rule in the state: a changed rule starts anew, the same rule published again does not. The watchlist does not matter."""
    content = f"{rule.rule_id}\n{int(rule.measure)}\n{rule.threshold!r}\n{rule.rearm_below!r}\n{rule.cool_down}"
    return blake2b(content.encode(), digest_size=8).digest()


def _read_state(state: bytes) -> dict[bytes, _Memory]:
    if not state:
        return {}
    if state[0] != STATE_VERSION or (len(state) - 1) % _ENTRY.size:
        raise StateVersionError(f"alert state of version {state[0]} and {len(state)} bytes, expected version {STATE_VERSION}")
    return {key: _Memory(armed, last_fired) for key, armed, last_fired in _ENTRY.iter_unpack(state[1:])}


def _write_state(memories: dict[bytes, _Memory]) -> bytes:
    if not memories:
        return b""
    return bytes([STATE_VERSION]) + b"".join(_ENTRY.pack(key, *memory) for key, memory in memories.items())


def alert_id(rule_id: str, symbol: str, event_number: int, event_time: int) -> str:
    """20 hexadecimal digits that depend on the rule and the feature row alone. Neither name may hold a line feed."""
    name = f"{rule_id}\n{symbol}\n{event_number}\n{event_time}"
    return blake2b(name.encode(), digest_size=_DIGEST_BYTES).hexdigest()


def check_rule(rule: AlertRule) -> None:
    """Raises InvalidRule with everything that is wrong with a rule."""
    problems = [problem for problem, found in _problems(rule) if found]
    if problems:
        raise InvalidRule(f"alert rule {rule.rule_id!r}: {'; '.join(problems)}")


def _problems(rule: AlertRule) -> tuple[tuple[str, bool], ...]:
    most = 1.0 if rule.measure in (Measure.CONFIDENCE, Measure.IMBALANCE) else math.inf
    return (
        ("rule_id is empty or holds a line feed", not rule.rule_id or "\n" in rule.rule_id),
        (f"measure {rule.measure!r} is unknown", rule.measure not in tuple(Measure)),
        (f"threshold {rule.threshold} is not above 0 and finite", not 0 < rule.threshold < math.inf),
        (f"threshold {rule.threshold} can never be reached: the measure is at most {most}", rule.threshold > most),
        (f"rearm_below {rule.rearm_below} is not between 0 and the threshold {rule.threshold}", not 0 < rule.rearm_below <= rule.threshold),
        (f"cool_down {rule.cool_down} is negative", rule.cool_down < 0),
    )
