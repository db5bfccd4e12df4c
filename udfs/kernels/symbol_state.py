"""All that is remembered of one symbol, as one record of fixed size."""

from __future__ import annotations

from typing import Final

import numpy as np

SYMBOL_STATE: Final = np.dtype([("clock", "i8")])
"""Aligned and without padding: `tobytes` and `frombuffer` are its serial form."""


def new_state() -> np.ndarray:
    """State of a symbol that nothing is known of: shape (1,), ready to be changed by `advance`."""
    return np.zeros(1, SYMBOL_STATE)
