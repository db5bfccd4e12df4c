"""What each input adds to each class, as an ONNX graph of its own: the network's gradient times the input's distance from its middle.

It is what the input would add if the network were the plane that touches it at this row: exact for the model's linear part, and for the
network as good as the plane is. A missing input has no distance and adds nothing. The nodes follow the forward pass backwards, all classes
at once, with the class as an additional first axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from jobs.training.neural.export_network import NetworkNodes
from jobs.training.neural.network import EPSILON
from udfs.scoring.calibration import CLASSES

_ROWS: Final = -1


class GradientNodes(NetworkNodes):
    """The forward pass, and the way back from the classes to the inputs."""

    def add_contributions(self, distances: str, missing: str, result: str) -> GradientNodes:
        """From float (rows, inputs) distances and bool marks to float (rows, classes, inputs)."""
        joined = self._forward(distances, missing)
        heads = self._constant(self._weights["head"][:, :CLASSES].T[:, None, :])
        flat = self._back(self._through_tanh(heads, joined), "join")
        after = self._op("Reshape", flat, self._constant([CLASSES, _ROWS, self._windows, self._width], np.int64))
        before = self._through_norm(after, "seen")
        windows = self._sum(before, *self._through_attention(self._through_gate(before, "seen")))
        told = self._through_norm(self._op("Transpose", windows, perm=[0, 2, 1, 3]), "window")
        slopes = self._through_choice(told)
        self._by_input(self._op("Mul", slopes, self.found["x"]), result)
        return self

    def _through_choice(self, told: str) -> str:
        """(classes, windows, rows, places) slopes of the inputs."""
        chosen, x, gone = (self.found[name] for name in ("chosen", "x", "gone"))
        of_x, of_gone, of_choice = self._parts(self._back(told, "tell"), [self._places] * 3)
        of_chosen = self._sum(self._op("Mul", of_x, x), self._op("Mul", of_gone, gone), of_choice)
        hidden = self._sum(self._back(self._through_softmax(of_chosen, chosen), "choose"), self._through_gate(told, "window"))
        of_look, _ = self._parts(self._back(self._through_tanh(hidden, self.found["hidden"]), "look"), [self._places] * 2)
        return self._sum(self._op("Mul", of_x, chosen), of_look)

    def _through_attention(self, attended: str) -> tuple[str, ...]:
        """What the windows get by being looked at, by looking, and by what they tell."""
        values, looks, by_head = (self.found[name] for name in ("values", "looks", "by_head"))
        of_looks = self._op("MatMul", attended, self._turned(values, [0, 2, 1]))
        of_values = self._op("MatMul", self._turned(looks, [0, 2, 1]), attended)
        every_head = self._op("Unsqueeze", of_looks, self._constant([2], np.int64))
        heads = self._weights["query"].shape[1] // self._width
        share = self._op("Div", self._through_softmax(every_head, by_head), self._constant(heads * np.sqrt(self._width)))
        of_queries = self._op("MatMul", share, self._turned(self.found["keys"], [0, 1, 3, 2]))
        of_keys = self._op("MatMul", self._turned(share, [0, 1, 2, 4, 3]), self.found["queries"])
        return self._merged(of_queries, "query"), self._merged(of_keys, "key"), self._back(of_values, "value")

    def _merged(self, of_heads: str, name: str) -> str:
        """(classes, rows, heads, windows, width) -> what the windows get."""
        shape = self._constant([CLASSES, _ROWS, self._windows, self._weights[name].shape[1]], np.int64)
        return self._back(self._op("Reshape", self._turned(of_heads, [0, 1, 3, 2, 4]), shape), name)

    def _by_input(self, slots: str, result: str) -> None:
        rows_first = self._op("Transpose", slots, perm=[2, 0, 1, 3])
        flat = self._op("Reshape", rows_first, self._constant([0, 0, -1], np.int64))
        order = np.argsort(self._layout.ravel(), kind="stable")[: self._inputs]
        self._rounded(self._op("Gather", flat, self._constant(order, np.int64), axis=2), result)

    def _through_norm(self, slope: str, name: str) -> str:
        values = self.found[f"{name}_before_norm"]
        away = self._op("Sub", values, self._mean(values))
        spread = self._op("Sqrt", self._op("Add", self._mean(self._op("Mul", away, away)), self._constant(EPSILON)))
        normal, scaled = self._op("Div", away, spread), self._op("Mul", slope, self._weight(f"{name}_scale"))
        along = self._op("Mul", normal, self._mean(self._op("Mul", scaled, normal)))
        return self._op("Div", self._op("Sub", self._op("Sub", scaled, self._mean(scaled)), along), spread)

    def _through_gate(self, slope: str, name: str) -> str:
        opened, added = self.found[f"{name}_opened"], self.found[f"{name}_added"]
        closed = self._op("Mul", opened, self._op("Sub", self._constant(1.0), opened))
        of_gate = self._op("Mul", self._op("Mul", slope, added), closed)
        return self._sum(self._back(of_gate, f"{name}_gate"), self._back(self._op("Mul", slope, opened), f"{name}_add"))

    def _through_softmax(self, slope: str, shares: str) -> str:
        weighed = self._op("Mul", slope, shares)
        total = self._op("ReduceSum", weighed, self._constant([-1], np.int64), keepdims=1)
        return self._op("Sub", weighed, self._op("Mul", shares, total))

    def _through_tanh(self, slope: str, values: str) -> str:
        return self._op("Mul", slope, self._op("Sub", self._constant(1.0), self._op("Mul", values, values)))

    def _back(self, slope: str, name: str) -> str:
        return self._op("MatMul", slope, self._constant(np.swapaxes(self._weights[name], -1, -2)))

    def _parts(self, values: str, sizes: Sequence[int]) -> tuple[str, ...]:
        ends = np.cumsum([0, *sizes])
        last = self._constant([-1], np.int64)
        return tuple(
            self._op("Slice", values, self._constant([begin], np.int64), self._constant([end], np.int64), last)
            for begin, end in pairwise(ends)
        )

    def _sum(self, first: str, *others: str) -> str:
        for other in others:
            first = self._op("Add", first, other)
        return first

    def _mean(self, values: str) -> str:
        return self._op("ReduceMean", values, axes=[-1], keepdims=1)

    def _turned(self, values: str, order: Sequence[int]) -> str:
        return self._op("Transpose", values, perm=list(order))

    @property
    def _width(self) -> int:
        return int(self._weights["value"].shape[0])
