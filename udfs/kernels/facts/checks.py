"""Which facts are believed. A fact is never late, and says nothing of the feed's clock or numbering."""

# mypy: no-warn-return-any
from __future__ import annotations

from typing import Final

import numpy as np

from udfs.errors import Reason
from udfs.kernels.compiled import kernel
from udfs.kernels.events import FACT_NUMBERS
from udfs.kernels.firewall import ACCEPTED, is_absurd_time
from udfs.kernels.symbol_state import Record

_TIME_ABSURD: Final = int(Reason.TIME_ABSURD)
_NOT_A_NUMBER: Final = int(Reason.NOT_A_NUMBER)


@kernel
def check_fact(settings: Record, event: Record) -> int:
    """TIME_ABSURD, for news from the future too; NOT_A_NUMBER where a number is infinite: NaN says that it is not known."""
    if is_absurd_time(settings, event.event_time, event.available_time):
        return _TIME_ABSURD
    for place in range(FACT_NUMBERS):
        if np.isinf(event.numbers[place]):
            return _NOT_A_NUMBER
    return ACCEPTED
