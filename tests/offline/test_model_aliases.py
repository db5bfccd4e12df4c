"""Who was champion at a time can always be told: the record is only added to, whatever happens at the same moment."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from jobs.model_aliases import CHAMPION, AliasHistory, FolderEntries, aliases_of
from jobs.model_store import FolderStore
from jobs.models import main
from udfs.errors import ModelMismatch, SourceError


@pytest.fixture
def history(tmp_path: Path) -> AliasHistory:
    return aliases_of(FolderStore(tmp_path))


def test_who_was_champion_at_a_time(history: AliasHistory) -> None:
    for time, version in ((10, "v1"), (20, "v2"), (30, "v1")):
        history.give(CHAMPION, version, "0" * 64, time, "me", "because", time)
    history.give("challenger-a", "v3", "0" * 64, 25, "me", "try it")
    history.give("challenger-a", "", "", 40, "me", "tried")
    borne = {time: (entry.version if (entry := history.at(CHAMPION, time)) else None) for time in (9, 10, 19, 20, 29, 30, 99)}
    assert borne == {9: None, 10: "v1", 19: "v1", 20: "v2", 29: "v2", 30: "v1", 99: "v1"}
    assert history.at("challenger-a") is None
    assert history.at("challenger-a", 39) is not None
    assert history.current() == {CHAMPION: "v1"}
    assert [entry.number for entry in history.all()] == [1, 2, 3, 4, 5]


def test_what_was_is_not_rewritten(history: AliasHistory, tmp_path: Path) -> None:
    history.give(CHAMPION, "v1", "0" * 64, 20, "me", "because")
    with pytest.raises(ModelMismatch, match="not rewritten"):
        history.give(CHAMPION, "v2", "0" * 64, 19, "me", "because")
    entries = FolderEntries(tmp_path / ".aliases")
    before = entries.read("0000000001.json")
    assert not entries.write_new("0000000001.json", b"{}")
    assert entries.read("0000000001.json") == before


def test_all_who_write_at_once_are_in_the_record(history: AliasHistory) -> None:
    names = [f"challenger-{number}" for number in range(8)]
    writers = [threading.Thread(target=history.give, args=(name, "v1", "0" * 64, 5, "me", "at once")) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(entry.alias for entry in history.all()) == names


@pytest.mark.parametrize("alias", ["", "winner", "challenger-", "challenger-A", "champion ", "challenger-../x"])
def test_a_name_that_is_none_is_refused(history: AliasHistory, alias: str) -> None:
    with pytest.raises(ValueError, match="no alias"):
        history.give(alias, "v1", "0" * 64, 1, "me", "because")


def test_a_record_that_was_tampered_with_is_said(history: AliasHistory, tmp_path: Path) -> None:
    for time in (1, 2, 3):
        history.give(CHAMPION, f"v{time}", "0" * 64, time, "me", "because")
    (tmp_path / ".aliases" / "0000000002.json").unlink()
    with pytest.raises(SourceError, match="gap"):
        history.at(CHAMPION)
    (tmp_path / ".aliases" / "0000000002.json").write_text("{")
    with pytest.raises(SourceError, match="no entry"):
        history.all()


def test_a_draft_that_a_crash_left_is_no_entry(history: AliasHistory, tmp_path: Path) -> None:
    history.give(CHAMPION, "v1", "0" * 64, 1, "me", "because")
    (tmp_path / ".aliases" / ".draft-left").write_text("{")
    assert len(history.all()) == 1
    assert FolderStore(tmp_path).versions() == ()


def test_the_verb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = FolderStore(tmp_path / "models")
    store.put("v1", b"model", {})
    where = ["--lake", str(tmp_path), "--models", str(store.folder), "--json"]
    aliases_of(store).give("challenger-x", "v1", "0" * 64, 1_700_000_000 * 10**9, "me", "try it")
    assert main([*where, "--alias", "challenger-x"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["aliases"] == {"challenger-x": "v1"}
    assert result["asked"]["bearer"]["why"] == "try it"
    assert main([*where, "--alias", "challenger-x", "--at", "2020-01-01"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["asked"]["bearer"] is None
