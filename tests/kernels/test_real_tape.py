"""Bars that the kernels make of a real day of trades, against the bars that were published for it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.support.kernel_events import columns_of
from udfs.errors import Reason
from udfs.kernels.advance import Advance, KernelSettings, advance
from udfs.kernels.events import NANOSECONDS_PER_MILLISECOND, EventFlag, EventKind, FrameColumns
from udfs.kernels.symbol_state import new_state

TICK_COLUMNS = ["time", "price", "size", "exchange", "condition", "suspicious"]
PRICES = ["open", "high", "low", "close"]
BAR_COLUMNS = ["time", *PRICES, "volume"]
COUNTS_FOR_PRICE = 0x1 | 0x40 | 0x80 | 0x2000
"""Bits of the condition of which trades have one that count for open, high, low and close: regular, opening, closing, extended hours."""
DAYS = [("bac", "20131007"), ("bac", "20131008"), ("spy", "20131007")]


def _read(path: Path, names: list[str]) -> pd.DataFrame:
    if not path.is_file():
        pytest.skip(f"no recorded tape at {path}")
    with zipfile.ZipFile(path) as archive:
        return pd.read_csv(io.BytesIO(archive.read(archive.namelist()[0])), header=None, names=names, dtype={"condition": str})


def _columns(ticks: pd.DataFrame, midnight: int) -> FrameColumns:
    """Trades as columns, and a clock that ends the day; trades that do not count for the price are VOLUME_ONLY."""
    counts = ticks["condition"].map(lambda condition: int(condition, 16) & COUNTS_FOR_PRICE).to_numpy(bool)
    times = np.r_[ticks["time"].to_numpy(np.int64), 86_400_000] * NANOSECONDS_PER_MILLISECOND + midnight
    return columns_of([])._replace(
        kind=np.r_[np.full(len(ticks), EventKind.TRADE), EventKind.CLOCK].astype(np.uint8),
        flags=np.r_[np.where(counts, 0, EventFlag.VOLUME_ONLY), 0].astype(np.uint8),
        event_time=times,
        available_time=times,
        sequence=np.zeros(len(times), np.int64),
        trades=np.ascontiguousarray(ticks[["price", "size"]].to_numpy(np.float64)) / [10_000, 1],
        trade_sides=np.zeros(len(ticks), np.int8),
    )


def _minute_bars(result: Advance, midnight: int) -> pd.DataFrame:
    minutes = result.bars[result.bars["length_seconds"] == 60]
    frame = pd.DataFrame({name: minutes[name] for name in BAR_COLUMNS[1:]})
    frame[PRICES] = np.round(frame[PRICES] * 10_000)
    frame["time"] = (minutes["start_time"] - midnight) // NANOSECONDS_PER_MILLISECOND
    return frame.set_index("time")


def _agreement(tape: Path, symbol: str, day: str) -> tuple[int, int, int]:
    """Published minutes of a day, and how many of them have equal prices and equal volume."""
    published = _read(tape / "minute" / f"{symbol}_{day}_trade.zip", BAR_COLUMNS).set_index("time")
    midnight = pd.Timestamp(day, tz="America/New_York").value
    result = advance(new_state(), _columns(_read(tape / "tick" / f"{symbol}_{day}_trade.zip", TICK_COLUMNS), midnight), KernelSettings())
    assert (result.verdicts == Reason.ACCEPTED).all()
    ours = _minute_bars(result, midnight)
    assert ours.index.equals(published.index)
    return len(published), int((ours[PRICES] == published[PRICES]).all(axis=1).sum()), int((ours["volume"] == published["volume"]).sum())


def test_minute_bars_equal_the_published_ones(market_data: Path) -> None:
    """The same minutes; open, high, low, close of at least 99 % of them and volume of at least 99.5 %, to the last digit."""
    minutes, prices, volumes = np.sum([_agreement(market_data / "us_tape_2013", symbol, day) for symbol, day in DAYS], axis=0)
    print(f"{minutes} minutes, prices of {prices} equal, volume of {volumes}")
    assert prices >= 0.99 * minutes
    assert volumes >= 0.995 * minutes
