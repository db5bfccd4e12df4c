"""The guides' commands that need no service are run as they stand there, one guide after the other, on a small lake."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from infra.documentation.tables import dispatcher
from tests.support.documents import ROOT, commands
from tests.support.feature_lake import feature_lake, lake_rows
from tests.support.feature_rows import planted_dataset
from tests.support.markets import market_lake

GUIDES = ROOT / "infra" / "guides"
RUN = ("features", "dataset", "train", "models", "backtest")
"""Verbs that need a lake at most."""
NEEDS_NO_LAKE = ("features",)
ELSEWHERE = ("--data", "--release", "--check")
"""What other tests run: recorded files, a broker, made-up markets."""


def told(guide: str) -> list[tuple[str, ...]]:
    """The commands of a guide that are run here."""
    found = [command.words for command in commands((GUIDES / guide).read_text())]
    return [words for words in found if words[0] in RUN and not set(words) & set(ELSEWHERE)]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows to train from, and quotes with signals to trade on."""
    folder = tmp_path_factory.mktemp("guides") / "lake"
    rows = planted_dataset(2_400)
    feature_lake(folder, lake_rows(rows._replace(event_time=rows.event_time[0] + 40 * (rows.event_time - rows.event_time[0]))))
    market_lake(folder, 0.3, 5, seconds=600, symbols=1)
    return folder


@pytest.mark.parametrize("guide", ["quick-start.md", "researcher.md"])
def test_what_a_guide_says_can_be_done(
    guide: str, lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for verb, *arguments in told(guide):
        where = [] if verb in NEEDS_NO_LAKE else ["--lake", str(lake)]
        code = importlib.import_module(dispatcher().VERBS[verb][0]).main([*arguments, *where])
        assert code == 0 or (verb == "train" and code == 1), (verb, capsys.readouterr())
    if guide == "researcher.md":
        assert {path.name for path in tmp_path.iterdir()} == {"rows.parquet", "sheet.html"}
        assert list(lake.rglob("model.onnx"))


def test_each_step_of_the_way_is_told_and_run() -> None:
    assert [words[0] for words in told("researcher.md")] == ["features", "dataset", "dataset", "train", "models", "backtest", "backtest"]
    assert {words[0] for words in told("quick-start.md")} == {"features", "dataset", "models"}
