"""Wire framing of the schema registry: magic byte 0, schema id (4 bytes, big-endian), message index, then the message itself.

The message index tells which message of the schema file follows. It is a list of zigzag varints; the usual list `[0]` (first message of the
file) is written as the single byte 0. Every Tickflow message is the first of its file. Source: Confluent Schema Registry, wire format.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from udfs.errors import MalformedMessage, Reason

MAGIC_BYTE: Final = 0
PREFIX_BYTES: Final = 6
"""Length of the usual prefix: magic byte, schema id, message index `[0]`."""
LONG_INDEX: Final = b"\x02\x00"
"""The message index `[0]` written out: one entry, which is 0. Some producers send it."""
LARGEST_SCHEMA_ID: Final = 0x7FFF_FFFF

PINNED_IDS: Final[Mapping[str, int]] = {
    "MarketFrame": 1001,
    "NewsItem": 1002,
    "FeatureRow": 1003,
    "Bar": 1004,
    "Signal": 1005,
    "Alert": 1006,
    "Rejected": 1007,
    "ControlEvent": 1008,
}
"""Schema id of each message when no registry is set. The same as infra/schemas/ids.toml; never change or reuse a number."""


def prefix(schema_id: int) -> bytes:
    """The six bytes before a message of this schema. Raises ValueError for an id outside 0..2**31-1."""
    if not 0 <= schema_id <= LARGEST_SCHEMA_ID:
        raise ValueError(f"schema id {schema_id} is outside 0..{LARGEST_SCHEMA_ID}")
    return bytes([MAGIC_BYTE]) + schema_id.to_bytes(4, "big") + b"\x00"


@dataclass(frozen=True, slots=True)
class MessageFraming:
    """How one kind of message is framed: the prefix that is written, and every prefix that is read."""

    message: str
    prefix: bytes
    accepted: frozenset[bytes]

    def frame(self, body: bytes) -> bytes:
        """Put the prefix before a serialised message."""
        return self.prefix + body

    def body(self, data: bytes) -> bytes:
        """The serialised message without its prefix. Raises MalformedMessage for a wrong magic byte, schema id or message index."""
        if data[:PREFIX_BYTES] in self.accepted:
            return data[PREFIX_BYTES:]
        return data[self._unusual_prefix_length(data) :]

    def _unusual_prefix_length(self, data: bytes) -> int:
        """Length of a prefix that is not the usual one. Raises MalformedMessage where it is not valid either."""
        if len(data) < PREFIX_BYTES:
            raise MalformedMessage(Reason.MALFORMED_FRAME, f"{len(data)} bytes are fewer than the framing's {PREFIX_BYTES}")
        if data[0] != MAGIC_BYTE:
            raise MalformedMessage(Reason.MALFORMED_FRAME, f"first byte is {data[0]}; expected the magic byte {MAGIC_BYTE}")
        if data[:5] + b"\x00" not in self.accepted:
            raise MalformedMessage(Reason.UNKNOWN_SCHEMA, f"schema id {int.from_bytes(data[1:5], 'big')} is not one of {self._known_ids()}")
        if data[5:7] != LONG_INDEX:
            raise MalformedMessage(Reason.MALFORMED_FRAME, f"message index starts with byte {data[5]}; expected the file's first message")
        return 5 + len(LONG_INDEX)

    def _known_ids(self) -> str:
        return f"{self.message}'s {', '.join(str(int.from_bytes(known[1:5], 'big')) for known in sorted(self.accepted))}"


@dataclass(frozen=True, slots=True)
class SchemaIds:
    """The schema ids in force: one to write with for each message, and all that may be read. Made once at start, sent to workers."""

    written: Mapping[str, int] = field(default_factory=lambda: dict(PINNED_IDS))
    also_read: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Ids of earlier, compatible versions of the schemas."""

    def framing(self, message: str) -> MessageFraming:
        """The framing of one message, for instance "MarketFrame". Raises ValueError where the message has no id."""
        if message not in self.written:
            raise ValueError(f"no schema id for {message}; known: {', '.join(sorted(self.written))}")
        written = self.written[message]
        ids = (written, *self.also_read.get(message, ()))
        return MessageFraming(message, prefix(written), frozenset(prefix(schema_id) for schema_id in ids))


PINNED: Final = SchemaIds()
"""The ids used when no schema registry is set."""
