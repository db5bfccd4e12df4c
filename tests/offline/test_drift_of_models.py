"""Drift of a model's features and of what it says, from the lake; and the measured rates of the monitor itself."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from jobs import drift
from jobs.model_store import FolderStore
from jobs.monitoring import drift_check
from jobs.monitoring.drift import DriftSettings, NotEnoughRows
from jobs.monitoring.drift_check import CheckSettings, check_drift
from jobs.monitoring.predictions import NAMES, prediction_drift
from jobs.training.dataset import Dataset
from tests.support.feature_lake import feature_lake, lake_rows
from tests.support.feature_rows import SECOND, planted_dataset
from tests.support.trained_model import scorer, trained_model
from udfs.kernels.feature_vector import Feature

SETTINGS = DriftSettings(block=10 * SECOND)


def later(rows: int = 4_000, push: float = 0.0, seed: int = 12) -> Dataset:
    """Rows of the same market after those that the model was trained and tested on; the feature that matters is moved by `push`."""
    found = planted_dataset(rows=rows, seed=seed)
    values = found.values.copy()
    values[:, Feature.IMBALANCE_5_LEVELS] += np.float32(push)
    return found._replace(values=values, event_time=found.event_time + 1_000 * SECOND, event_number=found.event_number + 1_000_000)


def test_a_model_that_leans_to_one_side_is_found() -> None:
    steady = prediction_drift(scorer(), later(seed=12), later(seed=13), 100, SETTINGS)
    assert [one.feature for one in steady] == list(NAMES)
    assert not any(one.alarm for one in steady)
    leaning = prediction_drift(scorer(), later(seed=12), later(seed=13, push=0.8), 100, SETTINGS)
    assert leaning[0].alarm
    with pytest.raises(NotEnoughRows):
        prediction_drift(scorer(), later(), later().take(np.zeros(0, np.intp)), 100, SETTINGS)


@pytest.mark.parametrize(("push", "code"), [(0.0, 0), (1.0, 1)])
def test_the_verb_compares_features_and_predictions(tmp_path: Path, capsys: pytest.CaptureFixture[str], push: float, code: int) -> None:
    model, store = trained_model(), FolderStore(tmp_path / "models")
    store.put(model.version, model.data, json.loads(json.dumps(model.card)))
    feature_lake(tmp_path, lake_rows(planted_dataset().take(np.arange(0, 8_000, 2))) + lake_rows(later(2_000, push)))
    arguments = ["--lake", str(tmp_path), "--models", str(store.folder), "--block-seconds", "8", "--from", "2023-11-14T22:29", "--json"]
    assert drift.main(arguments) == code
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["predictions"]["compared"]
    assert {one["feature"] for one in found["predictions"]["found"]} == set(NAMES)
    assert found["drifted"] == bool(found["alarms"]) == bool(code)
    assert not code or {"imbalance_5_levels", NAMES[0]} <= set(found["alarms"])


def test_too_few_rows_for_the_predictions_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, store = trained_model(), FolderStore(tmp_path / "models")
    store.put(model.version, model.data, json.loads(json.dumps(model.card)))
    feature_lake(tmp_path, lake_rows(planted_dataset()))
    assert drift.main(["--lake", str(tmp_path), "--models", str(store.folder), "--block-seconds", "5", "--json"]) in (0, 1)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert not found["predictions"]["compared"]
    assert "expected 8 or more" in found["predictions"]["why"]


def test_the_check_measures_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """On little; the rates of README are those of `infra/tickflow drift --check`. Without a shift there is nothing to find."""
    small = CheckSettings(days=15, shifts=10)
    found = check_drift(small)
    assert found["holds"], found
    assert asdict(small)["days"] == found["days"]
    monkeypatch.setattr(drift_check, "SHIFT", 0.0)
    assert check_drift(small)["failed"] == ["found_share"]
