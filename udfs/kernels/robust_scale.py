"""How large the usual moves are, of which a wild one says little: a running 90 % quantile, and ten of the sigmas that it stands for."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

from udfs.kernels.compiled import kernel

SIGMAS: Final = 10.0
QUANTILE_IN_SIGMAS: Final = 1.645
"""The 90 % quantile of the size of a normal number."""
_RAISED: Final = 1.045
_LOWERED: Final = 0.995
_LEAST: Final = 1e-6


@kernel
def next_quantile(quantile: float, move: float) -> float:
    """After one more move: a greater one, however great, raises it by 4.5 %, another lowers it by 0.5 %."""
    return max(quantile * (_RAISED if move > quantile else _LOWERED), _LEAST)


@kernel
def ten_sigmas(quantile: float) -> float:
    """What a move must not exceed to be one of these."""
    return SIGMAS / QUANTILE_IN_SIGMAS * quantile
