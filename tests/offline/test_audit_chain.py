"""Whatever is done to an audit log that was acknowledged, its check finds; a crash is told from it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.audit.chain import AuditVerdict
from jobs.audit.entries import FIRST_HASH, AuditDraft, AuditError, hash_of
from jobs.audit.log import AuditLog


@pytest.fixture(autouse=True, scope="module")
def no_disk() -> Iterator[None]:
    """What is checked here is the chain, not the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("jobs.audit.log.os.fsync", lambda number: None)
        yield


words = st.text(max_size=20)
drafts = st.builds(
    AuditDraft,
    st.sampled_from(["control_requested", "order_denied"]),
    words.map(lambda text: text + "."),
    st.dictionaries(words, st.one_of(words, st.integers(), st.booleans(), st.lists(words, max_size=3)), max_size=3),
    words,
)


def written(folder: Path, count: int = 6) -> AuditLog:
    log = AuditLog(folder, now=lambda: 7)
    log.append_all([AuditDraft("control_requested", f"reason {number}", {"symbol": f"S{number}"}) for number in range(1, count + 1)])
    return log


def changed(log: AuditLog, lines: list[bytes]) -> AuditVerdict:
    log.path.write_bytes(b"".join(lines))
    return log.verify()


def lines_of(log: AuditLog) -> list[bytes]:
    return log.path.read_bytes().splitlines(keepends=True)


@given(st.lists(drafts, min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_what_was_written_holds_and_reads_back(entries: list[AuditDraft]) -> None:
    """Law: numbers from 1 without a gap, every hash from the one before; whatever the texts hold, line feeds included."""
    with tempfile.TemporaryDirectory() as folder:
        log = AuditLog(Path(folder))
        made = [entry for draft in entries for entry in log.append_all([draft])]
        verdict = log.verify()
        assert (verdict.holds, verdict.entries, verdict.last_hash) == (True, len(entries), made[-1].hash)
        assert list(log.entries()) == made
        assert [entry.number for entry in made] == list(range(1, len(entries) + 1))


@given(place=st.integers(0, 5), data=st.data())
@settings(max_examples=150, deadline=None)
def test_no_byte_can_be_changed(place: int, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = written(Path(folder))
        lines = lines_of(log)
        offset = data.draw(st.integers(0, len(lines[place]) - 1))
        other = data.draw(st.integers(0, 255).filter(lambda byte: byte != lines[place][offset]))
        lines[place] = lines[place][:offset] + bytes([other]) + lines[place][offset + 1 :]
        verdict = changed(log, lines)
        assert (verdict.holds, verdict.first_bad) == (False, place + 1)


@pytest.mark.parametrize("place", range(6))
def test_an_entry_that_was_removed_is_named(tmp_path: Path, place: int) -> None:
    """The last one included, which no hash of a later entry holds."""
    log = written(tmp_path)
    lines = lines_of(log)
    del lines[place]
    verdict = changed(log, lines)
    assert (verdict.holds, verdict.first_bad) == (False, place + 1)
    assert "removed" in verdict.problem or "gone" in verdict.problem


@given(st.permutations(range(6)).filter(lambda order: list(order) != list(range(6))))
@settings(max_examples=40, deadline=None)
def test_entries_that_were_moved_are_found_at_the_first(order: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = written(Path(folder))
        lines = lines_of(log)
        verdict = changed(log, [lines[place] for place in order])
        assert not verdict.holds
        assert verdict.first_bad == next(place for place, found in enumerate(order) if found != place) + 1


def test_an_entry_written_anew_with_its_hash_breaks_the_next_one(tmp_path: Path) -> None:
    log = written(tmp_path)
    lines = lines_of(log)
    body = json.loads(lines[2][65:])
    forged = json.dumps({**body, "why": "all is well"}, sort_keys=True, separators=(",", ":")).encode()
    lines[2] = hash_of(lines[1][:64].decode(), forged).encode() + b" " + forged + b"\n"
    assert changed(log, lines).first_bad == 4


def test_a_whole_new_end_does_not_have_the_hash_that_was_acknowledged(tmp_path: Path) -> None:
    """Who rewrites the lines and not the head is found, also when every hash fits."""
    log = written(tmp_path)
    other = written(tmp_path / "other", 5)
    other.append(AuditDraft("control_requested", "nothing happened", {}))
    verdict = changed(log, lines_of(other))
    assert (verdict.holds, verdict.first_bad) == (False, 6)


def test_a_log_or_head_that_is_gone_is_found(tmp_path: Path) -> None:
    log = written(tmp_path / "a")
    log.path.unlink()
    assert (log.verify().holds, log.verify().first_bad) == (False, 1)
    log = written(tmp_path / "b")
    log.path.with_suffix(".head").unlink()
    assert not log.verify().holds
    log.path.with_suffix(".head").write_text("{}]")
    assert not log.verify().holds
    with pytest.raises(AuditError, match="no audit log"):
        AuditLog(tmp_path / "nothing").verify()


@given(st.integers(1, 60))
@settings(max_examples=20, deadline=None)
def test_a_torn_last_line_is_stated_and_the_log_goes_on(cut: int) -> None:
    """A writer that died before its entry was acknowledged: nothing is lost that was promised, and what was there is noted."""
    with tempfile.TemporaryDirectory() as folder:
        log = written(Path(folder))
        torn = lines_of(log)[-1][:cut]
        with log.path.open("ab") as file:
            file.write(torn)
        verdict = log.verify()
        assert (verdict.holds, verdict.entries, verdict.torn_bytes) == (True, 6, cut)
        log.append(AuditDraft("halt", "on with it", {}))
        verdict = log.verify()
        assert (verdict.holds, verdict.entries, verdict.torn_bytes) == (True, 8, 0)
        kinds = [(entry.kind, entry.what.get("bytes")) for entry in log.entries()][-2:]
        assert kinds == [("torn_line", cut), ("halt", None)]


def test_a_line_that_was_acknowledged_cannot_be_passed_off_as_torn(tmp_path: Path) -> None:
    log = written(tmp_path)
    lines = lines_of(log)
    lines[-1] = lines[-1][:30]
    verdict = changed(log, lines)
    assert (verdict.holds, verdict.first_bad) == (False, 6)
    with pytest.raises(AuditError, match="shorter than was acknowledged"):
        log.append(AuditDraft("halt", "too late", {}))


def test_a_crash_between_line_and_head_loses_nothing(tmp_path: Path) -> None:
    log = written(tmp_path, 3)
    head = log.path.with_suffix(".head").read_bytes()
    log.append_all([AuditDraft("halt", "written", {}), AuditDraft("resume", "and died", {})])
    log.path.with_suffix(".head").write_bytes(head)
    verdict = log.verify()
    assert (verdict.holds, verdict.entries, verdict.beyond_head) == (True, 5, 2)
    assert log.append(AuditDraft("halt", "after", {})).number == 6
    assert (log.verify().holds, log.verify().beyond_head) == (True, 0)


def test_a_crash_during_the_very_first_entry_is_survived(tmp_path: Path) -> None:
    log = written(tmp_path, 1)
    whole = log.path.read_bytes()
    log.path.with_suffix(".head").write_text(json.dumps({"entries": 0, "bytes": 0, "hash": FIRST_HASH}))
    assert (log.verify().holds, log.verify().beyond_head) == (True, 1)
    log.path.write_bytes(whole[:20])
    assert (log.verify().holds, log.verify().torn_bytes) == (True, 20)
    assert log.append(AuditDraft("halt", "after", {})).number == 2
