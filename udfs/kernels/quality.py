"""What a row tells about how far it can be relied on."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.kernels.compiled import kernel
from udfs.kernels.events import NANOSECONDS_PER_SECOND, EventFlag, TradingStatus
from udfs.kernels.feature_vector import Feature
from udfs.kernels.microstructure.tiles import add_gap, gaps_since
from udfs.kernels.news.taking import note_feed_delay
from udfs.kernels.symbol_state import Record
from udfs.kernels.windows import boundary

COLD_START_SECONDS: Final = 1800
_OPEN: Final = int(TradingStatus.OPEN)
_GAP_FLAG: Final = int(EventFlag.SEQUENCE_GAP)
_FIRST_QUALITY: Final = int(Feature.SECONDS_SINCE_EVENT)


@kernel
def note_event(state: Record, event: Record) -> None:
    """An event other than a CLOCK was accepted."""
    if state.first_event_time == 0:
        state.first_event_time = event.event_time
    note_feed_delay(state, event)
    state.last_event_time = max(state.last_event_time, event.event_time)
    if event.flags & _GAP_FLAG:
        add_gap(state, event.event_time)


@kernel
def fill_quality(values: Record, state: Record) -> None:
    """Write the features of quality. All others must have been written."""
    values[Feature.SECONDS_SINCE_EVENT] = (state.clock - state.last_event_time) / NANOSECONDS_PER_SECOND
    values[Feature.SEQUENCE_GAPS_1_HOUR] = gaps_since(state, boundary(state, 3600, 300))
    values[Feature.HALTED] = 1.0 if state.status > _OPEN else 0.0
    values[Feature.COLD_START] = 1.0 if state.clock - state.first_event_time < COLD_START_SECONDS * NANOSECONDS_PER_SECOND else 0.0
    invalid = 0
    for place in range(_FIRST_QUALITY):
        invalid += not np.isfinite(np.float32(values[place]))
    values[Feature.WARMING_UP_SHARE] = invalid / _FIRST_QUALITY
