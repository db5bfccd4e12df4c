"""Prices, sizes and money as whole numbers, so that sums are exact and nothing is ever NaN."""

from __future__ import annotations

import math
from typing import Final

PRICE_SCALE: Final = 10**8
"""Units of a price in one unit of the currency."""
SIZE_SCALE: Final = 10**8
"""Units of a quantity in one share, coin or contract."""
MONEY_SCALE: Final = PRICE_SCALE * SIZE_SCALE
"""Units of money: a price times a quantity."""
LARGEST: Final = 2**62


def units(value: float, scale: int = PRICE_SCALE) -> int | None:
    """A price or quantity above 0 as a whole number; None for what is not finite, not above 0, or too large to be true."""
    if not math.isfinite(value):
        return None
    whole = round(value * scale) if abs(value) < LARGEST / scale else 0
    return whole if whole > 0 else None


def money(value: float) -> int:
    """An amount as whole units. Raises ValueError for what is no number."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no amount of money")
    return round(value * PRICE_SCALE) * SIZE_SCALE


def amount(whole: int) -> float:
    """Whole units of money as a number for people."""
    return whole / MONEY_SCALE
