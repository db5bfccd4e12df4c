"""Whether a model may be released: it must know more than the class shares, of the direction too, and more than every baseline."""

from __future__ import annotations

from typing import Any

from jobs.training.metrics import Metrics


def objections(metrics: Metrics, comparison: dict[str, Any]) -> list[str]:
    """What speaks against a release, in words; empty when nothing does. `comparison` is the second result of `evaluate`."""
    required = {
        "the class shares": metrics.skill_interval[0],
        "the shares of up and down": metrics.direction_skill_interval[0],
        "a rank correlation of 0": metrics.rank_information_coefficient_interval[0],
    }
    found = [f"it is not beyond doubt better than {what} (lower bound {low:.4g})" for what, low in required.items() if not low > 0]
    baselines = {name: entry["log_loss"]["model_better_by"] for name, entry in comparison.items() if name != "model"}
    found += [f"its log-loss is not below that of {name} ({-gain:+.4g})" for name, gain in baselines.items() if not (gain or 0.0) > 0]
    return found
