"""Splits and dividends: from the ADJUSTMENT on, all that is remembered in prices and sizes is in the new units.

With k new shares for an old one and a cash dividend d on a last price p, prices are multiplied by (1 - d / p) / k and sizes by k, as price
histories are adjusted backwards; notionals by the product. A fact is taken once, and only while no event of the new units was seen, which
a CLOCK is not: it may be said again, after a restart of the gateway for instance, and changes nothing then. Events after it are taken as
being in the new units, those too that are out of order: markets are closed when such a change takes effect.
"""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND
from udfs.kernels.facts.rescaling import rescale
from udfs.kernels.plausibility.price_jump import take_next_as_it_comes
from udfs.kernels.symbol_state import Record

LARGEST_SPLIT: Final = 1e6
_EFFECTIVE, _SPLIT, _CASH = 0, 1, 2
_LATEST: Final = 7_258_118_400.0
"""2200-01-01."""


@kernel
def adjustment_is_possible(state: Record, event_time: int, numbers: Record) -> bool:
    """A whole second that is there already, a split that is no fantasy, and a dividend below the price; NaN means that there is none."""
    if not 0.0 < numbers[_EFFECTIVE] < _LATEST or numbers[_EFFECTIVE] != np.floor(numbers[_EFFECTIVE]):
        return False
    if int(numbers[_EFFECTIVE]) * NANOSECONDS_PER_SECOND > event_time:
        return False
    factor = _or(numbers[_SPLIT], 1.0)
    return 1.0 / LARGEST_SPLIT <= factor <= LARGEST_SPLIT and not (numbers[_CASH] < 0.0 or numbers[_CASH] >= state.mark_price)


@kernel
def take_adjustment(state: Record, numbers: Record) -> None:
    """Bring the state into the new units, unless that was done or events in them were taken already."""
    effective = int(numbers[_EFFECTIVE])
    if effective <= state.adjusted_second or state.last_event_time >= effective * NANOSECONDS_PER_SECOND:
        return
    state.adjusted_second = effective
    factor, cash = _or(numbers[_SPLIT], 1.0), _or(numbers[_CASH], 0.0)
    price_factor = (1.0 - (cash / state.mark_price if cash > 0.0 else 0.0)) / factor
    if np.isfinite(price_factor):
        rescale(state, price_factor, factor)
    take_next_as_it_comes(state)


@kernel
def _or(number: float, otherwise: float) -> float:
    return otherwise if np.isnan(number) else number
