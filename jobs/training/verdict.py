"""Whether a model may be released: it must know more than the class shares, of the direction too, and be no worse than any baseline.

"No worse" is asked as in trials of equivalence (non-inferiority with a margin), because two predictions of nearly the same worth differ by
chance: a bare comparison refuses every second of them, and with several baselines nearly all. Two things are asked instead. The model must
not be worse beyond doubt: the 95 % interval of the difference, of both on the same draws of a block bootstrap, must not lie below 0. And
it must keep nearly all that the baseline itself gains on the class shares, whatever the interval says: an interval from few rows is wide.
"""

from __future__ import annotations

from typing import Any, Final

from jobs.training.baselines import PRIOR
from jobs.training.metrics import Metrics

KEPT_SHARE: Final = 0.9
"""Of what a baseline's log-loss gains on that of the class shares: the model must gain as much."""


def objections(metrics: Metrics, comparison: dict[str, Any]) -> list[str]:
    """What speaks against a release, in words; empty when nothing does. `comparison` is the second result of `evaluate`."""
    required = {
        "the class shares": metrics.skill_interval[0],
        "the shares of up and down": metrics.direction_skill_interval[0],
        "a rank correlation of 0": metrics.rank_information_coefficient_interval[0],
    }
    found = [f"it is not beyond doubt better than {what} (lower bound {low:.4g})" for what, low in required.items() if not low > 0]
    others = [name for name in comparison if name not in ("model", PRIOR)]
    return found + [problem for name in others for problem in _beside(name, comparison)]


def _beside(name: str, comparison: dict[str, Any]) -> list[str]:
    """What speaks against the model beside one baseline."""
    entry = comparison[name]["log_loss"]
    better_by, (_, high) = entry["model_better_by"] or 0.0, entry["model_better_by_interval"]
    gained = comparison[PRIOR]["log_loss"]["value"] - entry["value"]
    found = []
    if high is not None and high < 0:
        found.append(f"its log-loss is beyond doubt above that of {name} (by {-better_by:.4g}, at least {-high:.4g})")
    if not gained + better_by >= KEPT_SHARE * max(gained, 0.0):
        found.append(f"its log-loss is above that of {name} by {-better_by:.4g}, which is too much of the {gained:.4g} that {name} gains")
    return found
