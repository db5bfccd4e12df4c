"""A model for benchmarks: trained on a simulated market that goes through the kernels in this process, without a cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.benchmark.load import SECOND, Load, calibrated_market
from jobs.gateway.market_event import MarketEvent
from jobs.gateway.packing import PackedFrame, Packer, PackingSettings
from jobs.simulator.settings import SimulationSettings
from jobs.simulator.source import SimulatedSource
from jobs.training.dataset import COLUMNS, from_table
from jobs.training.fit import TrainingSettings
from jobs.training.train_model import TrainedModel, train_model
from udfs.kernels.advance import Advance, KernelSettings, advance
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET, MODEL_INPUTS
from udfs.kernels.symbol_state import new_state

MARKET = SimulationSettings(symbols=6, seconds=7200.0, ticks_per_second=12.0, quiet_symbols=0, seed=11)
"""Two hours of six symbols."""
_TRAINING_SECONDS = 120.0
_HORIZON_SECONDS = 5
_WHOLE_SPAN = PackingSettings(maximum_events=256, maximum_age_nanoseconds=60_000_000_000)


def benchmark_model(load: Load) -> TrainedModel:
    """A model of the load's own market, two minutes old: one that has expired, or reads inputs beyond its range, would abstain, and what
    abstains is spared the reasons."""
    settings = TrainingSettings(horizon=_HORIZON_SECONDS * SECOND, minimum_confidence=0.0)
    began = time.time_ns() - int(_TRAINING_SECONDS * SECOND)
    market = replace(calibrated_market(load), seconds=_TRAINING_SECONDS, start_time=began)
    return train_model(from_table(rows_of(market), FEATURE_NAMES), MODEL_INPUTS, settings)


def rows_of(market: SimulationSettings) -> pa.Table:
    """Feature rows of a simulated market, with the columns that training reads."""
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    states: dict[str, npt.NDArray[Any]] = {}
    for frame in _frames(market):
        state = states.setdefault(frame.symbol, new_state())
        _append(columns, frame.symbol, advance(state, frame.columns, KernelSettings()))
    values = pa.array(columns["feature_values"], pa.list_(pa.float32()))
    return pa.table({**columns, "feature_values": values})


def _frames(market: SimulationSettings) -> Iterator[PackedFrame]:
    packer = Packer(_WHOLE_SPAN)
    for item in SimulatedSource(market).events():
        if isinstance(item, MarketEvent):
            yield from packer.advance(item.available_time, item.available_time)
            if (frame := packer.add(item)) is not None:
                yield frame
    yield from packer.finish(close_bars=True)


def _append(columns: dict[str, list[Any]], symbol: str, result: Advance) -> None:
    for row in range(len(result.row_event_time)):
        columns["symbol"].append(symbol)
        columns["event_time_ns"].append(int(result.row_event_time[row]))
        columns["available_time_ns"].append(int(result.row_available_time[row]))
        columns["event_number"].append(int(result.row_event_number[row]))
        columns["price"].append(float(result.row_price[row]))
        columns["feature_values"].append(result.row_values[row].tolist())
        columns["feature_valid"].append(np.packbits(result.row_valid[row], bitorder="little").tobytes())
        columns["feature_set"].append(FEATURE_SET)
