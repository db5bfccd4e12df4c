"""Rejected and late input on the wire."""

from __future__ import annotations

from typing import Final

from udfs.codecs.generated.rejected_pb2 import Rejected as RejectedMessage
from udfs.codecs.messages import known, parse, position_fields, position_of
from udfs.codecs.wire import PINNED, MessageFraming
from udfs.errors import Reason
from udfs.records import Rejected

REJECTED_FRAMING: Final = PINNED.framing("Rejected")


def encode_rejected(rejected: Rejected, framing: MessageFraming = REJECTED_FRAMING) -> bytes:
    """Rejected input as bytes."""
    message = RejectedMessage(
        symbol=rejected.symbol,
        reason=int(rejected.reason),
        reason_name=rejected.reason.name.lower(),
        detail=rejected.detail,
        event_time=rejected.event_time,
        available_time=rejected.available_time,
        raw=rejected.raw,
        manifest_id=rejected.manifest_id,
        **position_fields(rejected.position),
    )
    return framing.frame(message.SerializeToString())


def decode_rejected(data: bytes, framing: MessageFraming = REJECTED_FRAMING) -> Rejected:
    """Bytes to rejected input. Raises MalformedMessage and nothing else, whatever the bytes."""
    message = parse(RejectedMessage.FromString, data, framing)
    return Rejected(
        symbol=message.symbol,
        reason=known(Reason, message.reason, "reason"),
        detail=message.detail,
        event_time=message.event_time,
        available_time=message.available_time,
        raw=message.raw,
        position=position_of(message),
        manifest_id=message.manifest_id,
    )
