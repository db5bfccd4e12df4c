"""How much of the log price must be differenced away before it stands still: the smallest order d whose series has no unit root.

López de Prado (2018), "Advances in financial machine learning", chapter 5: more differencing than that throws memory away. The weights are
the kernel's own. d is part of the settings and so of the manifest: it is recommended here, and changed by a person.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from jobs.training.dataset import Dataset
from udfs.kernels.kernel_settings import FRACTIONAL_MINUTES, fractional_weights

Series = npt.NDArray[np.float64]
ORDERS: Final = tuple(k / 20 for k in range(21))
"""Orders that are tried: 0 to 1 in steps of 0.05."""
SHORTEST: Final = 200
"""Minutes that a series must have after differencing."""
LONGEST: Final = 5000
"""Minutes of a symbol that are looked at, the newest: what stands still now matters, and more cost more."""
PASSING_SHARE: Final = 0.9
"""Share of the symbols whose series must stand still."""
_MINUTE = 60_000_000_000
_CRITICAL: Final = (-2.86154, -2.8903, -4.234, -40.040)
"""5 % point of the test with a constant, by powers of 1 / observations (MacKinnon 2010, table 2)."""


def unit_root_statistic(series: Series, lags: int | None = None) -> tuple[float, float]:
    """The augmented Dickey-Fuller t statistic with a constant, and its 5 % point: below it the series stands still.

    Lags: the cube root of the length, as Said and Dickey (1984) let them grow. NaN for a series that never changes.
    """
    lags = int(np.cbrt(series.shape[0] - 1)) if lags is None else lags
    change = np.diff(series)
    observations = change.shape[0] - lags
    columns = [np.ones(observations), series[lags:-1], *(change[lags - k : change.shape[0] - k] for k in range(1, lags + 1))]
    inputs = np.column_stack(columns)
    found, _, rank, _ = np.linalg.lstsq(inputs, change[lags:], rcond=None)
    if rank < inputs.shape[1]:
        return float("nan"), float("nan")
    left = change[lags:] - inputs @ found
    variance = float(left @ left) / (observations - inputs.shape[1])
    error = np.sqrt(variance * np.linalg.inv(inputs.T @ inputs)[1, 1])
    critical = sum(weight / observations**power for power, weight in enumerate(_CRITICAL))
    return float(found[1] / error) if error > 0 else float("nan"), critical


def differenced(logs: Series, order: float) -> Series:
    """(minutes - 59,) the fractional difference of the kernel, oldest first."""
    return np.asarray(np.convolve(logs, fractional_weights(order), "valid"), np.float64)


def minute_logs(dataset: Dataset, code: int, until: int) -> Series:
    """Log of a symbol's last price in each minute that has one, up to `until` nanoseconds."""
    rows = np.flatnonzero((dataset.symbol == code) & (dataset.price > 0) & (dataset.event_time <= until))
    minute = dataset.event_time[rows] // _MINUTE
    last = np.flatnonzero(np.append(np.diff(minute) != 0, True))[-LONGEST:] if rows.size else np.zeros(0, np.intp)
    return np.asarray(np.log(dataset.price[rows[last]]), np.float64)


def recommend_order(dataset: Dataset, until: int) -> dict[str, Any]:
    """The recommended order with its evidence, as JSON values, from rows up to `until`; `recommended` is None where nothing can be said."""
    series = [minute_logs(dataset, code, until) for code in range(len(dataset.symbols))]
    long_enough = [logs for logs in series if logs.shape[0] >= SHORTEST + FRACTIONAL_MINUTES]
    tried = [_evidence(long_enough, order) for order in ORDERS] if long_enough else []
    passing = [found["order"] for found in tried if found["passing_share"] >= PASSING_SHARE]
    return {"recommended": min(passing, default=None), "symbols": len(long_enough), "tried": tried}


def _evidence(series: list[Series], order: float) -> dict[str, float]:
    """How many series stand still at an order, and how much of the log price is left in them."""
    found = [differenced(logs, order) for logs in series]
    tests = [unit_root_statistic(one) for one in found]
    alike = [_correlation(one, logs[FRACTIONAL_MINUTES - 1 :]) for one, logs in zip(found, series, strict=True)]
    return {
        "order": order,
        "passing_share": float(np.mean([statistic < critical for statistic, critical in tests])),
        "median_statistic": float(np.median([statistic for statistic, _ in tests])),
        "median_correlation_with_log_price": float(np.median(alike)),
    }


def _correlation(one: Series, other: Series) -> float:
    return float(np.corrcoef(one, other)[0, 1]) if one.std() > 0 and other.std() > 0 else 0.0
