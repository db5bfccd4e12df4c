"""What the control log has put into force, as of each of its entries.

Frames are stamped with the last entry that was in force when they entered the log, and different symbols may lag behind each other, so
every past state can be asked for: `at(version)` gives the same answer in live and in replay.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from udfs.codecs.control import decode_control
from udfs.errors import MalformedMessage, ModelMismatch, ModelUnavailable, Reason, TickflowError
from udfs.kernels.alert_rules import rules_of_symbol
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.records import AlertRule, BreakerChange, ChallengerChange, ControlEvent, ControlKind, ModelReference, TradingState
from udfs.scoring.news_model import SentimentScorer, load_news_model
from udfs.scoring.onnx_model import Scorer, load_model

_STATE_OF = {
    ControlKind.HALT: TradingState.HALTED,
    ControlKind.REDUCE: TradingState.REDUCING,
    ControlKind.RESUME: TradingState.ACTIVE,
}

FetchModel = Callable[[ModelReference], bytes]
"""Brings the bytes of a released model. Raises ModelUnavailable when the store does not answer now, another TickflowError when they can
never be had or are not those that were released."""


@dataclass(frozen=True, slots=True)
class ControlSnapshot:
    """What is in force at one version."""

    version: int = 0
    model: ModelReference | None = None
    scorer: Scorer | None = None
    news_model: ModelReference | None = None
    news_scorer: SentimentScorer | None = None
    rules: tuple[AlertRule, ...] = ()
    everything: TradingState = TradingState.ACTIVE
    """What people allow for every symbol that is not named."""
    by_symbol: Mapping[str, TradingState] = field(default_factory=dict)
    """Symbols for which another state was set since `everything` was."""
    breakers: Mapping[str, TradingState] = field(default_factory=dict)
    """Breakers that are open, and what each allows for everything."""
    breaker_state: TradingState = TradingState.ACTIVE
    """The strictest of them."""
    shed_level: int = 0
    """One of ShedLevel."""
    challengers: Mapping[str, ModelReference] = field(default_factory=dict)
    """Alias -> model that is scored beside the stream; nothing here loads it."""

    def trading_state(self, symbol: str) -> TradingState:
        """What is allowed for a symbol, by people and by breakers: the stricter counts."""
        return max(self.allowed_by_people(symbol), self.breaker_state)

    def allowed_by_people(self, symbol: str) -> TradingState:
        """What people allow for a symbol: the last entry that concerns it counts."""
        return self.by_symbol.get(symbol, self.everything)

    def is_halted(self, symbol: str) -> bool:
        """Whether a person halted the symbol."""
        return self.allowed_by_people(symbol) is TradingState.HALTED

    @property
    def everything_halted(self) -> bool:
        """Whether every symbol that is not named is halted."""
        return self.everything is TradingState.HALTED

    @property
    def halted_symbols(self) -> frozenset[str]:
        """Symbols that are halted by name."""
        return self._symbols(TradingState.HALTED)

    @property
    def reducing_symbols(self) -> frozenset[str]:
        """Symbols whose positions may only become smaller, by name."""
        return self._symbols(TradingState.REDUCING)

    @property
    def resumed_symbols(self) -> frozenset[str]:
        """Symbols that were let go again while everything else stays as it is."""
        return self._symbols(TradingState.ACTIVE)

    def _symbols(self, state: TradingState) -> frozenset[str]:
        return frozenset(symbol for symbol, found in self.by_symbol.items() if found is state)

    def rules_of(self, symbol: str) -> tuple[AlertRule, ...]:
        """The alert rules that watch a symbol."""
        return rules_of_symbol(self.rules, symbol) if self.rules else ()


@dataclass(frozen=True, slots=True)
class RefusedControl:
    """An entry that changed nothing: why, and its bytes."""

    version: int
    reason: Reason
    detail: str
    raw: bytes


class ControlState:
    """The snapshots after each entry of the log. Entries that cannot be applied leave the state as it was and are kept as refused."""

    def __init__(self, fetch_model: FetchModel) -> None:
        self._fetch_model = fetch_model
        self._snapshots = [ControlSnapshot()]
        self.refused: list[RefusedControl] = []

    @property
    def version(self) -> int:
        """The last entry read."""
        return len(self._snapshots) - 1

    def at(self, version: int) -> ControlSnapshot:
        """What was in force at a version that was read."""
        return self._snapshots[version]

    def read(self, raw: bytes) -> None:
        """Take the next entry of the log."""
        version = self.version + 1
        before = self._snapshots[-1]
        try:
            after = self._apply(before, decode_control(raw, version - 1))
        except MalformedMessage as error:
            after = self._refuse(version, error.reason, error.detail, raw)
        except ModelMismatch as error:
            after = self._refuse(version, Reason.MODEL_REFUSED, str(error), raw)
        self._snapshots.append(replace(after, version=version))

    def _refuse(self, version: int, reason: Reason, detail: str, raw: bytes) -> ControlSnapshot:
        self.refused.append(RefusedControl(version, reason, detail, raw))
        return self._snapshots[-1]

    def _apply(self, before: ControlSnapshot, event: ControlEvent) -> ControlSnapshot:
        if event.kind is ControlKind.MODEL and event.model is not None:
            return replace(before, model=event.model, scorer=load_model(self._fetch(event.model), FEATURE_NAMES, event.model.sha256))
        if event.kind is ControlKind.NEWS_MODEL and event.model is not None:
            return replace(before, news_model=event.model, news_scorer=load_news_model(self._fetch(event.model), event.model.sha256))
        if event.kind is ControlKind.ALERT_RULE and event.rule is not None:
            return replace(before, rules=(*_without(before.rules, event.rule.rule_id), event.rule))
        if event.kind is ControlKind.REMOVE_ALERT_RULE:
            return replace(before, rules=_without(before.rules, event.rule_id))
        if event.kind is ControlKind.BREAKER and event.breaker is not None:
            return _with_breakers(before, _changed(before.breakers, event.breaker))
        if event.kind is ControlKind.SHED:
            return replace(before, shed_level=event.shed_level)
        if event.kind is ControlKind.CHALLENGER and event.challenger is not None:
            return replace(before, challengers=_with_challenger(before.challengers, event.challenger))
        return _set(before, _STATE_OF[event.kind], event.symbols)

    def _fetch(self, model: ModelReference) -> bytes:
        """Raises ModelMismatch, and ModelUnavailable: a store that cannot be reached is the job's failure, not the model's."""
        try:
            return self._fetch_model(model)
        except ModelUnavailable:
            raise
        except TickflowError as error:
            raise ModelMismatch(f"model {model.version}: {error}") from error


def _without(rules: tuple[AlertRule, ...], rule_id: str) -> tuple[AlertRule, ...]:
    return tuple(rule for rule in rules if rule.rule_id != rule_id)


def _changed(breakers: Mapping[str, TradingState], change: BreakerChange) -> dict[str, TradingState]:
    return {name: state for name, state in {**breakers, change.name: change.state}.items() if state is not TradingState.ACTIVE}


def _with_challenger(challengers: Mapping[str, ModelReference], change: ChallengerChange) -> dict[str, ModelReference]:
    others = {alias: model for alias, model in challengers.items() if alias != change.alias}
    return others if change.model is None else {**others, change.alias: change.model}


def _with_breakers(before: ControlSnapshot, breakers: Mapping[str, TradingState]) -> ControlSnapshot:
    return replace(before, breakers=breakers, breaker_state=max(breakers.values(), default=TradingState.ACTIVE))


def _set(before: ControlSnapshot, state: TradingState, symbols: tuple[str, ...]) -> ControlSnapshot:
    """The state of these symbols, or of all: what was set for single ones before counts no more then.

    Who lets everything go closes the breakers, too; what watches opens them again where the reason is still there.
    """
    if not symbols:
        after = _with_breakers(before, {}) if state is TradingState.ACTIVE else before
        return replace(after, everything=state, by_symbol={})
    changed = {**before.by_symbol, **dict.fromkeys(symbols, state)}
    return replace(before, by_symbol={symbol: found for symbol, found in changed.items() if found is not before.everything})
