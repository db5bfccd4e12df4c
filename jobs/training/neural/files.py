"""The model file of a network, and the second graph inside it that reasons come from."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
from onnx import helper

from jobs.training.export_onnx import DISTANCES, MISSING, distance_constants, distance_nodes, model_file, serialised, value
from jobs.training.neural.export_gradient import GradientNodes
from jobs.training.neural.export_network import NetworkNodes
from jobs.training.neural.network import Weights
from udfs.scoring.calibration import CLASSES
from udfs.scoring.linear import LinearPart
from udfs.scoring.model_metadata import ModelMetadata
from udfs.scoring.onnx_model import CONTRIBUTIONS, INPUT_NAME, RAW_OUTPUT
from udfs.scoring.trees import OUTPUTS, FlatTrees, pack

_NONE = np.empty(0, np.int32)
NO_TREES = FlatTrees(
    roots=_NONE,
    outputs=np.empty(0, np.int8),
    feature=np.empty(0, np.int16),
    threshold=np.empty(0, np.float32),
    left=_NONE,
    right=_NONE,
    missing_left=np.empty(0, np.bool_),
    value=np.empty(0, np.float64),
    base=np.zeros(len(OUTPUTS)),
)


def network_file(weights: Weights, layout: npt.NDArray[np.int64], metadata: ModelMetadata) -> bytes:
    """The bytes of the model file; the same weights and metadata give the same bytes."""
    network = NetworkNodes(weights, layout, len(metadata.feature_names)).add_scores(DISTANCES, MISSING, RAW_OUTPUT)
    return model_file(network.nodes, network.constants, metadata)


def gradient_text(weights: Weights, layout: npt.NDArray[np.int64], linear: LinearPart) -> str:
    """For the entry `gradient` of the model's metadata, whose hash names the model: all weights are in it, or in its description.

    The linear part's own contributions are not.
    """
    inputs = linear.middle.shape[0]
    network = GradientNodes(weights, layout, inputs).add_contributions(DISTANCES, MISSING, CONTRIBUTIONS)
    nodes, constants = [*distance_nodes(), *network.nodes], [*distance_constants(linear), *network.constants]
    digest = hashlib.sha256(b"".join(np.asarray(weights[name]).tobytes() for name in sorted(weights))).hexdigest()
    outputs = [value(CONTRIBUTIONS, CLASSES, inputs)]
    graph = helper.make_graph(nodes, "reasons", [value(INPUT_NAME, inputs)], outputs, constants, doc_string=digest)
    return pack(serialised(graph, "", {}))
