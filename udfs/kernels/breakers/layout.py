"""What the breakers remember of a symbol."""

from __future__ import annotations

from typing import Final

import numpy as np

BREAKERS: Final = np.dtype(
    [
        ("move_scale", "f8"),
        ("sampled_time", "i8"),
        ("beyond_time", "i8"),
        ("confirmed_number", "i8"),
        ("opened_time", "i8"),
        ("direction_mean", "f8"),
        ("direction_time", "i8"),
        ("direction_model", "u4"),
        ("confirmations", "u1"),
        ("observations", "u1"),
        ("crashed", "u1"),
        ("one_sided", "u1"),
    ]
)
"""64 bytes. `move_scale`: running 90 % quantile of the moves of a minute, sampled at `sampled_time` last. `beyond_time`: when a move was
beyond the limit last, `confirmed_number` the event that told it. `opened_time`: when the symbol came back after a pause. `direction_mean`:
exponential mean of the signals' directions, of the model whose hash begins with `direction_model`."""
