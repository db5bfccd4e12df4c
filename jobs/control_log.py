"""Reading the control log as it is now, and what it has put into force."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from jobs.gateway.control_follower import ControlLogUnreadable
from jobs.log_end import log_end
from jobs.settings import Settings
from udfs.codecs.control import decode_control
from udfs.errors import MalformedMessage, TickflowError
from udfs.operators.control_state import ControlSnapshot, ControlState, RefusedControl
from udfs.records import ControlEvent, ControlKind, ModelReference

READ_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class InForce:
    """What the log says. The model is the last that was published; whether workers could load it, they know."""

    snapshot: ControlSnapshot
    model: ModelReference | None
    news_model: ModelReference | None
    refused: tuple[RefusedControl, ...]
    """Entries that no worker applies, other than models."""


def read_control_log(settings: Settings, timeout_seconds: float = READ_SECONDS) -> list[bytes]:
    """Every entry up to the end of this moment; entry n has version n + 1. Raises ControlLogUnreadable."""
    topic = settings.topics.control
    consumer = Consumer(settings.kafka.consumer_properties("tickflow-control-reader"))
    try:
        end = log_end(consumer, topic, 0, timeout_seconds)
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        return list(_entries(consumer, topic, end, timeout_seconds))
    except KafkaException as error:
        raise ControlLogUnreadable(f"topic {topic}: {error.args[0].str()}; is the broker up and the topic made?") from error
    finally:
        consumer.close()


def in_force(entries: Iterable[bytes]) -> InForce:
    """The state after these entries, without loading any model."""
    state, newest, models = ControlState(no_model), dict[ControlKind, ModelReference | None](), set()
    for number, raw in enumerate(entries):
        found = _model_event(raw, number)
        if found is not None:
            newest[found.kind] = found.model
            models.add(number + 1)
        state.read(raw)
    refused = tuple(entry for entry in state.refused if entry.version not in models)
    return InForce(state.at(state.version), newest.get(ControlKind.MODEL), newest.get(ControlKind.NEWS_MODEL), refused)


def _entries(consumer: Consumer, topic: str, end: int, timeout_seconds: float) -> Iterable[bytes]:
    deadline = time.monotonic() + timeout_seconds
    offset = -1
    while offset < end - 1:
        message = consumer.poll(max(0.0, deadline - time.monotonic()))
        if message is None:
            raise ControlLogUnreadable(f"topic {topic}: read {offset + 1} of {end} entries in {timeout_seconds} s")
        error = message.error()
        if error is not None:
            raise KafkaException(error)
        offset = int(message.offset() or 0)
        yield bytes(message.value() or b"")


def _model_event(raw: bytes, offset: int) -> ControlEvent | None:
    try:
        event = decode_control(raw, offset)
    except MalformedMessage:
        return None
    return event if event.kind in (ControlKind.MODEL, ControlKind.NEWS_MODEL) else None


def no_model(model: ModelReference) -> bytes:
    """For whoever follows the log without scoring: every model is refused, which changes nothing else."""
    raise TickflowError(f"model {model.version} is not loaded here")
