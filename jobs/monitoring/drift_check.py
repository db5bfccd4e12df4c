"""`infra/tickflow drift --check`: how often the drift monitor cries wolf, and how soon it finds a shift, measured on made-up rows.

The rows are of several symbols that move together in part, with features that remember for a while, compared as `drift` compares them: one
day against the days that a model was trained on. Of stationary days at most one in a hundred may raise any alarm, over all features
together; a shift of half a deviation in one of the features must be found within `SHIFT_ROWS` rows in 95 of 100 cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.signal import lfilter

from jobs.monitoring.drift import Column, DriftSettings, Sample, feature_drift

FALSE_ALARMS_A_DAY: Final = 0.01
SHIFT: Final = 0.5
"""Deviations."""
SHIFT_ROWS: Final = 2000
FOUND_AT_LEAST: Final = 0.95
_COMMON: Final = 0.2
"""Share of a feature's variance that all symbols have in common."""
_MEMORIES: Final = (0.0, 0.5, 0.8, 0.9)
_MOMENTS_IN_BLOCK: Final = 20


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """How much is tried."""

    days: int = 300
    """Stationary days, each with training days of its own."""
    shifts: int = 60
    features: int = 20
    symbols: int = 4
    moments: int = 500
    """Rows of a symbol a day."""
    training_days: int = 4
    seed: int = 1


def check_drift(settings: CheckSettings) -> dict[str, Any]:
    """The check as JSON values; `holds` says whether both held."""
    generator = np.random.default_rng(settings.seed)
    alarms = sum(_day_alarms(generator, settings) for _ in range(settings.days))
    moments = SHIFT_ROWS // settings.symbols
    found = sum(_shift_found(generator, settings, moments) for _ in range(settings.shifts))
    result = {
        "days": settings.days,
        "days_with_an_alarm": alarms,
        "false_alarms_a_day": alarms / settings.days,
        "shift_in_deviations": SHIFT,
        "within_rows": SHIFT_ROWS,
        "shifts": settings.shifts,
        "shifts_found": found,
        "found_share": found / settings.shifts,
    }
    failed = [
        *(["false_alarms_a_day"] if alarms / settings.days > FALSE_ALARMS_A_DAY else []),
        *(["found_share"] if found / settings.shifts < FOUND_AT_LEAST else []),
    ]
    return result | {"failed": failed, "holds": not failed}


def _day_alarms(generator: np.random.Generator, settings: CheckSettings) -> bool:
    """Whether any feature of a stationary day raises an alarm."""
    return any(
        _compared(generator, settings, _MEMORIES[number % len(_MEMORIES)], settings.moments, 0.0) for number in range(settings.features)
    )


def _shift_found(generator: np.random.Generator, settings: CheckSettings, moments: int) -> bool:
    """Whether a feature that has moved by SHIFT is found after so many moments; the threshold is that of all features."""
    return _compared(generator, settings, _MEMORIES[1], moments, SHIFT)


def _compared(generator: np.random.Generator, settings: CheckSettings, memory: float, moments: int, shift: float) -> bool:
    reference = _sample(generator, settings, memory, settings.training_days * settings.moments)
    recent = _sample(generator, settings, memory, moments)
    moved = recent._replace(values=recent.values + shift)
    return feature_drift("made up", reference, moved, settings.features, DriftSettings()).alarm


def _sample(generator: np.random.Generator, settings: CheckSettings, memory: float, moments: int) -> Sample:
    """Rows of all symbols at each moment, with variance 1."""
    own, common = _process(generator, moments, settings.symbols, memory), _process(generator, moments, 1, memory)
    values = np.sqrt(1 - _COMMON) * own + np.sqrt(_COMMON) * common
    return Sample(np.ravel(values), np.repeat(np.arange(moments) // _MOMENTS_IN_BLOCK, settings.symbols))


def _process(generator: np.random.Generator, moments: int, columns: int, memory: float) -> Column:
    """(moments, columns) first-order autoregressions with variance 1 from the first moment on."""
    shocks = generator.normal(size=(moments, columns))
    shocks[1:] *= np.sqrt(1 - memory**2)
    return np.asarray(lfilter([1.0], [1.0, -memory], shocks, axis=0), np.float64)


def tell(found: dict[str, Any]) -> None:
    """For a person."""
    print(f"  {found['days_with_an_alarm']} of {found['days']} days without any drift raised an alarm (at most {FALSE_ALARMS_A_DAY:.0%})")
    print(f"  {found['shifts_found']} of {found['shifts']} shifts of {SHIFT} deviations were found within {SHIFT_ROWS} rows")
    print("both hold" if found["holds"] else f"did NOT hold: {', '.join(found['failed'])}")
