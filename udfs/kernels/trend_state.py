"""The part of a symbol's state that trend and volatility features need: recursions over minute bars, range of the session, tiles of 1 h."""

from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.indicators.adx import ADX_MEMORY
from udfs.kernels.indicators.garch import GARCH_MEMORY
from udfs.kernels.indicators.moving_average import EMA_MEMORY

STOCHASTIC_PERIOD: Final = 14
STOCHASTIC_SMOOTHING: Final = 3
MONEY_FLOW_PERIOD: Final = 14
RANGE_TILE_MINUTES: Final = 5
"""Hop of the windows of range volatility."""
RANGE_RING: Final = 13
"""Tiles that 1 h and one hop can touch."""

TREND: Final = np.dtype(
    [
        ("ema_5", "f8", (EMA_MEMORY,)),
        ("ema_15", "f8", (EMA_MEMORY,)),
        ("highs", "f8", (1 + STOCHASTIC_PERIOD,)),
        ("lows", "f8", (1 + STOCHASTIC_PERIOD,)),
        ("positions", "f8", (2 * STOCHASTIC_SMOOTHING,)),
        ("movement", "f8", (ADX_MEMORY,)),
        ("money_flow", "f8", (2 + MONEY_FLOW_PERIOD,)),
        ("garch", "f8", (GARCH_MEMORY,)),
    ]
)
"""Memory of the recursions over minute bars, in the forms that `indicators` defines. 544 bytes."""

_MINUTE_NAMES: Final = ("sma_15", "ema_5", "ema_15", "k", "d", "slow_d", "plus", "minus", "adx", "mfi", "garch")

TREND_VALUES: Final = np.dtype([(name, "f8") for name in _MINUTE_NAMES])
"""Their values at the last minute bar; NaN while warming up. 88 bytes."""

SESSION_RANGE: Final = np.dtype([("session", "i8"), ("high", "f8"), ("low", "f8"), ("price_kind", "i8")])
"""Highest and lowest price of the closed seconds of one session, and what kind of prices they are. 32 bytes."""

RANGE_TILE: Final = np.dtype([("parkinson", "f8"), ("garman_klass", "f8")])
"""Sums over the minute bars of `RANGE_TILE_MINUTES` minutes: variances by range."""

_HOUR_NAMES: Final = (
    "bipower",
    "relative_jump",
    "jump",
    "parkinson",
    "garman_klass",
    "volatility_of_volatility",
    "fractional",
    "fractional_relative",
)

HOUR_VALUES: Final = np.dtype([("minutes_closed", "i8"), *((name, "f8") for name in _HOUR_NAMES)])
"""What the newest 60 closed minutes gave when `minutes_closed` minutes since the epoch had closed. 72 bytes."""
