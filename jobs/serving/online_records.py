"""What the online store keeps of a symbol: the keys, the fields of their hashes, and which of two records is the newer one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import Message

from udfs.codecs.generated.feature_row_pb2 import FeatureRow as RowMessage
from udfs.codecs.generated.signal_pb2 import Signal as SignalMessage
from udfs.codecs.messages import parse
from udfs.codecs.wire import SchemaIds
from udfs.errors import MalformedMessage, Reason
from udfs.records import Direction, SignalCode, SignalStatus

Fields = dict[str, "str | bytes | int | float"]

KEY_PREFIX: Final = "tickflow:"
LARGEST_DISORDER: Final = 10_000_000_000
"""Nanoseconds. No run accepts an event that is further behind its symbol's clock (`KernelSection.out_of_order_milliseconds`)."""

FEATURE_PLAIN: Final = ("event_time", "available_time", "event_number", "feature_set", "control_version", "manifest_id", "values", "valid")
SIGNAL_PLAIN: Final = (
    "event_time", "available_time", "event_number", "horizon", "price", "confidence", "probability_down", "probability_neutral",
    "probability_up", "expected_return", "sigma", "signal_id", "model_version", "model_hash", "control_version", "manifest_id",
)  # fmt: skip
"""Fields of the messages that are stored under their own names, as they are."""


@dataclass(frozen=True, slots=True)
class OnlineRecord:
    """The newest of something for one symbol. `message` is only turned into fields when it is written."""

    key: str
    event_number: int
    event_time: int
    message: Any
    to_fields: Callable[[Any], Fields]

    def fields(self) -> Fields:
        """The fields of the hash."""
        return self.to_fields(self.message)


def feature_key(symbol: str) -> str:
    """Where the newest feature row of a symbol lies."""
    return f"{KEY_PREFIX}feature:{symbol}"


def signal_key(symbol: str) -> str:
    """Where the newest signal of a symbol lies."""
    return f"{KEY_PREFIX}signal:{symbol}"


def replaces(number: int, time: int, old_number: int, old_time: int) -> bool:
    """Whether a record takes the place of the one that is stored. Redis decides by the same rule, see `redis_writer`.

    The greater event number is newer. Where the times are further apart than any disorder inside one run, the later one is: numbers
    start again when a stream is started anew without its state.
    """
    ahead = time - old_time
    return number >= old_number if -LARGEST_DISORDER <= ahead <= LARGEST_DISORDER else ahead > 0


def keep_newest(newest: dict[str, OnlineRecord], record: OnlineRecord) -> bool:
    """Put a record into the batch unless a newer one of the same key is there; whether it took another's place or found none."""
    old = newest.get(record.key)
    if old is not None and not replaces(record.event_number, record.event_time, old.event_number, old.event_time):
        return False
    newest[record.key] = record
    return True


class OnlineDecoder:
    """Reads records of the two topics, no further than the online store needs."""

    def __init__(self, features_topic: str, signals_topic: str, ids: SchemaIds) -> None:
        rows, signals = ids.framing("FeatureRow"), ids.framing("Signal")
        self._kinds: Mapping[str, tuple[Callable[[bytes], Message], Any, Callable[[str], str], Callable[[Any], Fields]]] = {
            features_topic: (RowMessage.FromString, rows, feature_key, feature_fields),
            signals_topic: (SignalMessage.FromString, signals, signal_key, signal_fields),
        }

    def decode(self, topic: str, data: bytes) -> OnlineRecord:
        """One record of one of the topics. Raises MalformedMessage and nothing else, whatever the bytes."""
        parser, framing, key, to_fields = self._kinds[topic]
        message: Any = parse(parser, data, framing)
        if not message.symbol:
            raise MalformedMessage(Reason.UNKNOWN_SYMBOL, f"a record of {topic} without symbol")
        return OnlineRecord(key(message.symbol), message.event_number, message.event_time, message, to_fields)


def feature_fields(message: RowMessage) -> Fields:
    """`values` are float32, little-endian; `valid` is one bit a feature, the first in the lowest bit of the first byte."""
    return {name: getattr(message, name) for name in FEATURE_PLAIN}


def signal_fields(message: SignalMessage) -> Fields:
    """Enumerations by name; `reasons` is a JSON list of objects with feature, contribution, words."""
    reasons = [{"feature": part.feature, "contribution": part.contribution, "words": part.words} for part in message.reasons]
    return {
        **{name: getattr(message, name) for name in SIGNAL_PLAIN},
        "direction": _name(Direction, message.direction),
        "status": _name(SignalStatus, message.status),
        "code": _name(SignalCode, message.code),
        "reasons": json.dumps(reasons, ensure_ascii=False),
    }


def _name(members: Any, number: int) -> str:
    """The member's name; the digits of a number that this version does not know."""
    try:
        return str(members(number).name)
    except ValueError:
        return str(number)
