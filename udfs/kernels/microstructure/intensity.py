"""How fast events come, with exponentially decaying memory: the sum of exp(-age / constant) / constant over all of them."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.symbol_state import Record

SLOW_SECONDS: Final = 60
FAST_SECONDS: Final = 10
"""A sixth of the slow one, so that one exponential serves both: its sixth power is the other."""
_SLOW_NANOSECONDS: Final = float(SLOW_SECONDS * NANOSECONDS_PER_SECOND)


@kernel
def count_event(memory: Record, event_time: int) -> None:
    """Let one more event count; one that is out of order counts with the age that it has."""
    age = event_time - memory.time
    if memory.time == 0 or age >= 0:
        if memory.time > 0 and age > 0:
            left = np.exp(-age / _SLOW_NANOSECONDS)
            memory.slow *= left
            memory.fast *= _sixth_power(left)
        memory.time = event_time
        memory.slow += 1.0
        memory.fast += 1.0
        return
    left = np.exp(age / _SLOW_NANOSECONDS)
    memory.slow += left
    memory.fast += _sixth_power(left)


@kernel
def rates_at(memory: Record, time: int) -> tuple[float, float]:
    """Events a second at a time not before the newest event: with the memory of 10 s and with that of 60 s."""
    left = np.exp((memory.time - time) / _SLOW_NANOSECONDS)
    return memory.fast * _sixth_power(left) / FAST_SECONDS, memory.slow * left / SLOW_SECONDS


@kernel
def _sixth_power(number: float) -> float:
    square = number * number
    return square * square * square
