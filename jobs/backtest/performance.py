"""What a series of gains is worth: Sharpe and Sortino, drawdown, and how sure one can be of it after so many trials.

Bailey and López de Prado: "The Sharpe ratio efficient frontier" (2012) for the probabilistic, "The deflated Sharpe ratio" (2014) for the
deflated one. The resampling is the stationary bootstrap of Politis and Romano (1994).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Series = npt.NDArray[np.float64]
_NORMAL: Final = NormalDist()
_EULER: Final = 0.5772156649015329
_RESAMPLES: Final = 500
_YEAR_SECONDS: Final = 365.25 * 86_400


def sharpe(gains: Series) -> float:
    """Of one period; 0 for a series that does not vary."""
    spread = float(gains.std(ddof=1)) if gains.size > 1 else 0.0
    return float(gains.mean()) / spread if spread > 0 else 0.0


def sortino(gains: Series) -> float:
    """Of one period: mean over the root mean square of losses; 0 without losses."""
    downside = float(np.sqrt(np.square(np.minimum(gains, 0.0)).mean())) if gains.size else 0.0
    return float(gains.mean()) / downside if downside > 0 else 0.0


def maximum_drawdown(gains: Series) -> float:
    """Largest fall of the sum from a peak, 0 or more."""
    total = np.concatenate([[0.0], np.cumsum(gains)])
    return float((np.maximum.accumulate(total) - total).max())


def probabilistic_sharpe(gains: Series, benchmark: float = 0.0) -> float | None:
    """Probability that the true Sharpe of a period is above the benchmark, given length, skewness and kurtosis."""
    if gains.size < 3 or gains.std() == 0:
        return None
    found, z = sharpe(gains), (gains - gains.mean()) / gains.std()
    skewness, kurtosis = float((z**3).mean()), float((z**4).mean())
    variance = 1 - skewness * found + (kurtosis - 1) / 4 * found**2
    return _NORMAL.cdf((found - benchmark) * np.sqrt(gains.size - 1) / np.sqrt(variance)) if variance > 0 else None


def expected_best(trials: Sequence[float], periods: int) -> float:
    """The Sharpe that the best of so many trials reaches by luck, from how far their Sharpes scatter.

    Trials that are much alike scatter less than chance would: each Sharpe of so many periods has a variance of 1 / (periods - 1) at least.
    """
    if len(trials) < 2:
        return 0.0
    count = len(trials)
    luck = (1 - _EULER) * _NORMAL.inv_cdf(1 - 1 / count) + _EULER * _NORMAL.inv_cdf(1 - 1 / (count * np.e))
    return max(float(np.std(trials, ddof=1)), float(1 / np.sqrt(max(periods - 1, 1)))) * luck


def deflated_sharpe(gains: Series, trials: Sequence[float]) -> float | None:
    """The probabilistic Sharpe against what the best of all trials would reach by luck. Sharpes of one period each."""
    return probabilistic_sharpe(gains, expected_best(trials, gains.size))


def bootstrap_interval(gains: Series, mean_block: float = 30.0, seed: int = 7) -> tuple[float, float] | None:
    """95 % interval of the Sharpe of a period, resampling blocks of random length, `mean_block` periods on average."""
    size = gains.size
    if size < 2 * mean_block:
        return None
    generator = np.random.default_rng(seed)
    found = np.empty(_RESAMPLES)
    for number in range(_RESAMPLES):
        starts = generator.random(size) < 1 / mean_block
        starts[0] = True
        first = generator.integers(size, size=size)
        begun = np.maximum.accumulate(np.where(starts, np.arange(size), 0))
        found[number] = sharpe(gains[(first[begun] + np.arange(size) - begun) % size])
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def performance(gains: Series, capital: float, elapsed_seconds: float, trials: Sequence[float]) -> dict[str, Any]:
    """Of gains in currency, one a period; yearly figures count as many periods a year as were seen in the time that passed."""
    returns = gains / capital
    yearly = float(np.sqrt(gains.size / max(elapsed_seconds, 1.0) * _YEAR_SECONDS))
    interval = bootstrap_interval(returns)
    return {
        "gain": float(gains.sum()),
        "return": float(returns.sum()),
        "sharpe": sharpe(returns),
        "sharpe_interval": None if interval is None else list(interval),
        "sharpe_yearly": sharpe(returns) * yearly,
        "sortino_yearly": sortino(returns) * yearly,
        "maximum_drawdown": maximum_drawdown(returns),
        "probabilistic_sharpe": probabilistic_sharpe(returns),
        "deflated_sharpe": deflated_sharpe(returns, trials),
    }
