"""From a feature row to its signal and its alerts."""

from __future__ import annotations

import math
from typing import TypeAlias

from udfs.kernels.alert_rules import Fired, Measures, alert_id, evaluate
from udfs.kernels.breakers.one_sided import count_direction
from udfs.kernels.feature_vector import Feature
from udfs.kernels.signal_rules import NOTHING_SCORED, Decision, ScoringFlag, decide, feature_hash, signal_id
from udfs.kernels.symbol_state import SymbolState
from udfs.operators.control_state import ControlSnapshot
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import Alert, Direction, FeatureRow, ShedLevel, Signal, SignalCode, SignalStatus, TradingState
from udfs.scoring.onnx_model import Scorer, Scores

_PRICE_MOVE = int(Feature.RETURN_5_MINUTES)
_IMBALANCE = int(Feature.IMBALANCE_5_LEVELS)
_OUT_OF_RANGE = int(ScoringFlag.OUT_OF_RANGE)
_EXPIRED = int(ScoringFlag.MODEL_EXPIRED)
_FLAG_OF_STATE = {
    TradingState.ACTIVE: 0,
    TradingState.REDUCING: int(ScoringFlag.REDUCE_ONLY),
    TradingState.HALTED: int(ScoringFlag.HALTED_BY_CONTROL),
}
_FLAG_OF_BREAKERS = _FLAG_OF_STATE | {TradingState.HALTED: int(ScoringFlag.BREAKER_OPEN)}
_SCORED_SOUNDLY = (SignalCode.NONE, SignalCode.LOW_CONFIDENCE, SignalCode.REDUCE_ONLY, SignalCode.ONE_SIDED)
_USABLE = (SignalStatus.OK, SignalStatus.REDUCING)


Scored: TypeAlias = tuple[tuple[float, float, float], float, float, float, float]
"""Probabilities, expected return, sigma, and the shares of inputs that are valid, and that lie far outside."""


class RowScoring:
    """Makes signals and alerts; holds settings only."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._thresholds = settings.thresholds
        self._manifest_id = settings.manifest_id

    def signal(
        self,
        row: FeatureRow,
        price: float,
        row_flags: int,
        control: ControlSnapshot,
        scores: Scores | None,
        index: int,
        state: SymbolState,
    ) -> Signal:
        """The signal of a row; `scores` holds it at `index`, None where no model is in force. What a breaker counts goes into `state`."""
        scored = score_at(scores, index)
        probabilities, expected_return, sigma, _, _ = scored
        decision = self.decision(row.symbol, row.event_time, row_flags, control, scored, state)
        scorer = control.scorer
        explained = decision.status in _USABLE and decision.direction is not Direction.NEUTRAL and control.shed_level < ShedLevel.REASONS
        model_hash, vector_hash = scorer.sha256 if scorer else "", feature_hash(row.values)
        return Signal(
            signal_id=signal_id(row.symbol, row.event_number, row.event_time, model_hash, vector_hash),
            symbol=row.symbol,
            event_time=row.event_time,
            available_time=row.available_time,
            event_number=row.event_number,
            horizon=scorer.horizon if scorer else 0,
            price=price,
            direction=decision.direction,
            confidence=decision.confidence,
            probabilities=probabilities,
            expected_return=expected_return,
            sigma=sigma,
            reasons=scorer.reasons(row.values, decision.direction) if scorer and explained else (),
            status=decision.status,
            code=decision.code,
            model_version=scorer.version if scorer else "",
            model_hash=model_hash,
            feature_hash=vector_hash,
            control_version=row.control_version,
            position=row.position,
            manifest_id=self._manifest_id,
        )

    def decision(
        self, symbol: str, event_time: int, row_flags: int, control: ControlSnapshot, scored: Scored, state: SymbolState
    ) -> Decision:
        """What becomes of the score of a row. What a breaker counts goes into `state`, and is all that later rows are told of it."""
        probabilities, expected_return, sigma, valid_share, outside_share = scored
        scorer = control.scorer
        flags = row_flags | _FLAG_OF_STATE[control.allowed_by_people(symbol)] | _FLAG_OF_BREAKERS[control.breaker_state]
        if scorer is None:
            return decide(probabilities, expected_return, sigma, flags, False, self._thresholds, valid_share)
        flags |= self._flags_of_model(event_time, scorer, outside_share)
        thresholds = self._thresholds.at_least(scorer.minimum_confidence)
        decision = decide(probabilities, expected_return, sigma, flags, True, thresholds, valid_share)
        return self._restrained(decision, event_time, scorer, state)

    def _flags_of_model(self, event_time: int, scorer: Scorer, outside_share: float) -> int:
        thresholds = self._thresholds
        flags = _OUT_OF_RANGE if outside_share > thresholds.maximum_outside_share else 0
        if 0 < thresholds.model_expiry_nanoseconds < event_time - scorer.trained_until:
            flags |= _EXPIRED
        return flags

    def _restrained(self, decision: Decision, event_time: int, scorer: Scorer, state: SymbolState) -> Decision:
        """A model that says the same of everything is held back; only what could be acted on, or is not sure enough, counts."""
        is_usable = decision.status in _USABLE
        if not is_usable and decision.code is not SignalCode.LOW_CONFIDENCE:
            return decision
        direction = int(decision.direction) if is_usable else 0
        tripped = count_direction(state, direction, event_time, scorer.number, self._thresholds.one_sided_nanoseconds)
        return decision._replace(status=SignalStatus.ABSTAINED, code=SignalCode.ONE_SIDED) if tripped and is_usable else decision

    def alerts(self, row: FeatureRow, signal: Signal, control: ControlSnapshot, state: bytes) -> tuple[list[Alert], bytes]:
        """The alerts of a row and the rules' state after it."""
        rules = control.rules_of(row.symbol)
        if not rules:
            return [], b""
        fired, after = evaluate(rules, _measures(row, signal), state, row.event_time)
        return [self._alert(entry, row, signal) for entry in fired], after

    def _alert(self, fired: Fired, row: FeatureRow, signal: Signal) -> Alert:
        return Alert(
            alert_id=alert_id(fired.rule.rule_id, row.symbol, row.event_number, row.event_time),
            rule_id=fired.rule.rule_id,
            symbol=row.symbol,
            event_time=row.event_time,
            available_time=row.available_time,
            event_number=row.event_number,
            measure=fired.rule.measure.name.lower(),
            threshold=fired.rule.threshold,
            value=fired.value,
            signal_id=signal.signal_id,
            position=row.position,
            manifest_id=self._manifest_id,
        )


def score_at(scores: Scores | None, index: int) -> Scored:
    """What a model says of one row of a batch; without scores that nothing was scored."""
    if scores is None:
        return NOTHING_SCORED, math.nan, math.nan, 0.0, 0.0
    down, neutral, up = scores.probabilities[index].tolist()
    expected_return, sigma = float(scores.expected_return[index]), float(scores.sigma[index])
    return (down, neutral, up), expected_return, sigma, float(scores.valid_share[index]), float(scores.outside_share[index])


def _measures(row: FeatureRow, signal: Signal) -> Measures:
    """Features that are not valid are NaN already. A score not to be trusted raises no alert; one of low confidence keeps its sigma."""
    return Measures(
        predicted_volatility=signal.sigma if signal.code in _SCORED_SOUNDLY else math.nan,
        price_move=float(row.values[_PRICE_MOVE]),
        confidence=signal.confidence if signal.status is SignalStatus.OK else math.nan,
        imbalance=float(row.values[_IMBALANCE]),
    )
