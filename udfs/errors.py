"""Everything that can be wrong with input, by name. The numbers are stored and sent: never reuse one."""

from __future__ import annotations

from enum import IntEnum


class TickflowError(Exception):
    """Base of every error that Tickflow raises on purpose: says what, where, found, expected, and what to do."""


class MalformedMessage(TickflowError):
    """Bytes that are not the message they claim to be. `reason` is the code under which they are rejected."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.name.lower()}: {detail}")
        self.reason = reason
        self.detail = detail


class StateVersionError(TickflowError):
    """A state blob of a version that this code does not know."""


class ModelMismatch(TickflowError):
    """A model whose inputs, outputs or hash are not what the job expects."""


class ModelUnavailable(TickflowError):
    """A model store that does not answer now. No reason to refuse the model: whether it is in force must not depend on the moment."""


class InvalidRule(TickflowError):
    """An alert rule or another control event that cannot be applied."""


class InvalidSettings(TickflowError):
    """Settings that cannot work; the message lists every problem at once."""


class SourceError(TickflowError):
    """A market data source that cannot be read at all: missing, empty, or of an unknown format."""


class Reason(IntEnum):
    """Why an event or a message was not used. 0 means that it was."""

    ACCEPTED = 0
    LATE = 1
    DUPLICATE = 2
    NOT_A_NUMBER = 3
    PRICE_NOT_POSITIVE = 4
    SIZE_NEGATIVE = 5
    CROSSED_BOOK = 6
    SEQUENCE_GAP = 7
    TIME_ABSURD = 8
    UNKNOWN_KIND = 9
    UNKNOWN_STATUS = 10
    LEVELS_UNSORTED = 11
    CLOCK_SKEW = 12
    SIZE_IMPOSSIBLE = 13
    PRICE_JUMP = 14
    FROZEN_QUOTE = 15
    LOCKED_BOOK = 16
    FACT_ABSURD = 17
    EMPTY_NEWS = 18
    MALFORMED_FRAME = 32
    UNKNOWN_SCHEMA = 33
    UNKNOWN_SYMBOL = 34
    SYMBOL_MISMATCH = 35
    FRAME_TOO_LARGE = 36
    COLUMN_LENGTH = 37
    MALFORMED_CONTROL = 64
    INVALID_RULE = 65
    MODEL_REFUSED = 66
    MALFORMED_INPUT_LINE = 96
