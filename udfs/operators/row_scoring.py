"""From a feature row to its signal and its alerts."""

from __future__ import annotations

import math

from udfs.kernels.alert_rules import Fired, Measures, alert_id, evaluate
from udfs.kernels.feature_vector import Feature
from udfs.kernels.signal_rules import NOTHING_SCORED, ScoringFlag, decide, feature_hash, signal_id
from udfs.operators.control_state import ControlSnapshot
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import Alert, Direction, FeatureRow, Signal, SignalCode, SignalStatus
from udfs.scoring.onnx_model import Scores

_PRICE_MOVE = int(Feature.RETURN_5_MINUTES)
_IMBALANCE = int(Feature.IMBALANCE_5_LEVELS)
_HALTED = int(ScoringFlag.HALTED_BY_CONTROL)
_SCORED_SOUNDLY = (SignalCode.NONE, SignalCode.LOW_CONFIDENCE)


class RowScoring:
    """Makes signals and alerts; holds settings only."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._thresholds = settings.thresholds
        self._manifest_id = settings.manifest_id

    def signal(self, row: FeatureRow, price: float, row_flags: int, control: ControlSnapshot, scores: Scores | None, index: int) -> Signal:
        """The signal of a row; `scores` holds it at `index`, None where no model is in force."""
        probabilities, expected_return, sigma, valid_share = _score_at(scores, index)
        flags = row_flags | (_HALTED if control.is_halted(row.symbol) else 0)
        scorer = control.scorer
        decision = decide(probabilities, expected_return, sigma, flags, scorer is not None, self._thresholds, valid_share)
        explained = scorer is not None and decision.status is SignalStatus.OK and decision.direction is not Direction.NEUTRAL
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


def _score_at(scores: Scores | None, index: int) -> tuple[tuple[float, float, float], float, float, float]:
    if scores is None:
        return NOTHING_SCORED, math.nan, math.nan, 0.0
    down, neutral, up = scores.probabilities[index].tolist()
    return (down, neutral, up), float(scores.expected_return[index]), float(scores.sigma[index]), float(scores.valid_share[index])


def _measures(row: FeatureRow, signal: Signal) -> Measures:
    """Features that are not valid are NaN already. A score not to be trusted raises no alert; one of low confidence keeps its sigma."""
    return Measures(
        predicted_volatility=signal.sigma if signal.code in _SCORED_SOUNDLY else math.nan,
        price_move=float(row.values[_PRICE_MOVE]),
        confidence=signal.confidence if signal.status is SignalStatus.OK else math.nan,
        imbalance=float(row.values[_IMBALANCE]),
    )
