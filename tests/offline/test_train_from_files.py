"""Rows made of recorded data are the stream's own, with outcomes of all rows, however many are kept."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from jobs.benchmark.trained import rows_of
from jobs.settings import load_settings
from jobs.simulator.settings import SimulationSettings
from jobs.simulator.source import SimulatedSource
from jobs.train import main
from jobs.training.baselines import last_known
from jobs.training.dataset import Dataset, from_table
from jobs.training.from_files import fingerprint, labelled_rows_of
from jobs.training.labelling.kinds import LabelSettings
from jobs.training.labels import Labels, forward_returns
from udfs.kernels.feature_vector import FEATURE_NAMES

SECOND = 1_000_000_000
MARKET = SimulationSettings(symbols=2, seconds=240.0, ticks_per_second=6.0, quiet_symbols=0, seed=3)
LABEL = LabelSettings("return", 20 * SECOND, 4 * SECOND)


def made(keep_about: int) -> tuple[Dataset, Labels]:
    return labelled_rows_of(SimulatedSource(MARKET), load_settings(environment={}), LABEL, "", keep_about)


def test_rows_are_those_of_the_kernels_whatever_the_frames() -> None:
    """Law: each row has the bits that the kernels give when the frames are cut in another way, and outcomes look at every row's price."""
    rows, labels = made(1_000_000)
    whole = from_table(rows_of(MARKET), FEATURE_NAMES)
    expected = forward_returns(whole, LABEL.horizon, LABEL.tolerance)
    assert rows.symbols == whole.symbols
    assert rows.values.tobytes() == whole.values[expected.rows].tobytes()
    assert rows.event_number.tolist() == whole.event_number[expected.rows].tolist()
    assert labels.end.tolist() == expected.end.tolist()
    assert np.array_equal(labels.log_return, expected.log_return)


def test_thinned_rows_keep_their_outcomes() -> None:
    everything, labels = made(1_000_000)
    some, kept = made(200)
    assert 100 <= kept.rows.shape[0] <= 400
    outcome = dict(zip(keys(everything), labels.log_return.tolist(), strict=True))
    assert all(outcome[key] == value for key, value in zip(keys(some), kept.log_return.tolist(), strict=True))


def keys(rows: Dataset) -> list[tuple[str, int]]:
    return [(rows.symbols[code], number) for code, number in zip(rows.symbol.tolist(), rows.event_number.tolist(), strict=True)]


def test_a_file_names_its_data(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    before = fingerprint(tmp_path)
    assert before == fingerprint(tmp_path)
    (tmp_path / "a.csv").write_text("2")
    assert fingerprint(tmp_path) != before


def test_data_that_is_not_there_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "none"), "--lake", str(tmp_path), "--models", str(tmp_path / "m"), "--json"]) == 1
    assert "not found" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]


def test_what_chooses_rows_of_the_lake_is_not_ignored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", str(tmp_path), "--symbols", "A", "--lake", str(tmp_path), "--models", str(tmp_path / "m"), "--json"]
    assert main(arguments) == 2
    assert "--symbols" in json.loads(capsys.readouterr().out.splitlines()[-1])["error"]


def test_the_newest_known_outcome_is_the_last_that_ended() -> None:
    """Law: against the slow search."""
    generator = np.random.default_rng(1)
    symbol = generator.integers(0, 3, 200).astype(np.int32)
    start = np.sort(generator.integers(0, 300, 200))
    end = start + generator.integers(1, 30, 200)
    for row, found in enumerate(last_known(symbol, start, end).tolist()):
        ended = [k for k in range(200) if symbol[k] == symbol[row] and end[k] <= start[row]]
        assert (found == -1) == (not ended)
        assert found == -1 or (found in ended and end[found] == max(end[k] for k in ended))
