"""Control events on the wire, and what makes one valid."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, TypeVar, cast

from udfs.codecs.control_rules import control_problems
from udfs.codecs.generated.control_event_pb2 import ControlEvent as ControlMessage
from udfs.codecs.messages import parse
from udfs.codecs.wire import PINNED, MessageFraming
from udfs.errors import InvalidRule, MalformedMessage, Reason
from udfs.records import AlertRule, BreakerChange, ChallengerChange, ControlEvent, ControlKind, Measure, ModelReference, TradingState

CONTROL_FRAMING: Final = PINNED.framing("ControlEvent")

_Member = TypeVar("_Member", bound=IntEnum)


def validate_control(event: ControlEvent) -> None:
    """Raises InvalidRule, naming every problem at once, for a control event that cannot be applied."""
    problems = control_problems(event)
    if problems:
        raise InvalidRule("; ".join(problems))


def encode_control(event: ControlEvent, framing: MessageFraming = CONTROL_FRAMING) -> bytes:
    """A control event as bytes. Raises InvalidRule, naming every problem at once, where it cannot be applied."""
    validate_control(event)
    try:
        return framing.frame(_message(event).SerializeToString())
    except (TypeError, ValueError) as error:
        raise InvalidRule(f"a field does not fit its type on the wire: {error}") from None


def decode_control(data: bytes, offset: int | None = None, framing: MessageFraming = CONTROL_FRAMING) -> ControlEvent:
    """Bytes to a control event whose version is `offset` + 1, or where no offset is given the one in the message.

    Raises MalformedMessage and nothing else, whatever the bytes: MALFORMED_CONTROL where they are no control event, UNKNOWN_SCHEMA where
    they are of another schema, INVALID_RULE where they are a control event that cannot be applied.
    """
    event = _event(parse(ControlMessage.FromString, data, framing, Reason.MALFORMED_CONTROL), offset)
    problems = control_problems(event)
    if problems:
        raise MalformedMessage(Reason.INVALID_RULE, "; ".join(problems))
    return event


def _message(event: ControlEvent) -> ControlMessage:
    return ControlMessage(
        version=event.version,
        kind=int(event.kind),  # type: ignore[arg-type]
        event_time=event.event_time,
        author=event.author,
        reason=event.reason,
        model=None if event.model is None else _model_message(event.model),
        rule=None if event.rule is None else _rule_message(event.rule),
        rule_id=event.rule_id,
        symbols=event.symbols,
        breaker=None if event.breaker is None else _breaker_message(event.breaker),
        shed_level=event.shed_level,
        challenger=None if event.challenger is None else _challenger_message(event.challenger),
    )


def _challenger_message(change: ChallengerChange) -> ControlMessage.Challenger:
    return ControlMessage.Challenger(alias=change.alias, model=None if change.model is None else _model_message(change.model))


def _breaker_message(change: BreakerChange) -> ControlMessage.Breaker:
    return ControlMessage.Breaker(name=change.name, state=int(change.state))  # type: ignore[arg-type]


def _model_message(model: ModelReference) -> ControlMessage.Model:
    return ControlMessage.Model(version=model.version, uri=model.uri, sha256=model.sha256)


def _rule_message(rule: AlertRule) -> ControlMessage.Rule:
    return ControlMessage.Rule(
        rule_id=rule.rule_id,
        measure=int(rule.measure),  # type: ignore[arg-type]
        threshold=rule.threshold,
        rearm_below=rule.rearm_below,
        cool_down=rule.cool_down,
        symbols=rule.symbols,
    )


def _event(message: ControlMessage, offset: int | None) -> ControlEvent:
    return ControlEvent(
        version=message.version if offset is None else offset + 1,
        kind=_member(ControlKind, message.kind),
        event_time=message.event_time,
        author=message.author,
        reason=message.reason,
        model=_model(message.model) if message.HasField("model") else None,
        rule=_rule(message.rule) if message.HasField("rule") else None,
        rule_id=message.rule_id,
        symbols=tuple(message.symbols),
        breaker=_breaker(message.breaker) if message.HasField("breaker") else None,
        shed_level=message.shed_level,
        challenger=_challenger(message.challenger) if message.HasField("challenger") else None,
    )


def _challenger(message: ControlMessage.Challenger) -> ChallengerChange:
    return ChallengerChange(message.alias, _model(message.model) if message.HasField("model") else None)


def _breaker(message: ControlMessage.Breaker) -> BreakerChange:
    return BreakerChange(message.name, _member(TradingState, message.state))


def _model(message: ControlMessage.Model) -> ModelReference:
    return ModelReference(message.version, message.uri, message.sha256)


def _rule(message: ControlMessage.Rule) -> AlertRule:
    return AlertRule(
        rule_id=message.rule_id,
        measure=_member(Measure, message.measure),
        threshold=message.threshold,
        rearm_below=message.rearm_below,
        cool_down=message.cool_down,
        symbols=tuple(message.symbols),
    )


def _member(members: type[_Member], number: int) -> _Member:
    """The member of this number; a number that has none stays as it is, for `control_problems` to name with all else that is wrong."""
    try:
        return members(number)
    except ValueError:
        return cast(_Member, number)
