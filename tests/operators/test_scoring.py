"""The scorer gives each row the same bits however it is asked, and refuses any model that is not what the job expects."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.feature_rows import planted_dataset
from tests.support.trained_model import scorer, trained_model
from udfs.errors import ModelMismatch
from udfs.kernels.feature_vector import FEATURE_COUNT, FEATURE_NAMES, Feature
from udfs.scoring.model_metadata import ModelMetadata, read_metadata, write_metadata
from udfs.scoring.onnx_model import Scores, load_model

ROWS = planted_dataset(rows=400, seed=9).values


def score(values: npt.NDArray[np.float32]) -> Scores:
    return scorer().score(values, ~np.isnan(values))


def load_changed(change: Callable[[onnx.ModelProto], None]) -> None:
    model = onnx.load_from_string(trained_model().data)
    change(model)
    data = model.SerializeToString()
    load_model(data, FEATURE_NAMES, hashlib.sha256(data).hexdigest())


@given(st.lists(st.integers(0, len(ROWS) - 1), min_size=1, max_size=70))
@settings(deadline=None)
def test_a_rows_bits_do_not_depend_on_its_batch(chosen: list[int]) -> None:
    batch = score(ROWS[chosen])
    for place, row in enumerate(chosen):
        alone = score(ROWS[row : row + 1])
        assert [column[place].tobytes() for column in batch] == [column[0].tobytes() for column in alone]


def test_layout_and_access_do_not_matter() -> None:
    frozen = np.frombuffer(ROWS.tobytes(), np.float32).reshape(ROWS.shape)
    strided = np.zeros(len(ROWS), [("other", "i8"), ("values", "f4", (FEATURE_COUNT,))])
    strided["values"] = ROWS
    for values in (frozen, strided["values"], np.asfortranarray(ROWS)):
        assert [column.tobytes() for column in score(values)] == [column.tobytes() for column in score(ROWS)]


def test_no_rows_give_no_scores() -> None:
    assert [len(column) for column in score(ROWS[:0])] == [0, 0, 0, 0, 0]


def test_probabilities_are_probabilities_and_sigma_is_positive() -> None:
    scores = score(ROWS)
    assert np.allclose(scores.probabilities.sum(axis=1), 1, atol=1e-12)
    assert np.all(scores.probabilities > 0)
    assert np.all(scores.sigma > 0)
    assert scores.probabilities.dtype == np.float64


def test_invalid_and_infinite_values_count_as_missing() -> None:
    row = ROWS[:1].copy()
    row[0, Feature.IMBALANCE_5_LEVELS] = np.nan
    missing = scorer().score(row, ~np.isnan(row))
    valid = ~np.isnan(row)
    for value in (0.9, np.inf, -np.inf):
        row[0, Feature.IMBALANCE_5_LEVELS] = value
        valid[0, Feature.IMBALANCE_5_LEVELS] = np.isinf(value)
        assert [column.tobytes() for column in scorer().score(row, valid)] == [column.tobytes() for column in missing]


def test_the_share_of_valid_inputs_counts_model_inputs_only() -> None:
    nothing = np.full((1, FEATURE_COUNT), np.nan, np.float32)
    assert score(nothing).valid_share[0] == 0
    half = nothing.copy()
    inputs = scorer().columns
    half[0, inputs[: len(inputs) // 2]] = 1.0
    half[0, Feature.LAST_PRICE] = 100.0
    assert score(half).valid_share[0] == pytest.approx((len(inputs) // 2) / len(inputs))


def test_features_are_found_by_name_whatever_their_order() -> None:
    model = trained_model()
    order = np.random.default_rng(0).permutation(FEATURE_COUNT)
    shuffled = load_model(model.data, ("new_feature", *(FEATURE_NAMES[place] for place in order)), model.sha256)
    values = np.concatenate([np.ones((len(ROWS), 1), np.float32), ROWS[:, order]], axis=1)
    found = shuffled.score(values, ~np.isnan(values))
    assert [column.tobytes() for column in found] == [column.tobytes() for column in score(ROWS)]


def test_a_model_is_opened_once_a_process() -> None:
    assert scorer() is scorer()


def test_the_scorer_says_what_it_is() -> None:
    model = trained_model()
    assert (scorer().version, scorer().sha256) == (model.version, hashlib.sha256(model.data).hexdigest())
    assert scorer().horizon == model.card["horizon"]


def test_other_bytes_than_released_are_refused() -> None:
    with pytest.raises(ModelMismatch, match="sha256"):
        load_model(trained_model().data + b" ", FEATURE_NAMES, trained_model().sha256)


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x08\x07" * 40])
def test_what_is_no_onnx_file_is_refused(data: bytes) -> None:
    with pytest.raises(ModelMismatch):
        load_model(data, FEATURE_NAMES, hashlib.sha256(data).hexdigest())


def test_a_cut_file_is_refused() -> None:
    data = trained_model().data[:-1000]
    with pytest.raises(ModelMismatch):
        load_model(data, FEATURE_NAMES, hashlib.sha256(data).hexdigest())


def test_missing_features_are_named() -> None:
    names = tuple(name for name in FEATURE_NAMES if name not in ("rsi_14", "imbalance_5_levels"))
    with pytest.raises(ModelMismatch, match="imbalance_5_levels, rsi_14"):
        load_model(trained_model().data, names, trained_model().sha256)


def drop_metadata(model: onnx.ModelProto) -> None:
    del model.metadata_props[:]


def rename_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "x"
    model.graph.node[0].input[0] = "x"


def widen_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value += 1


def fix_rows(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def take_doubles(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE


def drop_raw_scores(model: onnx.ModelProto) -> None:
    del model.graph.output[-1]


def set_metadata(name: str, text: str) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        next(entry for entry in model.metadata_props if entry.key == f"tickflow.{name}").value = text

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (drop_metadata, "feature_names"),
        (rename_input, "inputs|ONNX"),
        (widen_input, "inputs|ONNX"),
        (take_doubles, "inputs|ONNX"),
        (fix_rows, "batch"),
        (drop_raw_scores, "outputs"),
        (set_metadata("trees", '"AAAA"'), "reasons"),
        (set_metadata("class_order", '["up", "neutral", "down"]'), "classes"),
        (set_metadata("calibration_scale", "-1"), "calibration"),
        (set_metadata("calibration_biases", "[0, 1]"), "calibration"),
        (set_metadata("horizon", "0"), "horizon"),
        (set_metadata("quantiles", "[]"), "quantiles"),
        (set_metadata("feature_names", "{"), "metadata"),
    ],
)
def test_a_model_that_is_not_what_the_job_expects_is_refused(change: Callable[[onnx.ModelProto], None], says: str) -> None:
    with pytest.raises(ModelMismatch, match=says):
        load_changed(change)


def test_metadata_survives_the_file() -> None:
    metadata: ModelMetadata = scorer().metadata
    assert read_metadata(write_metadata(metadata)) == metadata
