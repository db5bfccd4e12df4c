"""Adversarial validation: can recent rows be told from those that a model was trained on, by all features together?

Every stretch of a market can be told from the rest to some degree, because features remember. So the same is asked of stretches of the
training rows themselves, and only what is clearer than for each of them counts.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import lightgbm
import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from jobs.training.dataset import Dataset, NotEnoughData

SEGMENTS: Final = 4
"""Stretches of the training rows that are held against the rest."""
MARGIN: Final = 0.05
"""By how much the area must be above that of each of those."""
ROWS: Final = 8_000
_FEWEST: Final = 200
_ROUNDS: Final = 40
_PARAMETERS: Final = {
    "objective": "binary",
    "num_leaves": 7,
    "learning_rate": 0.1,
    "min_data_in_leaf": 50,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "seed": 7,
    "verbose": -1,
}
_Values = npt.NDArray[np.float32]
_Places = npt.NDArray[np.intp]


class Adversary(NamedTuple):
    """How well rows can be told apart: areas under the ROC curve, 0.5 not at all, 1 always."""

    recent: float
    segments: tuple[float, ...]
    alarm: bool
    features: tuple[str, ...]
    """The features that tell most, at most five."""

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"area": self.recent, "of_training_rows": list(self.segments), "alarm": self.alarm, "features": list(self.features)}


def tell_apart(reference: Dataset, recent: Dataset, names: tuple[str, ...], block: int) -> Adversary:
    """Hold recent rows against the training rows; `block` nanoseconds apart rows tell different things. Raises NotEnoughData."""
    places = [reference.feature_names.index(name) for name in names]
    old, new = (_thin(rows) for rows in (reference, recent))
    if min(old.event_time.size, new.event_time.size) < _FEWEST:
        raise NotEnoughData(f"{old.event_time.size} training rows and {new.event_time.size} recent ones, expected {_FEWEST} of each")
    values = np.concatenate([old.values[:, places], new.values[:, places]])
    block_number = np.concatenate([old.event_time, new.event_time]) // block
    is_new = np.arange(values.shape[0]) >= old.event_time.size
    area, gain = _area(values, is_new, block_number)
    segments = tuple(
        _area(values[~is_new], np.isin(np.arange(old.event_time.size), rows), block_number[~is_new])[0]
        for rows in np.array_split(np.arange(old.event_time.size), SEGMENTS)
    )
    order = [k for k in np.argsort(-gain, kind="stable")[:5].tolist() if gain[k] > 0]
    return Adversary(area, segments, area > max(*segments, 0.5) + MARGIN, tuple(names[k] for k in order))


def _thin(rows: Dataset) -> Dataset:
    """Evenly, in the order of time."""
    return rows.take(np.arange(0, rows.event_time.size, -(-rows.event_time.size // ROWS) or 1))


def _area(values: _Values, marked: npt.NDArray[np.bool_], block: npt.NDArray[np.int64]) -> tuple[float, npt.NDArray[np.float64]]:
    """Area over rows of one half of the blocks by trees of the other, both ways, and what each feature told."""
    half = np.unique(block, return_inverse=True)[1] % 2
    said, gain = np.zeros(values.shape[0]), np.zeros(values.shape[1])
    for side in (0, 1):
        learn, tell = np.flatnonzero(half != side), np.flatnonzero(half == side)
        if len({bool(one) for one in marked[learn]}) < 2 or not tell.size:
            raise NotEnoughData("the rows lie in too few stretches of time to be told apart; take a longer range")
        trees = lightgbm.train(_PARAMETERS, lightgbm.Dataset(values[learn], marked[learn].astype(np.float64)), _ROUNDS)
        said[tell] = np.asarray(trees.predict(values[tell], num_threads=1))
        gain += trees.feature_importance("gain")
    return float(roc_auc_score(marked, said)), gain
