"""What can be said of a feature besides its formula: how it scales with the units of its instrument, and how long it remembers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple


class Scaling(NamedTuple):
    """With all prices times p and all sizes times s, the value becomes value * p ** price * s ** size."""

    price: int = 0
    size: int = 0
    shifts: bool = False
    """Instead: the value has a constant times log(p) added."""

    @property
    def is_free(self) -> bool:
        """Whether the value stays the same."""
        return self == Scaling()


UNITS: Final[Mapping[str, Scaling]] = {
    "price": Scaling(price=1),
    "size": Scaling(size=1),
    "log price": Scaling(shifts=True),
    **dict.fromkeys(("ratio", "log return", "squared log return", "basis points", "percent", "0 to 100", "standard deviations"), Scaling()),
    **dict.fromkeys(("trades", "seconds", "1 / s", "gaps", "0 or 1", "share per basis point"), Scaling()),
    "size per basis point": Scaling(size=1),
    "price per size": Scaling(price=1, size=-1),
    "log return per million": Scaling(price=-1, size=-1),
}
"""Every unit that a feature may have."""


class Memory(Enum):
    """What a value can still tell of the time before, once its warm-up is over."""

    WINDOW = "window"
    """Nothing from before its window: the same bits however much was loaded before it."""
    SESSION = "session"
    """Nothing from before its session: the same bits however much was loaded before it."""
    FADING = "fading"
    """Recursive. History from before the last `FADING_BARS` minute bars changes it by less than `FADING_TOLERANCE` of itself."""
    WHOLE = "whole"
    """A running total of all that was loaded; only its changes mean something."""
    LOADED = "loaded"
    """Tells of the loading itself: how much there was, or what was last said."""


FADING_BARS: Final = 1000
FADING_TOLERANCE: Final = 1e-6
