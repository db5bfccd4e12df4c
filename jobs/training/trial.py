"""What a training run counts as in the ledger of trials: trading its test rows without costs, on the ledger's grid of time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from jobs.training.measures import NEUTRAL, Happened
from jobs.training.resampling import blocks_in_time
from udfs.scoring.onnx_model import Scores

GRID_SECONDS = 60
"""The backtest's own distance of valuations, so that both are compared."""


def trial_of(scores: Scores, happened: Happened, start: npt.NDArray[np.int64], horizon: int, minimum_confidence: float) -> dict[str, Any]:
    """Number of periods and Sharpe of one, as JSON values: start (rows,) and horizon in nanoseconds.

    A signal that is sure enough holds one unit for a horizon. Gains are averaged over each horizon's rows; a Sharpe of a horizon is turned
    into that of a period by the root of how many there are in it.
    """
    said = scores.probabilities.argmax(axis=1)
    side = np.where(scores.probabilities.max(axis=1) >= minimum_confidence, said - NEUTRAL, 0)
    blocks = blocks_in_time(start, horizon)
    rows = np.bincount(blocks.number, minlength=blocks.total)
    gains = np.bincount(blocks.number, side * happened.log_return, blocks.total) / rows
    spread = float(gains.std(ddof=1)) if blocks.total > 1 else 0.0
    periods = horizon / (GRID_SECONDS * 1e9)
    sharpe = float(gains.mean()) / spread / np.sqrt(periods) if spread > 0 else 0.0
    return {"grid_seconds": GRID_SECONDS, "periods": max(1, round(blocks.total * periods)), "sharpe": float(sharpe)}
