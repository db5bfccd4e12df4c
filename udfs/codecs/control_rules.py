"""What makes a control event applicable. All problems are found at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from udfs.errors import InvalidRule
from udfs.kernels.alert_rules import check_rule
from udfs.records import AlertRule, BreakerChange, ChallengerChange, ControlEvent, ControlKind, ModelReference, ShedLevel, TradingState

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PART_OF_KIND: Final = {
    ControlKind.MODEL: "model",
    ControlKind.ALERT_RULE: "rule",
    ControlKind.REMOVE_ALERT_RULE: "rule_id",
    ControlKind.HALT: "symbols",
    ControlKind.RESUME: "symbols",
    ControlKind.NEWS_MODEL: "model",
    ControlKind.REDUCE: "symbols",
    ControlKind.BREAKER: "breaker",
    ControlKind.SHED: "shed_level",
    ControlKind.CHALLENGER: "challenger",
}
"""The one part of a control event that each kind carries."""
_MAY_BE_EMPTY: Final = ("symbols", "shed_level")
CHALLENGER_ALIAS: Final = re.compile(r"challenger-[a-z0-9][a-z0-9-]{0,40}")
_BREAKER_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")


def control_problems(event: ControlEvent) -> list[str]:
    """Everything that keeps the event from being applied, each with what was found and what was expected; empty when it can be applied."""
    return [
        *_number_problems(event),
        *_part_problems(event),
        *(() if event.model is None else _model_problems(event.model)),
        *(() if event.rule is None else _rule_problems(event.rule)),
        *(() if event.breaker is None else _breaker_problems(event.breaker)),
        *(() if event.challenger is None else _challenger_problems(event.challenger)),
        *_symbol_problems("symbols", event.symbols),
    ]


def _number_problems(event: ControlEvent) -> Iterable[str]:
    if event.version < 0:
        yield f"version is {event.version}; expected 0 or more"
    if event.event_time < 0:
        yield f"event_time is {event.event_time}; expected nanoseconds since 1970"
    if event.shed_level not in ShedLevel.__members__.values():
        yield f"shed_level is {event.shed_level}; expected one of {', '.join(f'{level.value} {level.name}' for level in ShedLevel)}"
    if event.kind not in _PART_OF_KIND:
        yield f"kind is {event.kind}; expected one of {', '.join(f'{kind.value} {kind.name}' for kind in ControlKind)}"


def _part_problems(event: ControlEvent) -> Iterable[str]:
    """The part that the kind needs must be there, and no other."""
    expected = _PART_OF_KIND.get(event.kind)
    if expected is None:
        return
    name = ControlKind(event.kind).name
    for part in ("model", "rule", "rule_id", "symbols", "breaker", "shed_level", "challenger"):
        present = bool(getattr(event, part))
        if part == expected and not present and part not in _MAY_BE_EMPTY:
            yield f"{name} without {part}"
        if part != expected and present:
            yield f"{name} with {part}, which belongs to another kind"


def _model_problems(model: ModelReference) -> Iterable[str]:
    if not model.version:
        yield "model.version is empty"
    if not model.uri:
        yield "model.uri is empty"
    if not _SHA256.fullmatch(model.sha256):
        yield f"model.sha256 is {model.sha256!r}; expected 64 lowercase hexadecimal digits"


def _breaker_problems(change: BreakerChange) -> Iterable[str]:
    if not _BREAKER_NAME.fullmatch(change.name):
        yield f"breaker.name is {change.name!r}; expected lowercase letters, digits and hyphens"
    if change.state not in TradingState.__members__.values():
        yield f"breaker.state is {change.state}; expected one of {', '.join(f'{state.value} {state.name}' for state in TradingState)}"


def _challenger_problems(change: ChallengerChange) -> Iterable[str]:
    if not CHALLENGER_ALIAS.fullmatch(change.alias):
        yield f"challenger.alias is {change.alias!r}; expected challenger- and lowercase letters, digits and hyphens"
    if change.model is not None:
        yield from _model_problems(change.model)


def _rule_problems(rule: AlertRule) -> Iterable[str]:
    try:
        check_rule(rule)
    except InvalidRule as error:
        yield str(error)
    yield from _symbol_problems("rule.symbols", rule.symbols)


def _symbol_problems(name: str, symbols: Iterable[str]) -> Iterable[str]:
    counts = Counter(symbols)
    if "" in counts:
        yield f"{name} holds an empty symbol"
    repeated = sorted(symbol for symbol, count in counts.items() if count > 1)
    if repeated:
        yield f"{name} holds {', '.join(repeated)} more than once"
