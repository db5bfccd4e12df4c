"""The outcomes that can be asked for by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from jobs.training.labelling.path import Outcomes, PricePath
from jobs.training.labelling.returns import log_returns, spread_adjusted_returns
from jobs.training.labelling.triple_barrier import Barriers, triple_barrier
from jobs.training.labelling.volatility import realised_volatility

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """Which outcome, and over how long. Times in nanoseconds."""

    kind: str = "return"
    """One of KINDS."""
    horizon: int = 300 * _SECOND
    tolerance: int = 60 * _SECOND
    """How much later than the horizon the price may come that ends an outcome."""
    longest_gap: int = 0
    """Rows further apart than this have a break between them; 0 allows any distance."""
    rise: float = 1.0
    """Upper barrier in deviations over the horizon."""
    fall: float = 1.0
    """Lower barrier."""
    memory: int = 3600 * _SECOND
    """How far back the deviation of the barriers is measured."""

    @property
    def looks_back(self) -> int:
        """How much of the prices before a row decides its outcome."""
        return self.memory if self.kind == "triple-barrier" else 0

    @property
    def looks_ahead(self) -> int:
        """How long after a row the last price may come that decides its outcome."""
        return self.horizon + self.tolerance


KINDS: Final[dict[str, Callable[[PricePath, LabelSettings], Outcomes]]] = {
    "return": lambda path, how: log_returns(path, how.horizon, how.tolerance),
    "spread-adjusted": lambda path, how: spread_adjusted_returns(path, how.horizon, how.tolerance),
    "triple-barrier": lambda path, how: triple_barrier(path, Barriers(how.horizon, how.tolerance, how.rise, how.fall, how.memory)),
    "volatility": lambda path, how: realised_volatility(path, how.horizon, how.tolerance),
}
"""Name -> outcomes of a path."""


def outcomes_of(path: PricePath, settings: LabelSettings) -> Outcomes:
    """The outcomes that the settings ask for. Raises ValueError for a kind that does not exist."""
    if settings.kind not in KINDS:
        raise ValueError(f"expected a label of {', '.join(KINDS)}, found {settings.kind!r}")
    return KINDS[settings.kind](path, settings)
