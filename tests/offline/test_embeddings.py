"""Symbols that move together are neighbours, and equal bars give equal vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as parquet
import pytest

from jobs.reference.embeddings import learn, main
from udfs.errors import SourceError

SECTORS = 4
MEMBERS = 5
SYMBOLS = tuple(f"{'ABCD'[sector]}{member}" for sector in range(SECTORS) for member in range(MEMBERS))


def market(seed: int, bars: int = 600, loading: float = 1.0) -> npt.NDArray[np.float64]:
    """Closes with one factor of the market, one of each sector, and noise; members differ in volatility."""
    generator = np.random.default_rng(seed)
    sectors = np.repeat(generator.normal(size=(bars, SECTORS)), MEMBERS, axis=1)
    moves = generator.normal(size=(bars, 1)) + loading * sectors + generator.normal(size=(bars, len(SYMBOLS)))
    return 100 * np.exp(np.cumsum(moves * generator.uniform(1e-4, 1e-3, len(SYMBOLS)), axis=0))


@pytest.mark.parametrize("seed", range(3))
def test_neighbours_are_of_the_same_sector(seed: int) -> None:
    found = learn(SYMBOLS, market(seed), 8)
    near = [name[0] == symbol[0] for symbol in SYMBOLS for name, _ in found.neighbours(symbol, MEMBERS - 1)]
    assert np.mean(near) > 0.95


def test_without_sectors_there_is_nothing_to_find() -> None:
    """So the law above is not one of the names."""
    found = learn(SYMBOLS, market(0, loading=0.0), 8)
    near = [name[0] == symbol[0] for symbol in SYMBOLS for name, _ in found.neighbours(symbol, MEMBERS - 1)]
    assert np.mean(near) < 0.5


def test_equal_bars_equal_vectors_and_gaps_are_allowed() -> None:
    closes = market(1)
    closes[np.random.default_rng(0).random(closes.shape) < 0.1] = np.nan
    one, other = learn(SYMBOLS, closes, 8), learn(SYMBOLS, closes.copy(), 8)
    assert one.vectors.tobytes() == other.vectors.tobytes()
    np.testing.assert_allclose(np.linalg.norm(one.vectors, axis=1), 1.0)


def test_too_little_is_an_error() -> None:
    with pytest.raises(SourceError, match="10 bars of 20 symbols"):
        learn(SYMBOLS, market(0, 10), 8)
    with pytest.raises(KeyError, match="Z is not among the 20"):
        learn(SYMBOLS, market(0), 8).neighbours("Z", 1)


def test_the_program_reads_bars_and_writes_vectors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    closes = market(2)
    rows = [(symbol, bar, closes[bar, place]) for place, symbol in enumerate(SYMBOLS) for bar in range(len(closes))]
    pd.DataFrame(rows, columns=["symbol", "start_time", "close"]).to_parquet(tmp_path / "bars.parquet")
    assert main(["--bars", str(tmp_path / "bars.parquet"), "--out", str(tmp_path / "out.parquet"), "--dimensions", "6"]) == 0
    written = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["symbol"] for row in written] == sorted(SYMBOLS)
    assert {len(row["vector"]) for row in written} == {6}
    assert capsys.readouterr().out.startswith("A0: A")
    assert main(["--bars", str(tmp_path / "none.parquet"), "--out", str(tmp_path / "x")]) == 2
