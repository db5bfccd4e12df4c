"""On-balance volume (Granville 1963): volume signed by the change of close; 0 at the first bar."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel, over_series
from udfs.kernels.indicators.moving_average import Floats

OBV_MEMORY: Final = 3
"""Count of bars, previous close, balance."""


@kernel
def on_balance_volume(memory: Floats, close: float, volume: float) -> float:
    """Take one more bar."""
    if memory[0] > 0.0:
        memory[2] += np.sign(close - memory[1]) * volume
    memory[0] += 1.0
    memory[1] = close
    return memory[2]


@over_series
def obv(close: Floats, volume: Floats) -> Floats:
    """On-balance volume of a series of bars (n,)."""
    memory, result = np.zeros(OBV_MEMORY), np.empty_like(close)
    for index in range(close.shape[0]):
        result[index] = on_balance_volume(memory, close[index], volume[index])
    return result
