"""Whether a model should be trained again, and why: it is old, its rows have drifted, or recent rows can be told from its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

_DAY: Final = 86_400 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class DueSettings:
    """When it is time."""

    stale_days: float = 7.0
    """Days from the newest training row to the newest stored row, by event time."""
    fresh_hours: float = 12.0
    """No training while a stored model's rows reach so near to the newest stored row: what was just trained would come out again."""


@dataclass(slots=True)
class Findings:
    """What was found of the champion."""

    newest_row: int
    """Event time, nanoseconds."""
    trained_until: int | None = None
    """Newest training row of the champion; None where there is none."""
    newest_model: tuple[str, int] | None = None
    """Version and newest training row of the stored model whose rows reach furthest."""
    drift_alarms: list[str] = field(default_factory=list)
    adversary: dict[str, Any] | None = None
    not_known: list[str] = field(default_factory=list)
    """What could not be looked at, and why."""


def reasons(found: Findings, settings: DueSettings, scheduled: str = "") -> list[str]:
    """Why to train, in words; empty when there is no reason. `scheduled` is a reason of whoever asks."""
    if found.trained_until is None:
        return ["there is no champion"]
    days = (found.newest_row - found.trained_until) / _DAY
    said = [scheduled] if scheduled else []
    if days > settings.stale_days:
        said.append(f"the champion's newest training row is {days:.1f} days old, more than {settings.stale_days:g}")
    if found.drift_alarms:
        named = ", ".join(found.drift_alarms[:5])
        said.append(f"{len(found.drift_alarms)} have drifted: {named}{', …' if len(found.drift_alarms) > 5 else ''}")
    if found.adversary is not None and found.adversary["alarm"]:
        said.append(f"recent rows can be told from the training rows (area {found.adversary['area']:.3f})")
    return said


def fresh_model(found: Findings, settings: DueSettings) -> str:
    """The stored model that was trained on nearly the same rows already; empty where there is none."""
    if found.newest_model is None:
        return ""
    version, until = found.newest_model
    return version if found.newest_row - until <= settings.fresh_hours * 3600e9 else ""
