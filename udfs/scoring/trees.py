"""Gradient-boosted trees as flat arrays: what the exact attribution walks, and how a model file carries them.

The attribution is the path attribution of Saabas (2014): going down a tree, each split is credited with the change of the expected value
from its node to the child taken. Over all trees the credits and the expected values of the roots add up to the raw score exactly.
"""

from __future__ import annotations

import base64
import io
import zlib
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

OUTPUTS = ("down", "neutral", "up", "expected_return", "log_sigma")
"""What a model computes, in the order of the columns of its raw scores."""
LEAF = -1
"""`feature` of a node that does not split."""


class FlatTrees(NamedTuple):
    """All trees of a model, nodes one after the other; children are positions in the same arrays."""

    roots: npt.NDArray[np.int32]
    """(trees,) position of each tree's root."""
    outputs: npt.NDArray[np.int8]
    """(trees,) index into OUTPUTS of what the tree adds to."""
    feature: npt.NDArray[np.int16]
    """(nodes,) model input that the node splits on, LEAF where it does not."""
    threshold: npt.NDArray[np.float32]
    """(nodes,) go left when the value is at most this."""
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    missing_left: npt.NDArray[np.bool_]
    """(nodes,) where a missing value (NaN) goes."""
    value: npt.NDArray[np.float64]
    """(nodes,) leaf: what it adds; split: mean of its leaves weighted by training rows."""
    base: npt.NDArray[np.float64]
    """(outputs,) constant added to the trees' sum."""


def encode_trees(trees: FlatTrees) -> str:
    """Trees as printable text (base64 of compressed arrays); the same trees give the same text."""
    buffer = io.BytesIO()
    for array in trees:
        np.save(buffer, array, allow_pickle=False)
    return base64.b64encode(zlib.compress(buffer.getvalue(), 9)).decode("ascii")


def decode_trees(text: str) -> FlatTrees:
    """Inverse of `encode_trees`. Raises ValueError on text that is not its result."""
    try:
        buffer = io.BytesIO(zlib.decompress(base64.b64decode(text, validate=True)))
        arrays = [np.load(buffer, allow_pickle=False) for _ in FlatTrees._fields]
    except (ValueError, EOFError, zlib.error) as error:
        raise ValueError(f"not encoded trees: {error}") from error
    return FlatTrees(*arrays)


@numba.njit(cache=True, nogil=True)
def _attribute(trees: FlatTrees, inputs: npt.NDArray[np.float32], output: int, contributions: npt.NDArray[np.float64]) -> float:
    bias = trees.base[output]
    for tree in range(trees.roots.shape[0]):
        if trees.outputs[tree] != output:
            continue
        node = trees.roots[tree]
        bias += trees.value[node]
        while trees.feature[node] >= 0:
            value = inputs[trees.feature[node]]
            goes_left = trees.missing_left[node] if np.isnan(value) else value <= trees.threshold[node]
            child = trees.left[node] if goes_left else trees.right[node]
            contributions[trees.feature[node]] += trees.value[child] - trees.value[node]
            node = child
    return bias  # type: ignore[no-any-return]


def attribute(trees: FlatTrees, inputs: npt.NDArray[np.float32], output: int) -> tuple[npt.NDArray[np.float64], float]:
    """(contributions (model inputs,), bias) of one output for one row of inputs; their sum is the raw score."""
    contributions = np.zeros(inputs.shape[0], np.float64)
    bias = _attribute(trees, inputs, output, contributions)
    return contributions, float(bias)
