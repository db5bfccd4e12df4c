"""The latent side of the market: efficient prices with one common factor, jumps, and the pressure that announces drift."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from jobs.simulator.settings import PRESSURE_SECONDS, SimulationSettings

STEP_SECONDS = 0.1
STEPS = 100
"""Steps of one stretch."""
STRETCH_SECONDS = STEP_SECONDS * STEPS
TRADING_SECONDS = 23_400.0
_SPREAD_OF_PRICES = (3.0, 6.0)
"""Logarithms between which the symbols' first prices lie."""

Floats = npt.NDArray[np.float64]


class Stretch(NamedTuple):
    """The latent values of all symbols over STEPS steps."""

    log_price: Floats
    """(STEPS, symbols)."""
    pressure: Floats
    """(STEPS, symbols), of variance one."""


class EfficientPrices:
    """Draws stretch after stretch. Each symbol has generators of its own, so its values do not depend on the other symbols' number."""

    def __init__(self, settings: SimulationSettings, generators: list[np.random.Generator], common: np.random.Generator) -> None:
        self._settings = settings
        self._generators = generators
        self._common = common
        first = np.array([generator.random(2) for generator in generators])
        low, high = _SPREAD_OF_PRICES
        self._log_price = low + (high - low) * first[:, 0]
        self._pressure = np.array([generator.standard_normal() for generator in generators])
        self._sigma = settings.daily_volatility / math.sqrt(TRADING_SECONDS) * (0.5 + first[:, 1])
        """(symbols,) standard deviation of the log return of one second."""

    def next_stretch(self) -> Stretch:
        """The next STEPS steps."""
        own = np.stack([generator.standard_normal((3, STEPS)) for generator in self._generators], axis=2)
        chances = np.stack([generator.random(STEPS) for generator in self._generators], axis=1)
        pressure = self._pressures(own[0])
        settings = self._settings
        noise = math.sqrt(settings.correlation) * self._common.standard_normal((STEPS, 1)) + math.sqrt(1 - settings.correlation) * own[1]
        drift = settings.drift_per_pressure() * pressure * STEP_SECONDS
        jumps = (chances < settings.jumps_per_hour * STEP_SECONDS / 3600) * settings.jump_size * own[2]
        log_price = self._log_price + np.cumsum(self._sigma * (drift + math.sqrt(STEP_SECONDS) * noise) + jumps, axis=0)
        self._log_price = log_price[-1]
        return Stretch(log_price, pressure)

    def _pressures(self, noise: Floats) -> Floats:
        """(STEPS, symbols) of the Ornstein-Uhlenbeck process, at the start of each step."""
        kept = math.exp(-STEP_SECONDS / PRESSURE_SECONDS)
        fresh = math.sqrt(1 - kept * kept)
        out = np.empty_like(noise)
        for step in range(STEPS):
            out[step] = self._pressure
            self._pressure = kept * self._pressure + fresh * noise[step]
        return out
