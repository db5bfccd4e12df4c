"""Signals and alerts on the wire."""

from __future__ import annotations

from typing import Final

from udfs.codecs.generated.alert_pb2 import Alert as AlertMessage
from udfs.codecs.generated.signal_pb2 import Signal as SignalMessage
from udfs.codecs.messages import known, parse, position_fields, position_of
from udfs.codecs.wire import PINNED, MessageFraming
from udfs.records import Alert, Attribution, Direction, Signal, SignalCode, SignalStatus

SIGNAL_FRAMING: Final = PINNED.framing("Signal")
ALERT_FRAMING: Final = PINNED.framing("Alert")


def encode_signal(signal: Signal, framing: MessageFraming = SIGNAL_FRAMING) -> bytes:
    """A signal as bytes."""
    down, neutral, up = signal.probabilities
    message = SignalMessage(
        signal_id=signal.signal_id,
        symbol=signal.symbol,
        event_time=signal.event_time,
        available_time=signal.available_time,
        event_number=signal.event_number,
        horizon=signal.horizon,
        price=signal.price,
        direction=int(signal.direction),  # type: ignore[arg-type]
        confidence=signal.confidence,
        probability_down=down,
        probability_neutral=neutral,
        probability_up=up,
        expected_return=signal.expected_return,
        sigma=signal.sigma,
        reasons=[_attribution_message(reason) for reason in signal.reasons],
        status=int(signal.status),  # type: ignore[arg-type]
        code=int(signal.code),  # type: ignore[arg-type]
        model_version=signal.model_version,
        model_hash=signal.model_hash,
        feature_hash=signal.feature_hash,
        control_version=signal.control_version,
        manifest_id=signal.manifest_id,
        **position_fields(signal.position),
    )
    return framing.frame(message.SerializeToString())


def decode_signal(data: bytes, framing: MessageFraming = SIGNAL_FRAMING) -> Signal:
    """Bytes to a signal. Raises MalformedMessage and nothing else, whatever the bytes."""
    message = parse(SignalMessage.FromString, data, framing)
    return Signal(
        signal_id=message.signal_id,
        symbol=message.symbol,
        event_time=message.event_time,
        available_time=message.available_time,
        event_number=message.event_number,
        horizon=message.horizon,
        price=message.price,
        direction=known(Direction, message.direction, "direction"),
        confidence=message.confidence,
        probabilities=(message.probability_down, message.probability_neutral, message.probability_up),
        expected_return=message.expected_return,
        sigma=message.sigma,
        reasons=tuple(Attribution(reason.feature, reason.contribution, reason.words) for reason in message.reasons),
        status=known(SignalStatus, message.status, "status"),
        code=known(SignalCode, message.code, "code"),
        model_version=message.model_version,
        model_hash=message.model_hash,
        feature_hash=message.feature_hash,
        control_version=message.control_version,
        position=position_of(message),
        manifest_id=message.manifest_id,
    )


def encode_alert(alert: Alert, framing: MessageFraming = ALERT_FRAMING) -> bytes:
    """An alert as bytes."""
    message = AlertMessage(
        alert_id=alert.alert_id,
        rule_id=alert.rule_id,
        symbol=alert.symbol,
        event_time=alert.event_time,
        available_time=alert.available_time,
        event_number=alert.event_number,
        measure=alert.measure,
        threshold=alert.threshold,
        value=alert.value,
        signal_id=alert.signal_id,
        manifest_id=alert.manifest_id,
        **position_fields(alert.position),
    )
    return framing.frame(message.SerializeToString())


def decode_alert(data: bytes, framing: MessageFraming = ALERT_FRAMING) -> Alert:
    """Bytes to an alert. Raises MalformedMessage and nothing else, whatever the bytes."""
    message = parse(AlertMessage.FromString, data, framing)
    return Alert(
        alert_id=message.alert_id,
        rule_id=message.rule_id,
        symbol=message.symbol,
        event_time=message.event_time,
        available_time=message.available_time,
        event_number=message.event_number,
        measure=message.measure,
        threshold=message.threshold,
        value=message.value,
        signal_id=message.signal_id,
        position=position_of(message),
        manifest_id=message.manifest_id,
    )


def _attribution_message(reason: Attribution) -> SignalMessage.Attribution:
    return SignalMessage.Attribution(feature=reason.feature, contribution=reason.contribution, words=reason.words)
