"""Whether probabilities and intervals mean what they say: reliability, expected calibration error, coverage and the CRPS."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

BINS = 10
COVERED = (0.5, 0.68, 0.9, 0.95)
_Column = npt.NDArray[np.float64]
_Classes = npt.NDArray[np.int64]


def reliability(claimed: _Column, happened: npt.NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Groups of equal size by what was claimed: mean claim and share that happened."""
    groups = [group for group in np.array_split(np.argsort(claimed, kind="stable"), BINS) if group.size]
    return [
        {"claimed": float(claimed[group].mean()), "happened": float(happened[group].mean()), "rows": int(group.size)} for group in groups
    ]


def calibration_error(table: list[dict[str, Any]]) -> float:
    """Expected calibration error (Naeini, Cooper, Hauskrecht 2015): mean distance of claim and share, by rows."""
    rows = sum(group["rows"] for group in table)
    return float(sum(group["rows"] * abs(group["claimed"] - group["happened"]) for group in table) / max(rows, 1))


def confidence_table(probabilities: _Column, classes: _Classes) -> list[dict[str, Any]]:
    """Reliability of the most likely class."""
    return reliability(probabilities.max(axis=1), probabilities.argmax(axis=1) == classes)


def class_error(probabilities: _Column, classes: _Classes) -> float:
    """Mean of the classes' calibration errors."""
    return float(np.mean([calibration_error(reliability(probabilities[:, k], classes == k)) for k in range(probabilities.shape[1])]))


def coverage(off: _Column) -> dict[str, float]:
    """Share of outcomes within the middle 50, 68, 90 and 95 % that a normal distribution promises; off is |outcome - expected| / sigma."""
    return {f"{share:g}": float((off <= norm.ppf((1 + share) / 2)).mean()) for share in COVERED}


def crps(expected: _Column, sigma: _Column | float, happened: _Column) -> float:
    """Mean continuous ranked probability score of normal distributions (Gneiting and Raftery 2007, equation 21); smaller is better."""
    z = (happened - expected) / sigma
    return float((sigma * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))).mean())
