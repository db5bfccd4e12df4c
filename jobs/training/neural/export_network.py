"""The network as nodes of an ONNX graph, between the distances of the inputs and the raw scores.

It counts in double precision and rounds what it found to GRID: sums of many products come out differently by the number of rows and by the
processor's vector instructions, but only in their last bits, far below the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, helper, numpy_helper

from jobs.training.neural.network import EPSILON, IMPOSSIBLE, Weights
from udfs.scoring.trees import OUTPUTS

GRID: Final = 2.0**-18
"""Raw scores are multiples of this; half of it moves a probability by less than a millionth."""


class NetworkNodes:
    """Nodes in the order in which they are computed, and the constants that they read."""

    def __init__(self, weights: Weights, layout: npt.NDArray[np.int64], inputs: int) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._weights, self._layout, self._inputs = weights, layout, inputs
        self._windows, self._places = layout.shape
        self.found: dict[str, str] = {}

    def add_scores(self, distances: str, missing: str, result: str) -> NetworkNodes:
        """All of it: from float (rows, inputs) distances and bool marks to float raw scores."""
        joined = self._forward(distances, missing)
        outputs = len(OUTPUTS)
        scores = self._op("MatMul", joined, self._constant(self._weights["head"][:, :outputs]))
        scores = self._op("Add", scores, self._constant(self._weights["head_bias"][:outputs]))
        self._rounded(scores, result)
        return self

    def _rounded(self, values: str, result: str) -> None:
        steps = self._op("Round", self._op("Mul", values, self._constant(1 / GRID)))
        self._op("Cast", self._op("Mul", steps, self._constant(GRID)), named=result, to=TensorProto.FLOAT)

    def _forward(self, distances: str, missing: str) -> str:
        """(rows, width) what the heads read; what is found on the way stays in `found`."""
        x, gone = (self._by_window(values) for values in (distances, missing))
        hidden = self._op("Tanh", self._layer(self._joined(x, gone), "look"))
        empty = self._constant((self._layout == self._inputs)[:, None, :] * IMPOSSIBLE)
        chosen = self._op("Softmax", self._op("Add", self._layer(hidden, "choose"), empty), axis=-1)
        weighed = self._joined(self._op("Mul", chosen, x), self._op("Mul", chosen, gone), chosen)
        told = self._op("MatMul", weighed, self._weight("tell"))
        windows = self._norm(self._op("Add", told, self._gated(hidden, "window")), "window")
        windows = self._op("Transpose", windows, perm=[1, 0, 2])
        looks, values = self._attention(windows), self._op("MatMul", windows, self._weight("value"))
        seen = self._norm(self._op("Add", windows, self._gated(self._op("MatMul", looks, values), "seen")), "seen")
        flat = self._op("Reshape", seen, self._constant([0, -1], np.int64))
        joined = self._op("Tanh", self._layer(flat, "join"))
        self.found |= {"x": x, "gone": gone, "hidden": hidden, "chosen": chosen, "looks": looks, "values": values, "joined": joined}
        return joined

    def _by_window(self, values: str) -> str:
        """(windows, rows, places) in double precision; the column of zeros that is added fills what has no input."""
        counted = self._op("Cast", values, to=TensorProto.DOUBLE)
        padded = self._op("Pad", counted, self._constant([0, 0, 0, 1], np.int64))
        return self._op("Transpose", self._op("Gather", padded, self._constant(self._layout, np.int64), axis=1), perm=[1, 0, 2])

    def _attention(self, windows: str) -> str:
        width = self._weights["value"].shape[0]
        split = self._constant([0, self._windows, -1, width], np.int64)

        def of_heads(name: str, order: Sequence[int]) -> str:
            return self._op("Transpose", self._op("Reshape", self._op("MatMul", windows, self._weight(name)), split), perm=order)

        queries, keys = of_heads("query", [0, 2, 1, 3]), of_heads("key", [0, 2, 3, 1])
        scaled = self._op("Div", self._op("MatMul", queries, keys), self._constant(np.sqrt(width)))
        by_head = self._op("Softmax", scaled, axis=-1)
        self.found |= {"queries": queries, "keys": keys, "by_head": by_head}
        return self._op("ReduceMean", by_head, axes=[1], keepdims=0)

    def _gated(self, values: str, name: str) -> str:
        opened, added = self._op("Sigmoid", self._layer(values, f"{name}_gate")), self._layer(values, f"{name}_add")
        self.found |= {f"{name}_opened": opened, f"{name}_added": added}
        return self._op("Mul", opened, added)

    def _norm(self, values: str, name: str) -> str:
        scale, bias = self._weight(f"{name}_scale"), self._weight(f"{name}_scale_bias")
        self.found[f"{name}_before_norm"] = values
        return self._op("LayerNormalization", values, scale, bias, axis=-1, epsilon=EPSILON)

    def _layer(self, values: str, name: str) -> str:
        return self._op("Add", self._op("MatMul", values, self._weight(name)), self._weight(f"{name}_bias"))

    def _joined(self, *values: str) -> str:
        return self._op("Concat", *values, axis=-1)

    def _weight(self, name: str) -> str:
        return self._constant(self._weights[name])

    def _constant(self, values: Any, kind: type[Any] = np.float64) -> str:
        name = f"network_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(values, kind), name))
        return name

    def _op(self, kind: str, *inputs: str, named: str = "", **attributes: Any) -> str:
        result = named or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [result], **attributes))
        return result
