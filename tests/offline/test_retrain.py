"""Training again: for a reason, once, and never past the gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jobs import retrain
from jobs.model_aliases import CHAMPION, aliases_of
from jobs.model_store import FolderStore
from jobs.monitoring.adversarial import tell_apart
from jobs.training.dataset import NotEnoughData
from jobs.training.due import DueSettings, Findings, fresh_model, reasons
from tests.support.control_entries import control_entries
from tests.support.feature_lake import feature_lake, lake_rows
from tests.support.feature_rows import SECOND, planted_dataset
from udfs.codecs.control import decode_control
from udfs.kernels.feature_vector import Feature
from udfs.records import ControlEvent, ControlKind, ModelReference

DAY = 86_400 * SECOND
NAMES = ("imbalance_5_levels", "return_1_minute", "return_5_minutes")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    return control_entries(monkeypatch)


def entry(log: list[bytes], place: int) -> ControlEvent:
    return decode_control(log[place], place)


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    feature_lake(tmp_path, lake_rows(planted_dataset(rows=3_000)))
    return ["--lake", str(tmp_path), "--models", str(tmp_path / "models"), "--horizon-seconds", "1", "--block-seconds", "2", "--json"]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = retrain.main(list(arguments))
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_the_first_model_becomes_champion_and_is_not_trained_twice(
    log: list[bytes], arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, found = run(capsys, *arguments, "--announce")
    assert (code, found["due"], found["objections"]) == (0, ["there is no champion"], [])
    assert (found["control_version"], entry(log, 0).kind, entry(log, 0).reason) == (1, ControlKind.MODEL, "retrained: there is no champion")
    store = FolderStore(tmp_path / "models")
    bearer = aliases_of(store).at(CHAMPION)
    assert bearer is not None
    assert bearer.version == found["version"]

    code, again = run(capsys, *arguments, "--announce", "--scheduled", "the nightly run")
    assert (code, again["trained_already"], again["version"]) == (0, found["version"], None)
    code, forced = run(capsys, *arguments, "--announce", "--scheduled", "the nightly run", "--fresh-hours", "-1")
    assert (code, forced["version"]) == (0, found["version"]), "the same rows give the same model"
    announced = entry(log, 1)
    assert announced.challenger is not None
    assert (announced.kind, announced.challenger.alias) == (ControlKind.CHALLENGER, "challenger-retrained")
    assert announced.reason == "retrained: the nightly run"
    assert store.versions() == (found["version"],)


def test_what_the_gate_is_against_goes_nowhere(
    log: list[bytes], arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = {"gate": {"objections": ["it knows nothing"]}, "metrics": {}}
    monkeypatch.setattr(retrain, "_train", lambda options, catalog, store, newest_row: (ModelReference("v", "u", "0" * 64), card))
    code, found = run(capsys, *arguments, "--announce")
    assert (code, found["objections"], found["control_version"]) == (1, ["it knows nothing"], None)
    assert log == []
    assert aliases_of(FolderStore(tmp_path / "models")).current() == {}


def test_an_empty_lake_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = run(capsys, "--lake", str(tmp_path), "--models", str(tmp_path / "models"), "--json")
    assert code == 1
    assert "no feature rows yet" in found["error"]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Findings(30 * DAY), ["there is no champion"]),
        (Findings(30 * DAY, 24 * DAY), []),
        (Findings(30 * DAY, 20 * DAY), ["the champion's newest training row is 10.0 days old, more than 7"]),
        (Findings(30 * DAY, 30 * DAY, drift_alarms=["a", "b"]), ["2 have drifted: a, b"]),
        (
            Findings(30 * DAY, 30 * DAY, adversary={"alarm": True, "area": 0.9}),
            ["recent rows can be told from the training rows (area 0.900)"],
        ),
        (Findings(30 * DAY, 30 * DAY, adversary={"alarm": False, "area": 0.5}), []),
    ],
)
def test_the_reasons(found: Findings, said: list[str]) -> None:
    assert reasons(found, DueSettings()) == said
    assert reasons(found, DueSettings(), "asked")[-1 if said == ["there is no champion"] else 0] in ("asked", "there is no champion")


def test_a_model_of_nearly_the_same_rows_is_fresh() -> None:
    assert fresh_model(Findings(30 * DAY, newest_model=("v", 30 * DAY - DAY // 4)), DueSettings()) == "v"
    assert fresh_model(Findings(30 * DAY, newest_model=("v", 29 * DAY)), DueSettings()) == ""
    assert fresh_model(Findings(30 * DAY), DueSettings()) == ""


def test_rows_of_another_kind_are_told_apart_and_others_are_not() -> None:
    """By a relation between features too, which no single feature shows."""
    old, new = planted_dataset(seed=1), planted_dataset(rows=4_000, seed=2)
    assert not tell_apart(old, new, NAMES, SECOND).alarm
    values = new.values.copy()
    values[:, Feature.RETURN_5_MINUTES] = values[:, Feature.RETURN_1_MINUTE] * np.float32(0.95) + values[
        :, Feature.RETURN_5_MINUTES
    ] * np.float32(0.3)
    found = tell_apart(old, new._replace(values=values), NAMES, SECOND)
    assert found.alarm
    assert set(found.features[:2]) == {"return_1_minute", "return_5_minutes"}
    with pytest.raises(NotEnoughData, match="expected 200"):
        tell_apart(old, new.take(np.arange(50)), NAMES, SECOND)
