"""From feature rows to scores with an ONNX model: checked when it is loaded, one session a process for each model.

A row's bits do not depend on the batch that it was scored in, nor on the machine's vector instructions: the graph's trees only compare and
add, in a fixed order, and the rest (linear part, softmax, exponential) is done here, row by row, in float64. A network in place of the
trees counts in float64 and rounds its raw scores to a grid that is coarse beside what instructions change.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt
import onnxruntime

from udfs.errors import ModelMismatch
from udfs.records import Attribution, Direction
from udfs.scoring.calibration import CLASSES, Calibration, calibrate, curve_points
from udfs.scoring.linear import add_linear, contributions
from udfs.scoring.model_metadata import ModelMetadata, read_metadata
from udfs.scoring.reasons import explain
from udfs.scoring.trees import OUTPUTS, FlatTrees, attribute, decode_trees, unpack

INPUT_NAME = "features"
RAW_OUTPUT = "raw_scores"
CONTRIBUTIONS = "contributions"
"""Of a network's second graph: (n, 3, inputs) what each input adds to the raw score of each class."""
PUBLIC_OUTPUTS = ("probabilities", "expected_return", "sigma")
"""What the graph computes for other programs: calibrated probabilities (n, 3), and two columns (n,)."""
RANGE_WIDTHS = 3.0
_KEPT_MODELS = 4
_models: dict[tuple[str, tuple[str, ...]], Scorer] = {}
_lock = threading.Lock()


class Scores(NamedTuple):
    """What a model says of a batch of rows."""

    probabilities: npt.NDArray[np.float64]
    """(rows, 3) calibrated, of down, neutral, up."""
    expected_return: npt.NDArray[np.float64]
    """(rows,) expected log return over the horizon."""
    sigma: npt.NDArray[np.float64]
    """(rows,) how far off that is: 90 % of returns lie within 1.645 of it, as for a normal distribution of this deviation."""
    valid_share: npt.NDArray[np.float64]
    """(rows,) share of the model's inputs that were valid."""
    outside_share: npt.NDArray[np.float64]
    """(rows,) share of the model's inputs that lay far outside the training rows."""


@numba.njit(cache=True, nogil=True)
def _inputs_of(
    values: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_], columns: npt.NDArray[np.int64], ranges: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(rows, model inputs) with NaN for what is missing, the share that is not, and the share that lies outside of `ranges`."""
    inputs = np.empty((values.shape[0], columns.shape[0]), np.float32)
    valid_share, outside_share = np.empty(values.shape[0], np.float64), np.empty(values.shape[0], np.float64)
    for row in range(values.shape[0]):
        usable_inputs, outside_inputs = 0, 0
        for position in range(columns.shape[0]):
            value = values[row, columns[position]]
            usable = valid[row, columns[position]] and np.isfinite(value)
            inputs[row, position] = value if usable else np.float32(np.nan)
            usable_inputs += usable
            outside_inputs += usable and (value < ranges[0, position] or value > ranges[1, position])
        valid_share[row] = usable_inputs / columns.shape[0]
        outside_share[row] = outside_inputs / columns.shape[0]
    return inputs, valid_share, outside_share


@numba.njit(cache=True, nogil=True)
def _return_and_sigma(raw_scores: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    rows = raw_scores.shape[0]
    expected_return, sigma = np.empty(rows, np.float64), np.empty(rows, np.float64)
    for row in range(rows):
        sigma[row] = np.exp(raw_scores[row, 4])
        expected_return[row] = raw_scores[row, 3] * sigma[row]
    return expected_return, sigma


def believable_ranges(quantiles: Sequence[Sequence[float]]) -> npt.NDArray[np.float64]:
    """(2, model inputs) lowest and highest value of each input of which the training rows tell something.

    That is RANGE_WIDTHS times the distance of the outermost quantiles beyond them: 16 standard deviations from the middle of a normal
    distribution. An input that was constant or never there has no bounds: no tree splits on it.
    """
    outermost = np.array(quantiles, np.float64)[:, [0, -1]].T
    width = RANGE_WIDTHS * (outermost[1] - outermost[0])
    known = width > 0
    return np.where(known, outermost + np.array([[-1.0], [1.0]]) * width, np.array([[-np.inf], [np.inf]]))


class Scorer:
    """One model, ready to score rows of one feature list. Make it with `load_model`; safe to share between threads."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        metadata: ModelMetadata,
        trees: FlatTrees,
        columns: npt.NDArray[np.int64],
        sha256: str,
        gradient: onnxruntime.InferenceSession | None = None,
    ) -> None:
        self.metadata = metadata
        self.sha256 = sha256
        self.number = int(sha256[:8], 16)
        """The beginning of the hash, as a number of 32 bits."""
        self.version: str = metadata.model_version
        self.trained_until = metadata.training_range[-1]
        """Event time of the newest training row."""
        self.horizon: int = metadata.horizon
        """Nanoseconds over which direction and return are predicted."""
        self.columns = columns
        """(model inputs,) where each model input stands in the job's feature list."""
        self._session, self._gradient = session, gradient
        self.trees = trees
        self.linear = metadata.linear_part
        self.minimum_confidence: float = metadata.minimum_confidence
        """Calibrated probability from which on the model may be believed."""
        self._calibration: Calibration = metadata.calibration
        self._curve_points = curve_points(self._calibration)
        self._quantiles = metadata.quantiles
        self._ranges = believable_ranges(metadata.quantiles)

    def score(self, values: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_]) -> Scores:
        """Scores of (rows, features) values; what is not valid or not finite counts as missing."""
        inputs, valid_share, outside_share = _inputs_of(values, valid, self.columns, self._ranges)
        raw_scores = self.raw_scores(inputs)
        expected_return, sigma = _return_and_sigma(raw_scores)
        probabilities = calibrate(raw_scores[:, :3], self._calibration, self._curve_points)
        return Scores(probabilities, expected_return, sigma, valid_share, outside_share)

    def raw_scores(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """(rows, model inputs) -> (rows, 5) trees and linear part, columns as in `udfs.scoring.trees.OUTPUTS`."""
        return add_linear(self._session.run([RAW_OUTPUT], {INPUT_NAME: inputs})[0], inputs, self.linear)  # type: ignore[no-any-return]

    def attribute(self, inputs: npt.NDArray[np.float32], output: int) -> tuple[npt.NDArray[np.float64], float]:
        """(contributions (model inputs,), bias) of one output for one row; their sum is the raw score. Of a network, classes only."""
        if self._gradient is not None:
            found = self._contributions(inputs, output)
            return found, float(self.raw_scores(inputs[None, :])[0, output] - found.sum())
        by_trees, bias = attribute(self.trees, inputs, output)
        return by_trees + contributions(self.linear, inputs, output), bias + float(self.linear.intercepts[output])

    def _contributions(self, inputs: npt.NDArray[np.float32], output: int) -> npt.NDArray[np.float64]:
        if self._gradient is None:
            return self.attribute(inputs, output)[0]
        by_network = self._gradient.run([CONTRIBUTIONS], {INPUT_NAME: inputs[None, :]})[0][0, output]
        return np.asarray(by_network + contributions(self.linear, inputs, output), np.float64)

    def reasons(self, values_row: npt.NDArray[np.float32], direction: Direction, k: int = 3) -> tuple[Attribution, ...]:
        """The at most `k` inputs of one row (features,) that spoke most for `direction`, strongest first. Missing values are NaN."""
        inputs = values_row[self.columns]
        return explain(self._contributions(inputs, int(direction) + 1), inputs, self.metadata.feature_names, self._quantiles, k)


def load_model(data: bytes, feature_names: tuple[str, ...], expected_sha256: str) -> Scorer:
    """Check a model file against the job's feature list and make it ready.

    The same model and list give the same object for the life of the process, however often a worker restarts.
    Raises ModelMismatch when the hash differs, the bytes are no ONNX model of Tickflow, or an input is not in `feature_names`.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 != expected_sha256:
        raise ModelMismatch(f"the model's sha256 is {sha256}, expected {expected_sha256}: the file was changed or is another model")
    key = (sha256, feature_names)
    with _lock:
        scorer = _models.pop(key, None) or _open(data, feature_names, sha256)
        _models[key] = scorer
        while len(_models) > _KEPT_MODELS:
            del _models[next(iter(_models))]
    return scorer


def _open(data: bytes, feature_names: tuple[str, ...], sha256: str) -> Scorer:
    session = open_session(data)
    metadata = read_metadata(session.get_modelmeta().custom_metadata_map)
    _check_graph(session, len(metadata.feature_names))
    columns = _find_columns(metadata.feature_names, feature_names)
    try:
        trees = decode_trees(metadata.trees)
    except ValueError as error:
        raise ModelMismatch(f"the model's arrays for reasons cannot be read: {error}") from error
    _check_trees(trees, len(metadata.feature_names))
    return _warmed_up(Scorer(session, metadata, trees, columns, sha256, _open_gradient(metadata)), len(feature_names))


def _open_gradient(metadata: ModelMetadata) -> onnxruntime.InferenceSession | None:
    if not metadata.gradient:
        return None
    try:
        session = open_session(unpack(metadata.gradient))
    except ValueError as error:
        raise ModelMismatch(f"the model's graph for reasons cannot be read: {error}") from error
    inputs = len(metadata.feature_names)
    _check_inputs(session, inputs)
    outputs = [(node.name, node.shape[1:]) for node in session.get_outputs()]
    if outputs != [(CONTRIBUTIONS, [CLASSES, inputs])]:
        raise ModelMismatch(f"the outputs of the model's graph for reasons are {outputs}, expected {CONTRIBUTIONS} of {inputs} inputs")
    return session


def _warmed_up(scorer: Scorer, features: int) -> Scorer:
    """Compile everything now, so that the first row does not wait for it."""
    values = np.full((1, features), np.nan, np.float32)
    scorer.score(values, np.isfinite(values))
    scorer.reasons(values[0], Direction.NEUTRAL)
    return scorer


def open_session(data: bytes) -> onnxruntime.InferenceSession:
    """A session that runs in the calling thread and holds no memory arena. Raises ModelMismatch on bytes that are no ONNX model."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises a class of its own for each failure
        raise ModelMismatch(f"the model is not a valid ONNX file ({len(data)} bytes): {error}") from error


def _check_graph(session: onnxruntime.InferenceSession, inputs: int) -> None:
    """Raises ModelMismatch when the graph's inputs or outputs are not a Tickflow model's."""
    _check_inputs(session, inputs)
    outputs = {node.name: node.shape[1:] for node in session.get_outputs()}
    if outputs.get(RAW_OUTPUT) != [len(OUTPUTS)] or not outputs.keys() >= set(PUBLIC_OUTPUTS):
        raise ModelMismatch(f"the model's outputs are {outputs}, expected {(*PUBLIC_OUTPUTS, RAW_OUTPUT)} with {len(OUTPUTS)} raw scores")


def _check_inputs(session: onnxruntime.InferenceSession, inputs: int) -> None:
    found = [(node.name, node.type, node.shape[1:]) for node in session.get_inputs()]
    expected = [(INPUT_NAME, "tensor(float)", [inputs])]
    if found != expected:
        raise ModelMismatch(f"the model's inputs are {found}, expected {expected} (name, type, columns)")
    if isinstance(session.get_inputs()[0].shape[0], int):
        raise ModelMismatch("the model takes a fixed number of rows, expected a free batch dimension: export it again")


def _find_columns(model_inputs: tuple[str, ...], feature_names: tuple[str, ...]) -> npt.NDArray[np.int64]:
    """Where each model input stands in the feature list. Raises ModelMismatch naming the inputs that are not there."""
    positions = {name: position for position, name in enumerate(feature_names)}
    missing = [name for name in model_inputs if name not in positions]
    if missing:
        raise ModelMismatch(
            f"the model needs features that this job does not compute: {', '.join(missing)}; train a model on this feature set"
        )
    return np.array([positions[name] for name in model_inputs], np.int64)


def _check_trees(trees: FlatTrees, inputs: int) -> None:
    """Raises ModelMismatch when following the trees could leave the arrays."""
    nodes = trees.feature.shape[0]
    inside = trees.feature >= 0
    children = np.concatenate([trees.left[inside], trees.right[inside]])
    parents = np.tile(np.flatnonzero(inside), 2)
    sound = (
        trees.base.shape == (len(OUTPUTS),)
        and trees.roots.shape == trees.outputs.shape
        and all(array.shape == (nodes,) for array in trees[2:8])
        and bool(np.all((trees.roots >= 0) & (trees.roots < nodes)))
        and bool(np.all((children > parents) & (children < nodes)))
        and bool(np.all(trees.feature < inputs))
    )
    if not sound:
        raise ModelMismatch("the model's arrays for reasons contradict each other: the file is damaged")
