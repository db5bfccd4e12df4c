"""Gradient-boosted trees as flat arrays: what the exact attribution walks, and how a model file carries them.

The attribution is the path attribution of Saabas (2014): going down a tree, each split is credited with the change of the expected value
from its node to the child taken. Over all trees the credits and the expected values of the roots add up to the raw score exactly.
"""

from __future__ import annotations

import base64
import io
import math
import zlib
from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

LARGEST_TREES_BYTES = 1 << 26
"""Most bytes that the arrays of a model may have: 64 MiB, over a million nodes."""
OUTPUTS = ("down", "neutral", "up", "return_in_sigmas", "log_sigma")
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


_DTYPES = tuple(np.dtype(name) for name in ("<i4", "i1", "<i2", "<f4", "<i4", "<i4", "?", "<f8", "<f8"))
"""Types of the arrays, in the order of the fields."""


def encode_trees(trees: FlatTrees) -> str:
    """Trees as printable text (base64 of compressed arrays); the same trees give the same text."""
    buffer = io.BytesIO()
    for array in trees:
        np.save(buffer, array, allow_pickle=False)
    return pack(buffer.getvalue())


def decode_trees(text: str) -> FlatTrees:
    """Inverse of `encode_trees`. Raises ValueError on text that is not its result."""
    try:
        unpacked = unpack(text)
        buffer = io.BytesIO(unpacked)
        arrays = [_array(buffer, len(unpacked), dtype) for dtype in _DTYPES]
    except (ValueError, EOFError) as error:
        raise ValueError(f"not encoded trees: {error}") from error
    return FlatTrees(*arrays)


def pack(data: bytes) -> str:
    """Bytes as printable text, compressed; the same bytes give the same text."""
    return base64.b64encode(zlib.compress(data, 9)).decode("ascii")


def unpack(text: str) -> bytes:
    """Inverse of `pack`; at most LARGEST_TREES_BYTES, however little they are packed into. Raises ValueError."""
    decompressor = zlib.decompressobj()
    try:
        unpacked = decompressor.decompress(base64.b64decode(text, validate=True), LARGEST_TREES_BYTES)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if not decompressor.eof:
        raise ValueError(f"the arrays are cut off, or larger than {LARGEST_TREES_BYTES} bytes")
    return unpacked


def _array(buffer: io.BytesIO, size: int, expected: np.dtype[Any]) -> npt.NDArray[Any]:
    """The next array, whose header must not promise more than there is; no room is made before that is known."""
    if np.lib.format.read_magic(buffer) != (1, 0):  # type: ignore[no-untyped-call]
        raise ValueError("an array of an unknown format")
    try:
        shape, _, dtype = np.lib.format.read_array_header_1_0(buffer)  # type: ignore[no-untyped-call]
    except Exception as error:  # numpy reads the header as Python text, and lets each of its parsers raise its own
        raise ValueError(f"an array's header cannot be read: {error}") from error
    count = math.prod(shape)
    if dtype != expected or len(shape) != 1 or not 0 <= count * dtype.itemsize <= size - buffer.tell():
        raise ValueError(f"an array of {dtype} and shape {shape}, expected {expected} in one dimension, all of it there")
    return np.frombuffer(buffer.read(count * dtype.itemsize), dtype).copy()


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
