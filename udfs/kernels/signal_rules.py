"""Whether a score may be acted on, and the names of a signal and of the vector it was made from. Pure, a few microseconds a call.

A signal is never guessed: what is missing, broken, stale or halted makes it abstain, with a code that says why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import IntFlag
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from udfs.kernels.outputs import RowFlag
from udfs.records import Direction, SignalCode, SignalStatus

_DIGEST_BYTES = 10
NOTHING_SCORED = (math.nan, math.nan, math.nan)
"""Probabilities of a row that was not scored."""


class ScoringFlag(IntFlag):
    """What the scoring operator knows of a row, beside the kernels' `RowFlag`; both go into one number."""

    HALTED_BY_CONTROL = 256
    """A person halted the symbol."""
    OUT_OF_RANGE = 512
    """Inputs lie so far outside the training rows that the model knows nothing of them."""
    MODEL_EXPIRED = 1024
    """The rows that the model was trained on are too old."""
    REDUCE_ONLY = 2048
    """A person, or a breaker, allows positions of the symbol to become smaller only."""
    BREAKER_OPEN = 4096
    """A breaker halted everything."""


class Thresholds(NamedTuple):
    """What a score must reach."""

    minimum_confidence: float = 0.4
    """Calibrated probability of the direction, in [0, 1]."""
    minimum_valid_share: float = 0.5
    """Share of the model's inputs that must be valid, in [0, 1]."""
    maximum_outside_share: float = 0.1
    """Share of the model's inputs that may lie far outside the training rows, in [0, 1]."""
    model_expiry_nanoseconds: int = 30 * 86_400_000_000_000
    """Age of the newest training row from which a model is not believed; 0 means never."""
    one_sided_nanoseconds: int = 1_800_000_000_000
    """Window of the mean of directions, `udfs.kernels.breakers.one_sided`; 0 turns that breaker off."""

    def at_least(self, confidence: float) -> Thresholds:
        """The same, with this minimum confidence where it is higher."""
        return self if confidence <= self.minimum_confidence else self._replace(minimum_confidence=confidence)


class Decision(NamedTuple):
    """Direction and confidence are NEUTRAL and NaN when there was nothing to decide from."""

    direction: Direction
    confidence: float
    status: SignalStatus
    code: SignalCode


_SOUND = (SignalStatus.OK, SignalCode.NONE)
_FLAGS = (
    (int(ScoringFlag.HALTED_BY_CONTROL), SignalStatus.HALTED, SignalCode.HALTED_BY_CONTROL),
    (int(RowFlag.TRADING_HALTED), SignalStatus.HALTED, SignalCode.TRADING_HALTED),
    (int(RowFlag.FLASH_CRASH), SignalStatus.HALTED, SignalCode.FLASH_CRASH),
    (int(ScoringFlag.BREAKER_OPEN), SignalStatus.HALTED, SignalCode.BREAKER_OPEN),
    (int(RowFlag.BOOK_QUARANTINED), SignalStatus.ABSTAINED, SignalCode.BOOK_QUARANTINED),
    (int(RowFlag.STALE), SignalStatus.ABSTAINED, SignalCode.STALE_INPUT),
    (int(ScoringFlag.MODEL_EXPIRED), SignalStatus.ABSTAINED, SignalCode.MODEL_EXPIRED),
    (int(ScoringFlag.OUT_OF_RANGE), SignalStatus.ABSTAINED, SignalCode.OUT_OF_RANGE),
)
"""The first flag that is set decides: a halt outranks what is wrong with the input, and the cause of an open breaker stays visible."""
_HALTS = int(ScoringFlag.HALTED_BY_CONTROL | ScoringFlag.BREAKER_OPEN) | int(RowFlag.TRADING_HALTED) | int(RowFlag.FLASH_CRASH)
_REDUCE_ONLY = int(ScoringFlag.REDUCE_ONLY)
"""Says nothing against the score: it only limits what an otherwise sound signal may be used for."""


def decide(
    probabilities: Sequence[float],
    expected_return: float,
    sigma: float,
    row_flags: int,
    has_model: bool,
    thresholds: Thresholds,
    valid_share: float = 1.0,
) -> Decision:
    """What becomes of one score.

    Args: probabilities (3,) calibrated, of down, neutral, up; row_flags bits of RowFlag and ScoringFlag; valid_share of the model's inputs.
    Decided in this order: halted, no model, a flag of the row, too few valid inputs, not finite, low confidence, reduce only, ok. Equal
    highest probabilities: NEUTRAL.
    """
    direction, confidence = _most_likely(probabilities)
    status, code = SignalStatus.ABSTAINED, SignalCode.LOW_CONFIDENCE
    against = row_flags & ~_REDUCE_ONLY
    if row_flags & _HALTS or (against and has_model):
        status, code = _first_flag(against)
    elif not has_model:
        code = SignalCode.NO_MODEL
    elif not valid_share >= thresholds.minimum_valid_share:
        code = SignalCode.WARMING_UP
    elif not _is_usable(confidence, expected_return, sigma):
        code = SignalCode.NOT_FINITE
    elif confidence >= thresholds.minimum_confidence:
        status, code = (SignalStatus.REDUCING, SignalCode.REDUCE_ONLY) if row_flags & _REDUCE_ONLY else _SOUND
    return Decision(direction, confidence, status, code)


def _most_likely(probabilities: Sequence[float]) -> tuple[Direction, float]:
    down, neutral, up = probabilities
    if not math.isfinite(down + neutral + up):
        return Direction.NEUTRAL, math.nan
    if up > down and up > neutral:
        return Direction.UP, float(up)
    if down > up and down > neutral:
        return Direction.DOWN, float(down)
    return Direction.NEUTRAL, float(neutral)


def _first_flag(row_flags: int) -> tuple[SignalStatus, SignalCode]:
    """An unknown bit says that something is wrong which this code does not know: not usable."""
    for flag, status, code in _FLAGS:
        if row_flags & flag:
            return status, code
    return SignalStatus.ABSTAINED, SignalCode.NOT_FINITE


def _is_usable(confidence: float, expected_return: float, sigma: float) -> bool:
    return math.isfinite(confidence) and math.isfinite(expected_return) and math.isfinite(sigma) and sigma > 0


def feature_hash(values: npt.NDArray[np.float32]) -> str:
    """20 hexadecimal digits of the vector's bits (features,)."""
    return blake2b(values.tobytes(), digest_size=_DIGEST_BYTES).hexdigest()


def signal_id(symbol: str, event_number: int, event_time: int, model_hash: str, feature_hash: str) -> str:
    """20 hexadecimal digits that depend on the row and the model alone. Neither symbol nor hashes may hold a line feed."""
    name = f"{symbol}\n{event_number}\n{event_time}\n{model_hash}\n{feature_hash}"
    return blake2b(name.encode(), digest_size=_DIGEST_BYTES).hexdigest()
