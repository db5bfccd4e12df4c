"""Checking an audit log: every entry that was removed, changed or moved is found, also at its end.

Beside the lines lies the head: how many entries were acknowledged, and the hash of the last. It is written after the lines, so entries that
it does not count, and a line without an end, are what a crash leaves; a log that holds less than its head says was cut.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from jobs.audit.entries import FIRST_HASH, LARGEST_LINE_BYTES, AuditEntry, AuditError, read_line

_LONGEST_LINE = LARGEST_LINE_BYTES + 128


@dataclass(frozen=True, slots=True)
class Head:
    """What was acknowledged last."""

    entries: int = 0
    bytes: int = 0
    hash: str = FIRST_HASH


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What a check found."""

    entries: int
    """Whole entries that follow from one another."""
    last_hash: str
    first_bad: int
    """Number of the first entry that is not right, 0 when all are."""
    problem: str
    torn_bytes: int
    """Length of a line without an end: a writer died before it was acknowledged."""
    beyond_head: int
    """Whole entries that were written and not acknowledged before a crash."""

    @property
    def holds(self) -> bool:
        """Whether nothing that was acknowledged is missing, changed or moved."""
        return not self.first_bad


def read_head(path: Path) -> Head | None:
    """The head of a log, None when there is none. Raises AuditError when it cannot be read."""
    try:
        return Head(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise AuditError(f"the head of the audit log at {path} cannot be read: {error}") from error


def verify(log: Path, head_path: Path) -> AuditVerdict:
    """Read a log from its first line to its last. Raises AuditError when its files cannot be read at all."""
    try:
        head = read_head(head_path)
    except AuditError as error:
        return AuditVerdict(0, FIRST_HASH, 1, str(error), 0, 0)
    try:
        with log.open("rb") as file:
            return _verify(file, head)
    except FileNotFoundError:
        if head is not None:
            return AuditVerdict(0, FIRST_HASH, 1, f"the head counts {head.entries} entries, the log itself is gone", 0, 0)
        raise AuditError(f"there is no audit log at {log}") from None
    except OSError as error:
        raise AuditError(f"the audit log at {log} cannot be read: {error.strerror}") from error


def _verify(file: BinaryIO, head: Head | None) -> AuditVerdict:
    expected, previous, at_head = 1, FIRST_HASH, FIRST_HASH
    for line in lines_of(file):
        if not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
            return _ended(expected - 1, previous, at_head, head, len(line))
        problem, entry = _problem(line, previous, expected)
        if problem or entry is None:
            return AuditVerdict(expected - 1, previous, expected, problem, 0, 0)
        previous, expected = entry.hash, expected + 1
        if head is not None and entry.number == head.entries:
            at_head = entry.hash
    return _ended(expected - 1, previous, at_head, head, 0)


def _ended(entries: int, last: str, at_head: str, head: Head | None, torn: int) -> AuditVerdict:
    """The lines are right; are they all?"""
    if head is None:
        problem = "the head is gone, so nobody can say whether entries from this one on were removed"
        return AuditVerdict(entries, last, entries + 1, problem, torn, 0)
    if entries < head.entries:
        missing = head.entries - entries
        return AuditVerdict(entries, last, entries + 1, f"{missing} acknowledged entries are gone from the end", torn, 0)
    if at_head != head.hash:
        return AuditVerdict(entries, last, head.entries, "the entry is not the one that was acknowledged under this number", torn, 0)
    return AuditVerdict(entries, last, 0, "", torn, entries - head.entries)


def _problem(line: bytes, previous: str, expected: int) -> tuple[str, AuditEntry | None]:
    try:
        entry, follows = read_line(line, previous)
    except ValueError as error:
        return f"the line was changed: {error}", None
    if entry.number != expected:
        what = "entries were removed" if entry.number > expected else "entries were moved or put in"
        return f"found entry {entry.number} in this place: {what}", entry
    return ("" if follows else "the entry does not follow from the one before: one of them was changed"), entry


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Lines with their line feeds; one that is longer than any entry ends the file."""
    while line := file.readline(_LONGEST_LINE):
        yield line
        if len(line) >= _LONGEST_LINE and not line.endswith(b"\n"):
            return
