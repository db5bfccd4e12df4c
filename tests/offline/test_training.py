"""Training finds a relation that is there, claims none that is not, and writes a file that scores as LightGBM does."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from jobs.training.dataset import Dataset, NotEnoughData
from jobs.training.fit import FittedModel, Learner, TrainingPart, TrainingSettings, predict
from jobs.training.flatten_trees import flatten, round_down
from jobs.training.labels import Labels, NeutralBand, classes_of, forward_returns
from jobs.training.measures import Happened, Prediction, rank_correlation
from jobs.training.metrics import Metrics, evaluate
from jobs.training.release_gate import check_release, golden_rows
from jobs.training.train_model import train_model
from tests.support.feature_rows import HORIZON, SECOND, planted_dataset
from tests.support.trained_model import SETTINGS, scorer, trained_model
from udfs.errors import ModelMismatch
from udfs.kernels.feature_vector import FEATURE_NAMES, MODEL_INPUTS, Feature
from udfs.scoring.calibration import Calibration
from udfs.scoring.linear import contributions
from udfs.scoring.onnx_model import Scores, load_model
from udfs.scoring.trees import attribute


def test_a_planted_relation_is_found() -> None:
    """Out of sample: better than the class shares beyond doubt, and the planted feature is the one that matters."""
    metrics, card = trained_model().metrics, trained_model().card
    assert metrics.beats_prior
    assert metrics.skill > 0.1
    assert metrics.hit_rate > metrics.prior_hit_rate + 0.1
    assert metrics.rank_information_coefficient_interval[0] > 0.2
    assert metrics.direction_skill_interval[0] > 0
    assert trained_model().objections == ()
    assert next(iter(card["importance"])) == "imbalance_5_levels"
    assert 0.6 < metrics.coverage_68 < 0.84  # one symbol moves twice as much and no input tells which
    assert 0.9 < metrics.coverage_95 < 0.98


def test_no_relation_is_not_claimed() -> None:
    """Never as better than the class shares; of intervals of 95 %, one in forty lies above 0 by chance, so never two of three."""
    metrics = [train_model(planted_dataset(4000, strength=0.0, seed=seed), MODEL_INPUTS, SETTINGS).metrics for seed in range(1, 4)]
    assert not any(found.beats_prior for found in metrics)
    assert all(found.skill < 0.02 for found in metrics)
    assert sum(found.rank_information_coefficient_interval[0] > 0 for found in metrics) <= 1


def test_the_same_rows_give_the_same_bytes() -> None:
    again = train_model(planted_dataset(), MODEL_INPUTS, SETTINGS)
    assert again.data == trained_model().data
    assert again.version == trained_model().version


def test_other_rows_give_another_version() -> None:
    dataset = planted_dataset()
    bent = dataset.price * np.linspace(1, 1.0001, dataset.price.shape[0])
    other = train_model(dataset._replace(price=bent), MODEL_INPUTS, dataclasses.replace(SETTINGS, rounds=4, folds=2))
    assert other.version != trained_model().version


def test_the_card_is_json_and_says_where_the_model_comes_from() -> None:
    card = json.loads(json.dumps(trained_model().card))
    assert card["sha256"] == trained_model().sha256
    assert card["training_range"] == [card["parts"]["train"]["from"], card["parts"]["train"]["to"]]
    assert card["largest_difference_from_library"] <= 1e-5
    assert "realised_volatility_24_hours" not in card["feature_names"]
    assert all(0.25 < share < 0.42 for share in card["parts"]["train"]["class_shares"].values())


def test_an_outcome_that_says_its_side_is_classed_by_it() -> None:
    """By the barrier that was met, however small the return; where there is no side, by the return."""
    returns = np.array([1e-9, -1e-9, 0.5, 0.5, -0.5])
    labels = Labels(np.arange(5), np.arange(5), np.arange(5) + 1, returns, np.array([1.0, -1.0, 0.0, np.nan, np.nan]))
    assert classes_of(NeutralBand(1.0, np.array([0.1])), np.zeros(5, np.int32), labels).tolist() == [2, 0, 1, 2, 0]


def test_a_model_learns_the_sides_that_it_is_given() -> None:
    dataset = planted_dataset()
    labels = forward_returns(dataset, HORIZON, HORIZON // 5)
    sides = labels._replace(side=np.where(np.arange(labels.rows.size) % 10 < 8, 0.0, np.sign(labels.log_return)))
    shares = train_model(dataset, MODEL_INPUTS, dataclasses.replace(SETTINGS, rounds=4, folds=2), sides).card["parts"]["train"][
        "class_shares"
    ]
    assert shares["neutral"] == pytest.approx(0.8, abs=0.01)


def small_part(missing: float, rows: int = 800) -> TrainingPart:
    generator = np.random.default_rng(4)
    inputs = generator.normal(size=(rows, 6)).astype(np.float32)
    inputs[generator.random(inputs.shape) < missing] = np.nan
    log_return = np.nan_to_num(inputs[:, 0]) * 1e-3 + generator.normal(size=rows) * 1e-3
    classes = np.digitize(log_return, [-5e-4, 5e-4]).astype(np.int64)
    return TrainingPart(inputs, classes, log_return, np.ones(rows))


def small_learner(missing: float, rounds: int) -> Learner:
    folds = [(np.arange(600), np.arange(600, 800))]
    return Learner(small_part(missing), TrainingSettings(rounds=rounds), folds)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_attributions_add_up_to_lightgbms_raw_score(missing: float) -> None:
    """Also where training knew no missing values and a row has some."""
    fitted = small_learner(missing, 15).fit()
    trees = flatten(fitted.parts)
    rows = golden_rows(small_part(0.3).inputs, 40)
    for row, expected in zip(rows, predict(fitted, rows), strict=True):
        for output in range(5):
            by_trees, bias = attribute(trees, row, output)
            found = by_trees.sum() + bias + contributions(fitted.linear, row, output).sum() + fitted.linear.intercepts[output]
            assert found == pytest.approx(expected[output], rel=0, abs=1e-9)


def test_a_straight_line_is_learnt_by_the_linear_part_and_a_step_by_the_trees() -> None:
    """Without trees a linear relation is found already; the trees add what no line can say."""
    part = small_part(0.0, 4000)
    step = np.where(np.abs(part.inputs[:, 1]) > 1, 2e-3, -1e-3)
    folds = [(np.arange(3000), np.arange(3000, 4000))]
    fitted = Learner(part._replace(log_return=part.log_return + step), TrainingSettings(rounds=60), folds).fit()
    lines = part.inputs.astype(np.float64) @ fitted.linear.weights[3]
    assert abs(rank_correlation(lines, part.inputs[:, 0].astype(np.float64))) > 0.95
    left_over = predict(fitted, part.inputs)[:, 3] - lines
    assert rank_correlation(left_over, step) > 0.6


def test_the_gate_refuses_a_file_that_scores_otherwise() -> None:
    """The released file of one model is held against another model's boosters."""
    dataset = planted_dataset()
    inputs = np.ascontiguousarray(dataset.values[:, scorer().columns])
    classes = np.random.default_rng(0).integers(0, 3, len(inputs))
    part = TrainingPart(inputs, classes, np.random.default_rng(1).normal(size=len(inputs)), np.ones(len(inputs)))
    stranger = Learner(part, TrainingSettings(rounds=2), [(np.arange(5000), np.arange(5000, 8000))]).fit()
    with pytest.raises(ModelMismatch, match="not released"):
        check_release(FittedModel(stranger, Calibration()), scorer(), trained_model().data, golden_rows(inputs))


def test_the_gate_sees_a_wrong_branch_for_missing_values() -> None:
    fitted = small_learner(0.3, 10).fit()
    rows = golden_rows(small_part(0.3).inputs, 50)
    trees = flatten(fitted.parts)
    flipped = trees._replace(missing_left=~trees.missing_left)
    found = [[attribute(one, row, 2)[0].sum() for one in (trees, flipped)] for row in rows]
    assert max(abs(right - wrong) for right, wrong in found) > 1e-3


@pytest.mark.parametrize("threshold", [0.1, -0.1, 1 / 3, 1e-40, -1e-40, 1e300, 16_777_217.0, 0.5])
def test_rounded_thresholds_decide_as_before(threshold: float) -> None:
    """Law: for every float32 near the threshold, `x <= rounded` is `x <= threshold`."""
    rounded = round_down(threshold)
    near = np.float32(rounded)
    for x in (near, np.nextafter(near, np.float32(1)), np.nextafter(near, np.float32(-np.inf)), np.float32(0)):
        if math.isfinite(x):  # beyond the largest float32 there is nothing to decide
            assert (float(x) <= rounded) == (float(x) <= threshold)


def broken(**change: object) -> Dataset:
    return planted_dataset(rows=4000)._replace(**change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dataset", "settings", "says"),
    [
        (broken(price=np.full(4000, 100.0)), SETTINGS, "never moves"),
        (broken(price=np.full(4000, np.nan)), SETTINGS, "no row has an outcome"),
        (broken(values=np.full((4000, len(FEATURE_NAMES)), np.nan, np.float32)), SETTINGS, "missing in every"),
        (broken(price=100 * np.exp(np.arange(4000) * 1e-5)), SETTINGS, "down"),
        (planted_dataset(rows=200), SETTINGS, "too few rows"),
        (planted_dataset(rows=4000), TrainingSettings(horizon=400 * SECOND), "no row has an outcome"),
        (planted_dataset(rows=4000), TrainingSettings(horizon=60 * SECOND), "too few rows"),
    ],
)
def test_data_that_no_model_can_come_from_is_refused(dataset: Dataset, settings: TrainingSettings, says: str) -> None:
    with pytest.raises(NotEnoughData, match=says):
        train_model(dataset, MODEL_INPUTS, settings)


def test_many_rows_are_thinned_evenly() -> None:
    card = train_model(planted_dataset(), MODEL_INPUTS, dataclasses.replace(SETTINGS, maximum_rows=2500)).card
    rows = sum(part["rows"] for part in card["parts"].values())
    assert 1900 < rows <= 2500
    assert abs(card["parts"]["train"]["from"] - trained_model().card["parts"]["train"]["from"]) < HORIZON


def test_the_exported_model_knows_its_inputs_ranges() -> None:
    model = trained_model()
    metadata = load_model(model.data, FEATURE_NAMES, model.sha256).metadata
    low, *_, high = metadata.quantiles[metadata.feature_names.index(Feature.RSI_14.name.lower())]
    assert low == pytest.approx(-2.33, abs=0.2)
    assert high == pytest.approx(2.33, abs=0.2)


def measured(probabilities: np.ndarray, expected: np.ndarray, classes: np.ndarray, horizon: int) -> Metrics:
    rows = classes.shape[0]
    happened = Happened(classes, np.asarray((classes - 1) * 1e-3, np.float64))
    scores = Scores(probabilities, expected, np.full(rows, 1e-3), np.ones(rows), np.zeros(rows))
    prior = Prediction(np.full((rows, 3), 1 / 3), np.zeros(rows))
    return evaluate(scores, happened, np.arange(rows) * SECOND, horizon, {"prior": prior}, np.full(rows, 1e-3))[0]


def test_perfect_and_ignorant_scores_measure_as_such() -> None:
    classes = np.random.default_rng(2).integers(0, 3, 300)
    sure = np.where(np.arange(3) == classes[:, None], 0.98, 0.01)
    perfect = measured(sure, np.asarray((classes - 1) * 1e-3, np.float64), classes, 10 * SECOND)
    ignorant = measured(np.full((300, 3), 1 / 3), np.zeros(300), classes, SECOND)
    assert (perfect.hit_rate, perfect.blocks, perfect.pr_auc) == (1.0, 15, 1.0)
    assert perfect.information_coefficient == pytest.approx(1)
    assert perfect.rank_information_coefficient == pytest.approx(1)
    assert perfect.beats_prior
    assert ignorant.skill == pytest.approx(0, abs=1e-12)
    assert (ignorant.direction_skill, ignorant.information_coefficient) == (pytest.approx(0, abs=1e-12), 0.0)
    assert ignorant.pr_auc == pytest.approx(ignorant.prior_pr_auc)
    assert not ignorant.beats_prior


def test_rank_correlation_shares_ranks_and_ignores_scale() -> None:
    one, other = np.array([1.0, 2, 2, 3, 9]), np.array([10.0, 30, 20, 40, 5])
    assert rank_correlation(one, np.exp(one, dtype=np.float64)) == pytest.approx(1)
    assert rank_correlation(one, -one) == pytest.approx(-1)
    assert rank_correlation(one, other) == rank_correlation(one * 7.0, other)
    assert rank_correlation(one, np.ones(5)) == 0
