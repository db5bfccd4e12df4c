"""A sentiment model as one ONNX file: look up the weights of the text's buckets, add them, and make probabilities of the sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, checker, helper, numpy_helper

from udfs.scoring.calibration import CLASSES
from udfs.scoring.news_model import NEWS_INPUT, NEWS_PROBABILITIES, NEWS_SUMS, NewsModelMetadata, write_news_metadata

_OPSET, _IR_VERSION = 17, 8


def export_news_model(weights: npt.NDArray[np.int16], metadata: NewsModelMetadata) -> bytes:
    """The bytes of the model file from weights (BUCKETS, 3); the same weights and metadata give the same bytes."""
    model = helper.make_model(
        _graph(weights, metadata),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="tickflow",
    )
    helper.set_model_props(model, write_news_metadata(metadata))
    checker.check_model(model)
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _graph(weights: npt.NDArray[np.int16], metadata: NewsModelMetadata) -> Any:
    nodes = [
        helper.make_node("Gather", ["weights", NEWS_INPUT], ["found"], axis=0),
        helper.make_node("Cast", ["found"], ["wide"], to=TensorProto.INT32),
        helper.make_node("ReduceSum", ["wide", "rows"], [NEWS_SUMS], keepdims=0),
        helper.make_node("Cast", [NEWS_SUMS], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["numbers", "scale"], ["scaled"]),
        helper.make_node("Add", ["scaled", "biases"], ["scores"]),
        helper.make_node("Softmax", ["scores"], [NEWS_PROBABILITIES], axis=0),
    ]
    constants = {
        "weights": weights,
        "rows": np.array([0], np.int64),
        "scale": np.float32(metadata.calibration_scale),
        "biases": np.array(metadata.calibration_biases, np.float32),
    }
    return helper.make_graph(
        nodes,
        "tickflow-news",
        [helper.make_tensor_value_info(NEWS_INPUT, TensorProto.INT64, ["buckets"])],
        [
            helper.make_tensor_value_info(NEWS_SUMS, TensorProto.INT32, [CLASSES]),
            helper.make_tensor_value_info(NEWS_PROBABILITIES, TensorProto.FLOAT, [CLASSES]),
        ],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
