"""What makes a control event applicable. All problems are found at once."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from udfs.codecs.generated.control_event_pb2 import ControlEvent as ControlMessage
from udfs.records import ControlKind, Measure

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_KIND_NAMES: Final = {kind.value: kind.name for kind in ControlKind}
_MEASURE_NAMES: Final = {measure.value: measure.name for measure in Measure}
_AT_MOST_ONE: Final = frozenset({Measure.CONFIDENCE.value, Measure.IMBALANCE.value})
"""Measures that never exceed 1, so that a higher threshold could never be reached."""
_PARTS_OF_KIND: Final = {
    ControlKind.MODEL.value: ("model",),
    ControlKind.ALERT_RULE.value: ("rule",),
    ControlKind.REMOVE_ALERT_RULE.value: ("rule_id",),
    ControlKind.HALT.value: ("symbols",),
    ControlKind.RESUME.value: ("symbols",),
}
_MAY_BE_EMPTY: Final = frozenset({"symbols"})


def control_problems(message: ControlMessage) -> list[str]:
    """Everything that keeps the event from being applied, each with what was found and what was expected; empty when it can be applied."""
    problems = [*_number_problems(message), *_part_problems(message), *_symbol_problems("symbols", message.symbols)]
    if message.HasField("model"):
        problems += _model_problems(message.model)
    if message.HasField("rule"):
        problems += _rule_problems(message.rule)
    return problems


def _number_problems(message: ControlMessage) -> Iterable[str]:
    if message.version < 0:
        yield f"version is {message.version}; expected 0 or more"
    if message.event_time < 0:
        yield f"event_time is {message.event_time}; expected nanoseconds since 1970"
    if message.kind not in _KIND_NAMES:
        yield f"kind is {message.kind}; expected one of {_listed(_KIND_NAMES)}"


def _part_problems(message: ControlMessage) -> Iterable[str]:
    """The part that the kind needs must be there, and no other."""
    expected = _PARTS_OF_KIND.get(message.kind)
    if expected is None:
        return
    kind = _KIND_NAMES[message.kind]
    present = {field.name for field, _ in message.ListFields()}
    for part in ("model", "rule", "rule_id", "symbols"):
        if part in expected and part not in present and part not in _MAY_BE_EMPTY:
            yield f"{kind} without {part}"
        if part in present and part not in expected:
            yield f"{kind} with {part}, which belongs to another kind"


def _model_problems(model: ControlMessage.Model) -> Iterable[str]:
    if not model.version:
        yield "model.version is empty"
    if not model.uri:
        yield "model.uri is empty"
    if not _SHA256.fullmatch(model.sha256):
        yield f"model.sha256 is {model.sha256!r}; expected 64 lowercase hexadecimal digits"


def _rule_problems(rule: ControlMessage.Rule) -> Iterable[str]:
    if not rule.rule_id:
        yield "rule.rule_id is empty"
    if rule.measure not in _MEASURE_NAMES:
        yield f"rule.measure is {rule.measure}; expected one of {_listed(_MEASURE_NAMES)}"
    if not (math.isfinite(rule.threshold) and rule.threshold > 0):
        yield f"rule.threshold is {rule.threshold}; expected a finite number above 0"
    elif rule.measure in _AT_MOST_ONE and rule.threshold > 1:
        yield f"rule.threshold is {rule.threshold}; {_MEASURE_NAMES[rule.measure]} never exceeds 1, so the rule would never fire"
    if not (math.isfinite(rule.rearm_below) and rule.rearm_below >= 0):
        yield f"rule.rearm_below is {rule.rearm_below}; expected a finite number of 0 or more"
    elif rule.rearm_below > rule.threshold:
        yield f"rule.rearm_below is {rule.rearm_below}; expected at most the threshold {rule.threshold}"
    if rule.cool_down < 0:
        yield f"rule.cool_down is {rule.cool_down}; expected nanoseconds, 0 or more"
    yield from _symbol_problems("rule.symbols", rule.symbols)


def _symbol_problems(name: str, symbols: Iterable[str]) -> Iterable[str]:
    counts = Counter(symbols)
    if "" in counts:
        yield f"{name} holds an empty symbol"
    repeated = sorted(symbol for symbol, count in counts.items() if count > 1)
    if repeated:
        yield f"{name} holds {', '.join(repeated)} more than once"


def _listed(names: dict[int, str]) -> str:
    return ", ".join(f"{number} {name}" for number, name in names.items())
