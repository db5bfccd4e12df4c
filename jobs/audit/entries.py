"""One entry of the audit log, and its line: the hash, a space, and the entry as JSON.

The hash is the SHA-256 of the hash before, a line feed, and the JSON as it stands. So each line fixes all lines before it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from udfs.errors import TickflowError

FIRST_HASH: Final = "0" * 64
"""What stands for the hash before the first entry."""
LARGEST_LINE_BYTES: Final = 1 << 20
_LINE: Final = re.compile(rb"([0-9a-f]{64}) (\{.*\})\n", re.DOTALL)


class AuditError(TickflowError):
    """The audit log cannot be read or written; the text says where and what to do."""


@dataclass(frozen=True, slots=True)
class AuditDraft:
    """What a program says of its own doing; the log adds the number, the time and the user."""

    kind: str
    why: str
    what: Mapping[str, Any]
    by: str = ""
    """Who says so, where that is not the user whose process writes it."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """An entry as it stands in the log."""

    number: int
    """From 1, without a gap."""
    time: int
    """Nanoseconds since the Unix epoch, by the clock of the machine that wrote it."""
    kind: str
    user: str
    """The operating system's name of the user."""
    by: str
    why: str
    what: Mapping[str, Any]
    hash: str


def line_of(number: int, time: int, user: str, draft: AuditDraft, previous: str) -> tuple[bytes, AuditEntry]:
    """The line of a new entry, and the entry. Raises AuditError for a draft without a reason, or one that is too large."""
    if not draft.kind or not draft.why.strip():
        raise AuditError(f"an audit entry needs a kind and a reason, found {draft.kind!r} because of {draft.why!r}")
    body: dict[str, Any] = {
        "number": number,
        "time": time,
        "kind": draft.kind,
        "user": user,
        "by": draft.by,
        "why": draft.why,
        "what": dict(draft.what),
    }
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    if len(text) > LARGEST_LINE_BYTES:
        raise AuditError(f"an audit entry of {len(text)} bytes; expected at most {LARGEST_LINE_BYTES}")
    digest = hash_of(previous, text)
    return digest.encode() + b" " + text + b"\n", AuditEntry(**body, hash=digest)


def hash_of(previous: str, text: bytes) -> str:
    """The hash of an entry's JSON after the entry with hash `previous`."""
    return hashlib.sha256(previous.encode() + b"\n" + text).hexdigest()


def read_line(line: bytes, previous: str) -> tuple[AuditEntry, bool]:
    """The entry of a line with its line feed, and whether its hash follows from `previous`. Raises ValueError where it is no entry."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError("no line of the audit log: expected 64 hexadecimal digits, a space, and JSON")
    try:
        entry = AuditEntry(**json.loads(match[2]), hash=match[1].decode())
    except TypeError as error:
        raise ValueError(f"no audit entry: {error}") from None
    if type(entry.number) is not int or not isinstance(entry.what, dict):
        raise ValueError(f"no audit entry: number is {entry.number!r}")
    return entry, hash_of(previous, match[2]) == entry.hash
