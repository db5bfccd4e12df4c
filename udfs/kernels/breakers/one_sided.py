"""A model that says the same of everything: its signals are held back until it says something else again.

Watched is the exponential mean, over `window` nanoseconds, of the directions that would be acted on: 1 up, -1 down, 0 neutral or not sure
enough. Tripped: the mean is beyond 0.95, which takes three windows of nothing but one direction. Released: it is within 0.8 again, or
another model is in force. A single signal moves the mean by its share of the window, so it neither trips nor releases. What is not scored
at all does not count, and a pause counts as an eighth of the window at most.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

import numpy as np

from udfs.kernels.breakers.layout import BREAKERS
from udfs.kernels.symbol_state import SYMBOL_STATE, SymbolState

TRIPPED_AT: Final = 0.95
RELEASED_AT: Final = 0.8
_LARGEST_SHARE_OF_WINDOW: Final = 8
_START: Final = int(SYMBOL_STATE.fields["breakers"][1])  # type: ignore[index]
_MEAN: Final = Struct("<dqI")
_MEAN_AT: Final = _START + int(BREAKERS.fields["direction_mean"][1])  # type: ignore[index]
_TRIPPED: Final = Struct("<B")
_TRIPPED_AT: Final = _START + int(BREAKERS.fields["one_sided"][1])  # type: ignore[index]


def count_direction(state: SymbolState, direction: int, time: int, model: int, window: int) -> bool:
    """Let one signal count, at `time` on the symbol's clock, made by the model of this number (32 bits); whether the breaker is open.

    Changes `state`, an array (1,) of `symbol_state.SYMBOL_STATE`, in place. A window of 0 turns the breaker off.
    """
    if window <= 0:
        return False
    memory = state.view(np.uint8).data
    mean, before, counted_model = _MEAN.unpack_from(memory, _MEAN_AT)
    tripped: bool = _TRIPPED.unpack_from(memory, _TRIPPED_AT)[0] != 0
    if model != counted_model:
        mean, before, tripped = 0.0, time, False
    elapsed = min(max(time - before, 0), window // _LARGEST_SHARE_OF_WINDOW)
    mean += (direction - mean) * (elapsed / (window + elapsed))
    tripped = abs(mean) > (RELEASED_AT if tripped else TRIPPED_AT)
    _MEAN.pack_into(memory, _MEAN_AT, mean, max(time, before), model)
    _TRIPPED.pack_into(memory, _TRIPPED_AT, tripped)
    return tripped
