"""LightGBM's trees as `FlatTrees`, with thresholds that decide the same in float32 as LightGBM decides in float64."""

from __future__ import annotations

from typing import Any, NamedTuple

import lightgbm
import numpy as np

from udfs.scoring.trees import LEAF, OUTPUTS, FlatTrees


class Part(NamedTuple):
    """One LightGBM model inside a Tickflow model."""

    booster: lightgbm.Booster
    first_output: int
    """Output of its first class; the k-th class of a multi-class model adds to `first_output + k`."""
    scale: float
    """What its raw score is multiplied by."""
    offset: float
    """What is added after that."""
    rounds: int
    """How many of its rounds count."""


class _Nodes:
    """Columns of FlatTrees while they grow."""

    def __init__(self) -> None:
        self.feature: list[int] = []
        self.threshold: list[float] = []
        self.left: list[int] = []
        self.right: list[int] = []
        self.missing_left: list[bool] = []
        self.value: list[float] = []

    def add(self, dumped: dict[str, Any], scale: float) -> tuple[int, int]:
        """Append a subtree; gives (position of its root, training rows that reached it)."""
        position = len(self.feature)
        self._append_leaf(dumped, scale)
        if "split_feature" not in dumped:
            return position, max(int(dumped.get("leaf_count", 1)), 1)
        left, rows_left = self.add(dumped["left_child"], scale)
        right, rows_right = self.add(dumped["right_child"], scale)
        self._make_split(position, dumped, left, right)
        rows = rows_left + rows_right
        self.value[position] = (self.value[left] * rows_left + self.value[right] * rows_right) / rows
        return position, rows

    def _append_leaf(self, dumped: dict[str, Any], scale: float) -> None:
        self.feature.append(LEAF)
        self.threshold.append(0.0)
        self.left.append(0)
        self.right.append(0)
        self.missing_left.append(False)
        self.value.append(float(dumped.get("leaf_value", 0.0)) * scale)

    def _make_split(self, position: int, dumped: dict[str, Any], left: int, right: int) -> None:
        self.feature[position] = int(dumped["split_feature"])
        self.threshold[position] = round_down(float(dumped["threshold"]))
        self.left[position], self.right[position] = left, right
        self.missing_left[position] = _missing_goes_left(dumped)


def round_down(threshold: float) -> float:
    """The largest float32 that is at most `threshold`: for a float32 `x`, `x <= threshold` says the same of both."""
    largest = float(np.finfo(np.float32).max)
    if threshold >= largest:
        return largest
    rounded = np.float32(threshold)
    exact = float(rounded) <= threshold  # in float64: numpy would compare a float32 with a rounded threshold
    return float(rounded if exact else np.nextafter(rounded, np.float32(-np.inf)))


def _missing_goes_left(dumped: dict[str, Any]) -> bool:
    """Where LightGBM sends NaN. A feature without NaN in training treats a later one as 0. Raises ValueError on other kinds of split."""
    if dumped["decision_type"] != "<=" or dumped["missing_type"] not in ("NaN", "None"):
        raise ValueError(f"cannot export a split {dumped['decision_type']!r} with missing type {dumped['missing_type']!r}")
    return bool(dumped["default_left"]) if dumped["missing_type"] == "NaN" else float(dumped["threshold"]) >= 0.0


def flatten(parts: tuple[Part, ...]) -> FlatTrees:
    """All trees of all parts, in the order in which LightGBM grew them."""
    nodes, roots, outputs = _Nodes(), [], []
    base = np.zeros(len(OUTPUTS))
    for part in parts:
        base[part.first_output] += part.offset
        dump = part.booster.dump_model(num_iteration=part.rounds)
        for index, tree in enumerate(dump["tree_info"]):
            roots.append(nodes.add(tree["tree_structure"], part.scale)[0])
            outputs.append(part.first_output + index % int(dump["num_tree_per_iteration"]))
    return FlatTrees(
        roots=np.array(roots, np.int32),
        outputs=np.array(outputs, np.int8),
        feature=np.array(nodes.feature, np.int16),
        threshold=np.array(nodes.threshold, np.float32),
        left=np.array(nodes.left, np.int32),
        right=np.array(nodes.right, np.int32),
        missing_left=np.array(nodes.missing_left, np.bool_),
        value=np.array(nodes.value, np.float64),
        base=base,
    )
