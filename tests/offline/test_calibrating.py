"""Calibration by fold finds the shape of a distortion, sigma's level holds what it promises, and a precision that is asked for is kept."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.training.abstention import NEVER, confidence_for, directed, precision_table
from jobs.training.calibrating import calibrate_by_fold
from jobs.training.levels import believed_slope, levels_of
from jobs.training.reliability import calibration_error, confidence_table, coverage, crps
from jobs.training.resampling import blocks_in_time
from tests.support.trained_model import scorer, trained_model
from udfs.errors import ModelMismatch
from udfs.scoring.calibration import Calibration, calibrate
from udfs.scoring.model_metadata import read_metadata, write_metadata

CURVE = ((0.1, 0.4, 0.9), (0.05, 0.5, 0.6))
CURVED = Calibration(1.3, (0.1, 0.0, -0.1), (CURVE, CURVE, CURVE))


def happening(probabilities: npt.NDArray[np.float64], seed: int = 3) -> npt.NDArray[np.int64]:
    above = np.random.default_rng(seed).random((len(probabilities), 1)) > probabilities.cumsum(axis=1)
    return np.asarray(np.minimum(above.sum(axis=1), 2), np.int64)


def test_a_distortion_that_is_no_straight_line_asks_for_curves() -> None:
    """Platt's way does where scores are too bold everywhere; where only large ones are, isotonic does better, and is calibrated."""
    generator = np.random.default_rng(1)
    scores = generator.normal(size=(8000, 3)) * 1.5
    fold = np.arange(8000) * 4 // 8000
    bold = happening(calibrate(scores, Calibration(0.5)))
    capped = happening(calibrate(np.clip(scores, -3, 0.6), Calibration()))
    assert calibrate_by_fold(scores, bold, fold).method == "platt"
    chosen = calibrate_by_fold(scores, capped, fold)
    assert chosen.method == "isotonic"
    assert chosen.losses["isotonic"] < chosen.losses["platt"]
    assert calibration_error(confidence_table(chosen.probabilities, capped)) < 0.03
    for before, after in chosen.calibration.curves:
        assert all(one < other for one, other in pairwise(before))
        assert all(one <= other for one, other in pairwise(after))


@given(st.lists(st.tuples(*[st.floats(-6, 6)] * 3), min_size=1, max_size=30))
def test_curved_probabilities_sum_to_one_and_do_not_depend_on_the_batch(rows: list[tuple[float, float, float]]) -> None:
    scores = np.array(rows)
    found = calibrate(scores, CURVED)
    assert np.allclose(found.sum(axis=1), 1)
    assert (found > 0).all()
    assert b"".join(calibrate(row[None, :], CURVED).tobytes() for row in scores) == found.tobytes()


def test_curves_are_in_the_file_and_give_the_same_there() -> None:
    """The exported graph and the scorer agree where a model has curves, on rows with holes too."""
    from dataclasses import replace

    from jobs.training.export_onnx import export_model
    from udfs.kernels.feature_vector import FEATURE_NAMES
    from udfs.scoring.onnx_model import INPUT_NAME, load_model, open_session

    metadata = replace(scorer().metadata, calibration_curves=CURVED.curves)
    data = export_model(scorer().trees, metadata)
    import hashlib

    curved = load_model(data, FEATURE_NAMES, hashlib.sha256(data).hexdigest())
    generator = np.random.default_rng(0)
    values = generator.normal(size=(300, len(FEATURE_NAMES))).astype(np.float32)
    values[generator.random(values.shape) < 0.2] = np.nan
    inputs = np.ascontiguousarray(values[:, curved.columns])
    exported = open_session(data).run(["probabilities"], {INPUT_NAME: inputs})[0]
    native = curved.score(values, ~np.isnan(values)).probabilities
    assert np.abs(exported - native).max() < 1e-5
    assert np.abs(native - scorer().score(values, ~np.isnan(values)).probabilities).max() > 0.01


@pytest.mark.parametrize(
    "curves",
    [
        (CURVE,),
        (CURVE, CURVE, ((0.1, 0.4), (0.1, 0.2))),
        (CURVE, CURVE, ((0.4, 0.1, 0.9), (0.1, 0.2, 0.3))),
        (CURVE, CURVE, ((0.1, 0.4, 0.9), (0.3, 0.2, 0.4))),
        (CURVE, CURVE, ((0.1, 0.4, 0.9), (0.0, 0.2, 0.4))),
    ],
)
def test_curves_that_are_none_are_refused(curves: object) -> None:
    entries = dict(write_metadata(scorer().metadata))
    import json

    entries["tickflow.calibration_curves"] = json.dumps(curves)
    with pytest.raises(ModelMismatch, match="curve"):
        read_metadata(entries)


def test_a_linear_part_of_another_shape_is_refused() -> None:
    import json

    entries = dict(write_metadata(scorer().metadata))
    entries["tickflow.linear"] = json.dumps([[1.0], [1.0], [1.0], [1.0]])
    with pytest.raises(ModelMismatch, match="linear part"):
        read_metadata(entries)


def test_everything_that_scores_is_in_the_file() -> None:
    """What the stream needs beside the graph is in the metadata of the same bytes."""
    entries = {entry.key: entry.value for entry in onnx.load_from_string(trained_model().data).metadata_props}
    assert read_metadata(entries) == scorer().metadata


def test_sigma_holds_ninety_per_cent_also_with_heavy_tails() -> None:
    generator = np.random.default_rng(0)
    log_sigma = generator.normal(size=20_000)
    log_return = 3e-4 * np.exp(log_sigma) * generator.standard_t(4, 20_000)
    levels = levels_of(np.zeros(20_000), log_sigma, log_return, blocks_in_time(np.arange(20_000), 2))
    off = np.abs(log_return) / np.exp(log_sigma + levels.log_sigma_offset)
    assert coverage(off)["0.9"] == pytest.approx(0.9, abs=0.001)


def test_returns_are_believed_as_far_as_they_hold() -> None:
    generator = np.random.default_rng(2)
    said = generator.normal(size=40_000)
    blocks = blocks_in_time(np.arange(40_000), 4)
    assert believed_slope(said, 0.5 * said + generator.normal(size=40_000), blocks) == pytest.approx(0.5, abs=0.03)
    assert believed_slope(said, -said, blocks) == 0
    assert believed_slope(0 * said, said, blocks) == 0
    noise = [believed_slope(said[:2000], np.random.default_rng(k).normal(size=2000), blocks_in_time(np.arange(2000), 4)) for k in range(20)]
    assert sum(slope == 0 for slope in noise) >= 12


def test_a_precision_that_is_asked_for_is_kept() -> None:
    generator = np.random.default_rng(4)
    probabilities = generator.dirichlet(np.ones(3) * 0.7, 30_000)
    classes = happening(probabilities)
    rows = directed(probabilities, classes, 1.0)
    for precision in (0.6, 0.7, 0.8):
        confidence = confidence_for(precision, rows)
        fresh = generator.dirichlet(np.ones(3) * 0.7, 30_000)
        again = directed(fresh, happening(fresh, 9), 1.0)
        reached = int((again.confidence >= confidence).sum())
        assert again.hits[reached - 1] / reached >= precision - 0.01
        assert reached > 1000
    assert confidence_for(0.9999, rows) == NEVER
    assert confidence_for(0.6, directed(probabilities[:10], classes[:10], 0.01)) == NEVER
    assert [entry["rows"] for entry in precision_table(rows)] == sorted((entry["rows"] for entry in precision_table(rows)), reverse=True)


def test_crps_is_least_for_the_truth() -> None:
    happened = np.random.default_rng(5).normal(1.0, 2.0, 50_000)
    ones = np.ones(50_000)
    truth = crps(ones, 2 * ones, happened)
    assert truth == pytest.approx(2 / np.sqrt(np.pi), rel=0.02)
    assert truth < min(crps(0 * ones, 2 * ones, happened), crps(ones, 1.5 * ones, happened), crps(ones, 3 * ones, happened))
