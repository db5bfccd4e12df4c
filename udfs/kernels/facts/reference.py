"""What is known of the instrument, as REFERENCE facts tell it: sector, size, and since and until when it is listed."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND, TradingStatus
from udfs.kernels.facts.layout import REFERENCE_NUMBERS
from udfs.kernels.feature_vector import Feature
from udfs.kernels.symbol_state import Record

NEW_LISTING_DAYS: Final = 30
_SECTOR, _BUCKET, _LISTED, _DELISTED = range(len(REFERENCE_NUMBERS))
_SECONDS_PER_DAY: Final = 86_400.0
_STATUS_DELISTED: Final = int(TradingStatus.DELISTED)


@kernel
def reference_is_possible(numbers: Record) -> bool:
    """Codes of 0 or more, and no delisting before the listing; each may be NaN."""
    return not (numbers[_SECTOR] < 0.0 or numbers[_BUCKET] < 0.0 or numbers[_DELISTED] < numbers[_LISTED])


@kernel
def take_reference(state: Record, numbers: Record) -> None:
    """Hold it until the next one."""
    held = state.reference
    held.sector, held.market_cap_bucket = numbers[_SECTOR], numbers[_BUCKET]
    held.listed, held.delisted = numbers[_LISTED], numbers[_DELISTED]


@kernel
def put_reference(values: Record, state: Record) -> None:
    """Write what is known at the clock."""
    held = state.reference
    values[Feature.SECTOR_CODE], values[Feature.MARKET_CAP_BUCKET] = held.sector, held.market_cap_bucket
    days = (state.clock / NANOSECONDS_PER_SECOND - held.listed) / _SECONDS_PER_DAY
    if days >= 0.0:
        values[Feature.DAYS_SINCE_LISTING] = days
        values[Feature.NEW_LISTING] = 1.0 if days < NEW_LISTING_DAYS else 0.0
    is_over = state.clock / NANOSECONDS_PER_SECOND >= held.delisted or state.status == _STATUS_DELISTED
    if is_over or not np.isnan(held.listed):
        values[Feature.DELISTED] = 1.0 if is_over else 0.0
