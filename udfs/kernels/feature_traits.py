"""What can be said of a feature besides its formula: how it scales with the units of its instrument, and how long it remembers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum
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
    **dict.fromkeys(
        ("trades", "items", "seconds", "days", "1 / s", "gaps", "0 or 1", "code", "points", "share per basis point"), Scaling()
    ),
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


class Described(IntEnum):
    """A numbered member that says what it is: (unit, formula, source, warm-up, model input, memory)."""

    unit: str
    formula: str
    source: str
    warm_up: str
    model_input: bool
    """True when the value does not scale with price or size of the instrument, so that a model may use it across symbols."""
    memory: Memory

    def __new__(cls, unit: str, formula: str, source: str, warm_up: str, model_input: bool, memory: Memory = Memory.WINDOW) -> Described:
        """Number the members in the order they are written."""
        member = int.__new__(cls, len(cls.__members__))
        member._value_ = len(cls.__members__)
        member.unit, member.formula, member.source, member.warm_up, member.model_input = unit, formula, source, warm_up, model_input
        member.memory = memory
        return member

    @property
    def scaling(self) -> Scaling:
        """How the value changes with the instrument's units of price and size; its own unit says so."""
        return UNITS[self.unit]


FADING_BARS: Final = 1000
FADING_TOLERANCE: Final = 1e-6
