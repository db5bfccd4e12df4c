"""Synthetic feature rows whose future is known: with a relation between one feature and the return, or with none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.training.dataset import Dataset
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET, Feature

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
STEP = SECOND // 10
HORIZON = SECOND


def planted_dataset(rows: int = 8_000, symbols: int = 2, strength: float = 0.4, seed: int = 5) -> Dataset:
    """Rows every 100 ms; the book imbalance is a slow process that pushes each next return by `strength` deviations (0 = no relation).

    A tenth of all values is missing, one feature (the 24-hour volatility) everywhere.
    """
    generator = np.random.default_rng(seed)
    steps = rows // symbols
    symbol = np.tile(np.arange(symbols, dtype=np.int32), steps)
    values = generator.normal(size=(rows, len(FEATURE_NAMES))).astype(np.float32)
    price = np.empty(rows)
    for code in range(symbols):
        push = _slow_process(generator.normal(size=steps))
        values[symbol == code, Feature.IMBALANCE_5_LEVELS] = np.tanh(push)
        returns = (strength * push + generator.normal(size=steps)) * 1e-4 * (code + 1)
        price[symbol == code] = 100 * (code + 1) * np.exp(np.concatenate([[0.0], np.cumsum(returns)[:-1]]))
    values[generator.random(values.shape) < 0.1] = np.nan
    values[:, Feature.REALISED_VOLATILITY_24_HOURS] = np.nan
    number = np.repeat(np.arange(steps), symbols)
    names = tuple(f"S{code}" for code in range(symbols))
    return Dataset(names, symbol, START + number * STEP, number, price, values, FEATURE_NAMES, FEATURE_SET)


def _slow_process(shocks: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """First-order autoregression with deviation near 1 and a memory of 50 steps."""
    level, levels = 0.0, np.empty(shocks.shape[0])
    for step, shock in enumerate(shocks):
        level = 0.98 * level + 0.2 * shock
        levels[step] = level
    return levels


def lake_columns(dataset: Dataset) -> dict[str, pa.Array]:
    """The dataset as the columns that training reads from the lake's table `features`."""
    valid = ~np.isnan(dataset.values)
    packed = np.packbits(valid, axis=1, bitorder="little")
    return {
        "symbol": pa.array([dataset.symbols[code] for code in dataset.symbol]),
        "event_time_ns": pa.array(dataset.event_time),
        "available_time_ns": pa.array(dataset.event_time + SECOND // 100),
        "event_number": pa.array(dataset.event_number),
        "feature_set": pa.array([dataset.feature_set] * dataset.symbol.shape[0]),
        "feature_values": pa.array(list(dataset.values), pa.list_(pa.float32())),
        "feature_valid": pa.array([row.tobytes() for row in packed], pa.binary()),
        "price": pa.array(dataset.price),
    }
