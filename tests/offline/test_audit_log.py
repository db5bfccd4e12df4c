"""Writers of the audit log: at once, under failures, and without a secret; and the verb that checks it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.audit import log as log_module
from jobs.audit import program
from jobs.audit.control import audited, denied
from jobs.audit.entries import LARGEST_LINE_BYTES, AuditDraft, AuditEntry, AuditError
from jobs.audit.log import AuditLog
from jobs.audit.redaction import HIDDEN, without_secrets
from jobs.audit.settings import note_submission
from jobs.gateway.publisher import PublishError
from tests.support.strategies import control_events
from udfs.records import ControlEvent, ControlKind

ROOT = Path(__file__).resolve().parents[2]
HALT = ControlEvent(0, ControlKind.HALT, 1, "desk", "odd prices", symbols=("A",))
RESUME = ControlEvent(0, ControlKind.RESUME, 1, "desk", "fine again", symbols=("A",))
WRITER = """
import sys
from pathlib import Path
from jobs.audit.entries import AuditDraft
from jobs.audit.log import AuditLog
log = AuditLog(Path(sys.argv[1]))
for number in range(20):
    log.append_all([AuditDraft("order_denied", "drill", {"writer": sys.argv[2], "number": number})] * 2)
"""


@pytest.fixture(autouse=True, scope="module")
def no_disk() -> Iterator[None]:
    """Writing through to the disk is checked once, on purpose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.audit.log.os.fsync", lambda number: None)
        yield


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def entries(folder: Path) -> list[AuditEntry]:
    return list(AuditLog(folder).entries())


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Three processes: one chain, every entry in it, each writer's own in its order and its pairs together."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), str(name)], env=environment) for name in range(3)]
    assert [process.wait(timeout=60) for process in started] == [0, 0, 0]
    verdict = AuditLog(tmp_path).verify()
    assert (verdict.holds, verdict.entries, verdict.torn_bytes) == (True, 120, 0)
    found = entries(tmp_path)
    for name in "012":
        assert [entry.what["number"] for entry in found if entry.what["writer"] == name] == [number for number in range(20) for _ in "ab"]
    assert all(first.what == second.what for first, second in zip(found[::2], found[1::2]))


def test_an_entry_is_on_disk_before_the_head_counts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(tmp_path)
    log.append(AuditDraft("halt", "first", {}))
    seen: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda number: seen.append(log.path.with_suffix(".head").read_bytes()))
    log.append(AuditDraft("halt", "second", {}))
    assert [json.loads(head)["entries"] for head in seen] == [1, 1]
    assert log.verify().entries == 2


def test_what_was_not_acknowledged_is_not_there_when_it_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = AuditLog(tmp_path)
    log.append(AuditDraft("halt", "first", {}))
    drafts = [AuditDraft("halt", "second", {}), AuditDraft("halt", "third", {})]
    for owner, name in ((Path, "replace"), (os, "fsync")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, full_disk)
            with pytest.raises(AuditError, match="No space"):
                log.append_all(drafts)
    log.append_all(drafts)
    assert [entry.why for entry in log.entries()] == ["first", "second", "third"]
    assert log.verify().holds


def test_a_writer_that_never_lets_go_is_an_error_and_no_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "LOCK_SECONDS", 0.02)
    log = AuditLog(tmp_path)
    log.append(AuditDraft("halt", "first", {}))
    with (tmp_path / "control.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(AuditError, match="another program"):
            log.append(AuditDraft("halt", "second", {}))
    assert log.verify().entries == 1


@pytest.mark.parametrize(
    "draft", [AuditDraft("halt", " ", {}), AuditDraft("", "why", {}), AuditDraft("halt", "why", {"x": "y" * LARGEST_LINE_BYTES})]
)
def test_an_entry_needs_a_reason_and_a_size(tmp_path: Path, draft: AuditDraft) -> None:
    log = AuditLog(tmp_path)
    with pytest.raises(AuditError):
        log.append_all([AuditDraft("halt", "good", {}), draft])
    assert not list(log.entries())


@given(st.lists(control_events(), min_size=1, max_size=5))
@settings(max_examples=20, deadline=None)
def test_every_control_event_leaves_what_was_asked_and_what_became_of_it(events: list[ControlEvent]) -> None:
    """Law: asked before it is published, with who and why; the version after; the chain holds."""
    with tempfile.TemporaryDirectory() as folder:
        log = AuditLog(Path(folder))
        seen: list[int] = []

        def publish(event: ControlEvent) -> int:
            seen.append(sum(1 for _ in log.entries()))
            return len(seen)

        assert audited(events, publish, log) == list(range(1, len(events) + 1))
        assert seen == [2 * place + 1 for place in range(len(events))]
        found = list(log.entries())
        assert [entry.kind for entry in found] == ["control_requested", "control_written"] * len(events)
        assert [entry.what["version"] for entry in found[1::2]] == list(range(1, len(events) + 1))
        assert [entry.what["control"] for entry in found[::2]] == [event.kind.name.lower() for event in events]
        assert log.verify().holds


def test_what_was_refused_or_failed_stays(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)

    def broken(event: ControlEvent) -> int:
        raise PublishError("the broker is away")

    with pytest.raises(PublishError):
        audited([HALT], broken, log)
    denied([RESUME], "no such symbol", log)
    assert [(entry.kind, entry.by, entry.why) for entry in entries(tmp_path)] == [
        ("control_requested", "desk", "odd prices"),
        ("control_failed", "desk", "odd prices"),
        ("control_denied", "desk", "fine again"),
    ]


def test_a_halt_goes_out_without_the_audit_log_and_nothing_else_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The safe way: what stops is never stopped by a full disk."""
    (tmp_path / "file").write_text("")
    log = AuditLog(tmp_path / "file" / "below")
    assert audited([HALT], lambda event: 5, log) == [5]
    assert "WARNING: not in the audit log" in capsys.readouterr().err
    with pytest.raises(AuditError):
        audited([RESUME], lambda event: pytest.fail("published without an entry"), log)


def test_changes_of_settings_are_named(tmp_path: Path) -> None:
    log = AuditLog(tmp_path)
    first = note_submission(log, {"kernel": {"a": 1, "b": 2}, "universe": []}, "m1", "r1", "start")
    assert first == {"kernel.a": [None, 1], "kernel.b": [None, 2], "universe": [None, []]}
    assert note_submission(log, {"kernel": {"a": 1, "b": 3}, "universe": []}, "m2", "r2", "change") == {"kernel.b": [2, 3]}
    assert note_submission(log, {"kernel": {"a": 1, "b": 3}, "universe": []}, "m2", "r3", "again") == {}


@pytest.mark.parametrize(
    "text",
    [
        "login at redis://me:hunter2secret@host:6379/0",
        "password=hunter2secret and more",
        'sasl.password: "hunter2secret"',
        "TICKFLOW_LAKE_TOKEN=hunter2secret",
        "the value hunter2secret itself",
    ],
)
def test_no_secret_gets_in(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if "itself" in text:
        monkeypatch.setenv("TICKFLOW_KAFKA_PASSWORD", "hunter2secret")
    log = AuditLog(tmp_path)
    log.append(AuditDraft("halt", text, {"nested": [{"uri": text}], "sasl_password": "hunter2secret"}, text))
    assert b"hunter2" not in log.path.read_bytes()
    assert HIDDEN.encode() in log.path.read_bytes()
    assert log.verify().holds


def test_a_short_secret_does_not_rewrite_what_orders_are_called() -> None:
    what = {"order_id": "id-2048", "signal_id": "2048", "symbol": "X2048", "symbols": ["X2048"], "note": "2048"}
    assert without_secrets(what, {"X_TOKEN": "2048"}) == {**what, "note": HIDDEN}


def test_what_is_no_secret_stays() -> None:
    value = {"why": "tokens: none, key = symbol", "symbols": ["A"], "threshold": 0.5, "author": "a@b", "kafka": {"sasl_mechanism": "PLAIN"}}
    assert without_secrets(value, {}) == {**value, "why": without_secrets(value["why"], {})}
    assert without_secrets("user@host says s3://bucket/models/1", {}) == "user@host says s3://bucket/models/1"


def test_the_verb_says_whether_it_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = ["--folder", str(tmp_path)]
    assert program.main(["verify", *folder]) == 2
    log = AuditLog(tmp_path)
    hashes = [log.append(AuditDraft("halt", f"reason {number}", {}, "me")).hash for number in range(3)]
    AuditLog(tmp_path, "trading").append(AuditDraft("order_denied", "too large", {}))
    assert program.main(["verify", *folder, "--holds", hashes[1]]) == 0
    assert program.main(["verify", *folder, "--holds", "0" * 64]) == 1
    capsys.readouterr()
    assert program.main(["show", *folder, "--last", "2", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [entry["why"] for entry in shown["entries"]] == ["reason 1", "reason 2"]
    assert program.main(["show", *folder]) == 0
    assert "me (as " in capsys.readouterr().out
    log.path.write_bytes(log.path.read_bytes().replace(b"reason 1", b"reason 7"))
    assert program.main(["verify", *folder, "--json"]) == 1
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["holds"], found["logs"]["control"]["first_bad"], found["logs"]["trading"]["holds"]) == (False, 2, True)
    assert program.main(["verify", *folder]) == 1
    assert "entry 2 is bad" in capsys.readouterr().out
