"""Writing the audit log: appended under a lock, on disk before it counts, whole again after a crash."""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Final

from jobs.audit.chain import AuditVerdict, Head, lines_of, read_head, verify
from jobs.audit.entries import AuditDraft, AuditEntry, AuditError, line_of, read_line
from jobs.audit.redaction import without_secrets

CONTROL_LOG: Final = "control"
"""Verbs that steer the job."""
TRADING_LOG: Final = "trading"
"""Orders, denials and fills of paper trading."""
LOCK_SECONDS: Final = 5.0
_LOCK_RETRY_SECONDS: Final = 0.005


class AuditLog:
    """The log of one name in a folder: `NAME.log`, `NAME.head`, `NAME.lock`. Programs may write at once; a reader needs no lock."""

    def __init__(self, folder: Path, name: str = CONTROL_LOG, now: Callable[[], int] = time.time_ns) -> None:
        self.path = folder / f"{name}.log"
        self._head_path = folder / f"{name}.head"
        self._lock_path = folder / f"{name}.lock"
        self._now = now

    def append(self, draft: AuditDraft) -> AuditEntry:
        """Write one entry; see `append_all`."""
        return self.append_all([draft])[0]

    def append_all(self, drafts: Sequence[AuditDraft]) -> list[AuditEntry]:
        """Write entries, one after the other, and wait until they are on disk. Secrets are taken out.

        Raises AuditError when they cannot be written, or when the log no longer is what was acknowledged.
        """
        if not drafts:
            return []
        try:
            with self._locked(), self.path.open("a+b") as file:
                head, torn = self._restored(file)
                return self._write(file, head, [*torn, *drafts])[len(torn) :]
        except OSError as error:
            raise AuditError(f"the audit log at {self.path} cannot be written: {error.strerror}") from error

    def verify(self) -> AuditVerdict:
        """Check the whole log. Raises AuditError when there is none."""
        return verify(self.path, self._head_path)

    def entries(self) -> Iterator[AuditEntry]:
        """The entries as they stand, unchecked, up to the first line that is none."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for line in lines_of(file):
                try:
                    yield read_line(line, "")[0]
                except ValueError:
                    return

    def _write(self, file: BinaryIO, head: Head, drafts: Sequence[AuditDraft]) -> list[AuditEntry]:
        entries: list[AuditEntry] = []
        lines: list[bytes] = []
        previous, user = head.hash, _user()
        for number, draft in enumerate(drafts, head.entries + 1):
            clean = AuditDraft(draft.kind, without_secrets(draft.why), without_secrets(dict(draft.what)), without_secrets(draft.by))
            line, entry = line_of(number, self._now(), user, clean, previous)
            previous = entry.hash
            lines.append(line)
            entries.append(entry)
        data = b"".join(lines)
        try:
            _write_through(file, data)
            self._write_head(Head(head.entries + len(entries), head.bytes + len(data), previous))
        except OSError:
            os.ftruncate(file.fileno(), head.bytes)  # else the next writer would adopt what this caller will write again
            raise
        return entries

    def _restored(self, file: BinaryIO) -> tuple[Head, list[AuditDraft]]:
        """The head with whole entries of a writer that died, and what to say of a line without an end, which is taken off."""
        head = read_head(self._head_path)
        size = file.seek(0, os.SEEK_END)
        if head is None:
            if size:
                raise AuditError(f"the audit log at {self.path} has lost its head; `infra/tickflow audit verify`, then move it away")
            head = Head()
            self._write_head(head)
        if size < head.bytes:
            raise AuditError(
                f"the audit log at {self.path} is shorter than was acknowledged; `infra/tickflow audit verify`, then move it away"
            )
        file.seek(head.bytes)
        for line in lines_of(file):
            if not line.endswith(b"\n"):
                return head, [self._cut(file, head.bytes)]
            head = self._adopted(head, line)
        return head, []

    def _adopted(self, head: Head, line: bytes) -> Head:
        try:
            entry, follows = read_line(line, head.hash)
        except ValueError as error:
            raise AuditError(f"the audit log at {self.path} has a line after its head that is none: {error}") from None
        if not follows or entry.number != head.entries + 1:
            raise AuditError(f"the audit log at {self.path} does not go on from its head; `infra/tickflow audit verify`, then move it away")
        return Head(entry.number, head.bytes + len(line), entry.hash)

    def _cut(self, file: BinaryIO, whole_bytes: int) -> AuditDraft:
        file.seek(whole_bytes)
        torn = file.read()
        file.truncate(whole_bytes)
        what = {"bytes": len(torn), "sha256": hashlib.sha256(torn).hexdigest()}
        return AuditDraft("torn_line", "a writer died before its entry was acknowledged", what)

    def _write_head(self, head: Head) -> None:
        draft = self._head_path.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(json.dumps(asdict(head)).encode())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._head_path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._lock_path.open("ab") as lock:
            self._acquire(lock)
            yield

    def _acquire(self, lock: BinaryIO) -> None:
        """The lock goes with its file's end, also when the process dies."""
        until = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > until:
                    raise AuditError(f"another program has held {self._lock_path} for {LOCK_SECONDS:g} s") from None
                time.sleep(_LOCK_RETRY_SECONDS)


def _write_through(file: BinaryIO, data: bytes) -> None:
    """Append past the buffer, so that nothing of a failed write is left for the file's end to write after all."""
    left = memoryview(data)
    while left:
        left = left[os.write(file.fileno(), left) :]
    os.fsync(file.fileno())


def audit_folder() -> Path:
    """Where the logs lie: `TICKFLOW_AUDIT`, else `.tickflow/audit`."""
    from infra.local import paths

    return Path(os.environ.get("TICKFLOW_AUDIT") or paths.AUDIT)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
