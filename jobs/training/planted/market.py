"""Feature rows of a made-up market whose expected returns are known exactly, because they were planted.

Each feature is a first-order autoregression with its own memory. A return of one step is the volatility of the step times a sum of known
functions of four features and of heavy-tailed noise, part of which all symbols share. So the expected return over a horizon, given
everything that is known at a row, has a closed form: an autoregression x with memory m is expected to be m^k x after k steps, a product of
two independent ones m1^k m2^k x1 x2, and the exponential of one the mean of a lognormal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from jobs.training.dataset import Dataset
from udfs.kernels.feature_vector import FEATURE_NAMES, FEATURE_SET, MODEL_INPUTS, Feature

_SECOND = 1_000_000_000
_START = 1_700_000_000 * _SECOND
_Column = npt.NDArray[np.float64]
_LINEAR = {Feature.IMBALANCE_5_LEVELS: 0.75, Feature.ORDER_FLOW_PER_DEPTH_1_MINUTE: -0.45}
"""Features that push the price, with their shares of the push, whose squares sum to 1 with that of the product."""
_PRODUCT = (Feature.TRADE_IMBALANCE_1_MINUTE, Feature.MICROPRICE_DEVIATION, 0.5)
"""Two features whose product pushes the price: no linear model sees it."""
_VOLATILITY = Feature.ATR_14_RELATIVE
_PLANTED_MEMORY = 0.9
_VOLATILITY_MEMORY, _VOLATILITY_SPREAD = 0.998, 0.35
_COMMON_SHARE = 0.05
"""Share of the noise's variance that all symbols have in common."""
_TAIL = 6
"""Degrees of freedom of the noise, which is Student's."""
_MISSING = 0.02
_IDLE = 32
"""Of the features a model may use, how many have values at all; most of them mean nothing."""


@dataclass(frozen=True, slots=True)
class PlantedSettings:
    """What the market is made of."""

    strength: float = 0.15
    """Deviation of a step's expected return in units of its volatility; 0 plants nothing."""
    symbols: int = 20
    steps: int = 2500
    """Rows of each symbol."""
    step: int = 150 * _SECOND
    """Nanoseconds between them."""
    steps_ahead: int = 2
    """Steps in a horizon."""
    seed: int = 1

    @property
    def horizon(self) -> int:
        """Nanoseconds."""
        return self.step * self.steps_ahead


class PlantedMarket(NamedTuple):
    """Rows, and what a trader who knew the law would expect at each."""

    dataset: Dataset
    oracle: _Column
    """(rows,) expected log return over the horizon."""
    oracle_sigma: _Column
    """(rows,) deviation of that return, nearly: as if the volatility stayed."""


def planted_market(settings: PlantedSettings) -> PlantedMarket:
    """The market of one seed: the same settings give the same rows."""
    generator = np.random.default_rng(settings.seed)
    shape = (settings.steps, settings.symbols)
    features = {place: _autoregression(generator, shape, generator.uniform(0.2, 0.98)) for place in MODEL_INPUTS[:_IDLE]}
    for feature in (*_LINEAR, *_PRODUCT[:2]):
        features[int(feature)] = _autoregression(generator, shape, _PLANTED_MEMORY)
    level = _VOLATILITY_SPREAD * _autoregression(generator, shape, _VOLATILITY_MEMORY)
    base = 4e-4 * np.exp(np.linspace(-0.5, 0.5, settings.symbols))
    features[int(_VOLATILITY)] = np.log(base) + level
    push = settings.strength * _push(features, 0)
    returns = base * np.exp(level) * (push + _noise(generator, shape))
    price = 100 * np.exp(np.cumsum(np.vstack([np.zeros(settings.symbols), returns[:-1]]), axis=0))
    oracle = sum(_expected(features, base, level, settings.strength, ahead) for ahead in range(settings.steps_ahead))
    sigma = base * np.exp(level) * np.sqrt(settings.steps_ahead)
    values = _values(generator, features, shape)
    return PlantedMarket(_dataset(settings, price, values), np.ravel(oracle), np.ravel(sigma))


def _autoregression(generator: np.random.Generator, shape: tuple[int, int], memory: float) -> _Column:
    """(steps, symbols) with mean 0 and variance 1 from the first step on."""
    shocks = generator.normal(size=shape)
    shocks[1:] *= np.sqrt(1 - memory**2)
    return np.asarray(lfilter([1.0], [1.0, -memory], shocks, axis=0), np.float64)


def _push(features: dict[int, _Column], ahead: int) -> _Column:
    """(steps, symbols) what the push is expected to be so many steps later, with variance 1 at 0."""
    linear = sum(weight * features[int(feature)] for feature, weight in _LINEAR.items())
    one, other, weight = _PRODUCT
    product = weight * features[int(one)] * features[int(other)]
    return np.asarray(_PLANTED_MEMORY**ahead * linear + _PLANTED_MEMORY ** (2 * ahead) * product, np.float64)


def _expected(features: dict[int, _Column], base: _Column, level: _Column, strength: float, ahead: int) -> _Column:
    """(steps, symbols) expected return of the step that begins so many steps later."""
    kept = _VOLATILITY_MEMORY**ahead
    volatility = base * np.exp(kept * level + _VOLATILITY_SPREAD**2 * (1 - kept**2) / 2)
    return np.asarray(strength * volatility * _push(features, ahead), np.float64)


def _noise(generator: np.random.Generator, shape: tuple[int, int]) -> _Column:
    """(steps, symbols) of variance 1, correlated between symbols."""
    own, common = generator.standard_t(_TAIL, shape), generator.standard_t(_TAIL, (shape[0], 1))
    unit = np.sqrt(_TAIL / (_TAIL - 2))
    return np.asarray((np.sqrt(1 - _COMMON_SHARE) * own + np.sqrt(_COMMON_SHARE) * common) / unit, np.float64)


def _values(generator: np.random.Generator, features: dict[int, _Column], shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """(rows, features) by step and symbol, with holes."""
    values = np.full((shape[0] * shape[1], len(FEATURE_NAMES)), np.nan, np.float32)
    for place, column in features.items():
        values[:, place] = np.ravel(column)
    values[generator.random(values.shape, np.float32) < _MISSING] = np.nan
    return values


def _dataset(settings: PlantedSettings, price: _Column, values: npt.NDArray[np.float32]) -> Dataset:
    number = np.repeat(np.arange(settings.steps), settings.symbols)
    symbol = np.tile(np.arange(settings.symbols, dtype=np.int32), settings.steps)
    names = tuple(f"S{code:02}" for code in range(settings.symbols))
    return Dataset(names, symbol, _START + number * settings.step, number, np.ravel(price), values, FEATURE_NAMES, FEATURE_SET)
