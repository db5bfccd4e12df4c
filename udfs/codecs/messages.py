"""What the codecs of all records share: parsing that fails in one way only, and source positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypedDict, TypeVar

from google.protobuf.message import DecodeError, Message

from udfs.codecs.wire import MessageFraming
from udfs.errors import MalformedMessage, Reason
from udfs.records import Position

LARGEST_MESSAGE_BYTES: Final = 1 << 20
"""Default limit on a message's size; the largest record that a broker takes with its default settings."""

_Parsed = TypeVar("_Parsed", bound=Message)
_Number = TypeVar("_Number")


class HasPosition(Protocol):
    """A message with a source position in it."""

    topic: str
    partition: int
    offset: int
    event_index: int


class PositionFields(TypedDict):
    """The fields of a position as they stand in every message."""

    topic: str
    partition: int
    offset: int
    event_index: int


def parse(parser: Callable[[bytes], _Parsed], data: bytes, framing: MessageFraming, reason: Reason = Reason.MALFORMED_FRAME) -> _Parsed:
    """The message in framed bytes. Raises MalformedMessage, under `reason` where the framing or the bytes after it are no such message."""
    if len(data) > LARGEST_MESSAGE_BYTES:
        raise MalformedMessage(Reason.FRAME_TOO_LARGE, f"{len(data)} bytes; expected at most {LARGEST_MESSAGE_BYTES}")
    try:
        return parser(framing.body(data))
    except DecodeError as error:
        raise MalformedMessage(reason, f"not a {framing.message}: {error}") from None
    except MalformedMessage as error:
        raise MalformedMessage(reason if error.reason is Reason.MALFORMED_FRAME else error.reason, error.detail) from None


def known(numbers: Callable[[int], _Number], value: int, field: str) -> _Number:
    """The member of an enumeration. Raises MalformedMessage for a number that it does not have."""
    try:
        return numbers(value)
    except ValueError:
        raise MalformedMessage(Reason.MALFORMED_FRAME, f"{field} is {value}, which this version does not know") from None


def position_fields(position: Position) -> PositionFields:
    """A position as keyword arguments of a message."""
    return {"topic": position.topic, "partition": position.partition, "offset": position.offset, "event_index": position.event_index}


def position_of(message: HasPosition) -> Position:
    """The position in a message."""
    return Position(message.topic, message.partition, message.offset, message.event_index)
