"""A Tickflow model as one ONNX file: a tree ensemble (or a network) and a linear part, then calibrated probabilities, return and sigma.

The trees are written as they are, not through a converter: one node scores all outputs at once, thresholds are rounded so that
float32 decides as LightGBM does, and a missing value takes LightGBM's branch at every split.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, checker, helper, numpy_helper

from udfs.scoring.calibration import Calibration, curve_points
from udfs.scoring.linear import FURTHEST, LinearPart
from udfs.scoring.model_metadata import ModelMetadata, write_metadata
from udfs.scoring.onnx_model import INPUT_NAME, PUBLIC_OUTPUTS, RAW_OUTPUT
from udfs.scoring.trees import OUTPUTS, FlatTrees

DISTANCES, MISSING = "distances", "is_missing"
"""(rows, model inputs) inside of the graph: see `distance_nodes`."""
_OPSET, _TREE_OPSET, _IR_VERSION = 17, 3, 8


def export_model(trees: FlatTrees, metadata: ModelMetadata) -> bytes:
    """The bytes of the model file; the same trees and metadata give the same bytes."""
    return model_file([_tree_node(trees)], [], metadata)


def model_file(core: Sequence[NodeProto], constants: Sequence[TensorProto], metadata: ModelMetadata) -> bytes:
    """The same of any nodes that make RAW_OUTPUT of the inputs, or of DISTANCES and MISSING."""
    nodes = [*distance_nodes(), *core, *_linear_nodes(), *_final_nodes(bool(metadata.calibration_curves))]
    arrays = distance_constants(metadata.linear_part) + _constants(metadata.calibration, metadata.linear_part)
    outputs = [value(PUBLIC_OUTPUTS[0], 3), value(PUBLIC_OUTPUTS[1]), value(PUBLIC_OUTPUTS[2]), value(RAW_OUTPUT, len(OUTPUTS))]
    inputs = [value(INPUT_NAME, len(metadata.feature_names))]
    graph = helper.make_graph(nodes, "tickflow", inputs, outputs, [*arrays, *constants])
    return serialised(graph, metadata.tickflow_version, write_metadata(metadata))


def serialised(graph: Any, tickflow_version: str, entries: dict[str, str]) -> bytes:
    """A graph as a file that says who made it, with entries beside it."""
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _TREE_OPSET)],
        ir_version=_IR_VERSION,
        producer_name="tickflow",
        producer_version=tickflow_version,
    )
    helper.set_model_props(model, entries)
    checker.check_model(model)
    return model.SerializeToString(deterministic=True)  # type: ignore[no-any-return]


def value(name: str, *columns: int) -> Any:
    """Description of an input or output of so many rows."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", *columns])


def distance_constants(linear: LinearPart) -> list[TensorProto]:
    """What `distance_nodes` read."""
    arrays = {
        "middle": linear.middle.astype(np.float32),
        "spread": linear.spread.astype(np.float32),
        "nearest": np.float32(-FURTHEST),
        "furthest": np.float32(FURTHEST),
        "nothing": np.float32(0),
    }
    return [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]


def _constants(calibration: Calibration, linear: LinearPart) -> list[TensorProto]:
    arrays = {
        "weights": linear.weights.T.astype(np.float32),
        "intercepts": linear.intercepts.astype(np.float32),
        "parts": np.array([3, 1, 1], np.int64),
        "columns": np.array([1], np.int64),
        "scale": np.float32(calibration.scale),
        "biases": np.array(calibration.biases, np.float32),
        **(_curve_constants(calibration) if calibration.curves else {}),
    }
    return [numpy_helper.from_array(np.asarray(array), name) for name, array in arrays.items()]


def _curve_constants(calibration: Calibration) -> dict[str, npt.NDArray[Any]]:
    """A curve is its first value plus, for each point, the change of slope there times how far beyond the point the probability is."""
    before, after = curve_points(calibration).transpose(1, 0, 2)
    slope = np.diff(after, axis=1) / np.diff(before, axis=1)
    level = np.zeros((slope.shape[0], 1))
    return {
        "curve_from": before.astype(np.float32),
        "curve_bends": np.diff(np.hstack([level, slope, level]), axis=1).astype(np.float32),
        "curve_starts": after[:, 0].astype(np.float32),
        "last_axis": np.array([2], np.int64),
    }


def distance_nodes() -> list[NodeProto]:
    """How far inputs are from their middle, in spreads; 0 where one is missing."""
    return [
        helper.make_node("Sub", [INPUT_NAME, "middle"], ["from_middle"]),
        helper.make_node("Div", ["from_middle", "spread"], ["in_spreads"]),
        helper.make_node("Clip", ["in_spreads", "nearest", "furthest"], ["clipped"]),
        helper.make_node("IsNaN", [INPUT_NAME], [MISSING]),
        helper.make_node("Where", [MISSING, "nothing", "clipped"], [DISTANCES]),
    ]


def _linear_nodes() -> list[NodeProto]:
    """What the inputs add by themselves; a missing one adds nothing."""
    return [
        helper.make_node("Gemm", [DISTANCES, "weights", "intercepts"], ["linear_scores"]),
        helper.make_node("Add", [RAW_OUTPUT, "linear_scores"], ["all_scores"]),
    ]


def _final_nodes(has_curves: bool) -> list[NodeProto]:
    """From raw scores to the outputs that other programs read."""
    probabilities, expected_return, sigma = PUBLIC_OUTPUTS
    return [
        helper.make_node("Split", ["all_scores", "parts"], ["class_scores", "return_column", "log_sigma_column"], axis=1),
        helper.make_node("Mul", ["class_scores", "scale"], ["scaled_scores"]),
        helper.make_node("Add", ["scaled_scores", "biases"], ["calibrated_scores"]),
        helper.make_node("Softmax", ["calibrated_scores"], ["straight" if has_curves else probabilities], axis=1),
        *(_curve_nodes("straight", probabilities) if has_curves else ()),
        helper.make_node("Squeeze", ["return_column", "columns"], ["return_in_sigmas"]),
        helper.make_node("Squeeze", ["log_sigma_column", "columns"], ["log_sigma"]),
        helper.make_node("Exp", ["log_sigma"], [sigma]),
        helper.make_node("Mul", ["return_in_sigmas", sigma], [expected_return]),
    ]


def _curve_nodes(straight: str, result: str) -> list[NodeProto]:
    return [
        helper.make_node("Unsqueeze", [straight, "last_axis"], ["straight_by_point"]),
        helper.make_node("Sub", ["straight_by_point", "curve_from"], ["from_points"]),
        helper.make_node("Relu", ["from_points"], ["beyond_points"]),
        helper.make_node("Mul", ["beyond_points", "curve_bends"], ["bent_by_point"]),
        helper.make_node("ReduceSum", ["bent_by_point", "last_axis"], ["bent"], keepdims=0),
        helper.make_node("Add", ["bent", "curve_starts"], ["curved"]),
        helper.make_node("ReduceSum", ["curved", "columns"], ["curved_sum"], keepdims=1),
        helper.make_node("Div", ["curved", "curved_sum"], [result]),
    ]


def _tree_node(trees: FlatTrees) -> NodeProto:
    """Every tree in one node. A node's number is its position in its own tree."""
    nodes = trees.feature.shape[0]
    tree_of_node = np.repeat(np.arange(trees.roots.shape[0]), np.diff(np.append(trees.roots, nodes)))
    start = trees.roots[tree_of_node]
    leaf = trees.feature < 0
    return helper.make_node(
        "TreeEnsembleRegressor",
        [INPUT_NAME],
        [RAW_OUTPUT],
        domain="ai.onnx.ml",
        n_targets=len(OUTPUTS),
        aggregate_function="SUM",
        post_transform="NONE",
        base_values=[float(value) for value in trees.base],
        nodes_treeids=tree_of_node.tolist(),
        nodes_nodeids=(np.arange(nodes) - start).tolist(),
        nodes_featureids=np.where(leaf, 0, trees.feature).tolist(),
        nodes_values=trees.threshold.astype(np.float64).tolist(),
        nodes_modes=["LEAF" if is_leaf else "BRANCH_LEQ" for is_leaf in leaf],
        nodes_truenodeids=np.where(leaf, 0, trees.left - start).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, trees.right - start).tolist(),
        nodes_missing_value_tracks_true=trees.missing_left.astype(int).tolist(),
        target_treeids=tree_of_node[leaf].tolist(),
        target_nodeids=(np.arange(nodes) - start)[leaf].tolist(),
        target_ids=trees.outputs[tree_of_node][leaf].tolist(),
        target_weights=trees.value[leaf].tolist(),
    )
