"""Small simulated markets for tests."""

from __future__ import annotations

from typing import Any

from jobs.simulator.settings import DefectRates, SimulationSettings

NO_DEFECTS = DefectRates(0, 0, 0, 0, 0, 0, 0)
MANY_DEFECTS = DefectRates(0.02, 0.03, 0.02, 0.03, 0.01, 0.03, 0.005)


def small_market(**changes: Any) -> SimulationSettings:
    """Five symbols for a minute, clean unless told otherwise."""
    defaults: dict[str, Any] = {"symbols": 5, "quiet_symbols": 1, "quiet_seconds": 5.0, "seconds": 60.0, "ticks_per_second": 120.0}
    return SimulationSettings(**{**defaults, "defects": NO_DEFECTS, **changes})
