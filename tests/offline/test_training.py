"""Training finds a relation that is there, claims none that is not, and writes a file that scores as LightGBM does."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest

from jobs.training.dataset import Dataset, NotEnoughData
from jobs.training.fit import TrainingPart, TrainingSettings, fit, predict
from jobs.training.flatten_trees import flatten, round_down
from jobs.training.labels import Labels, NeutralBand, classes_of, forward_returns
from jobs.training.metrics import evaluate, rank_correlation
from jobs.training.release_gate import check_release, golden_rows
from jobs.training.train_model import train_model
from tests.support.feature_rows import HORIZON, SECOND, planted_dataset
from tests.support.trained_model import SETTINGS, scorer, trained_model
from udfs.errors import ModelMismatch
from udfs.kernels.feature_vector import FEATURE_NAMES, MODEL_INPUTS, Feature
from udfs.scoring.onnx_model import Scores, load_model
from udfs.scoring.trees import attribute


def test_a_planted_relation_is_found() -> None:
    """Out of sample: better than the class shares beyond doubt, and the planted feature is the one that matters."""
    metrics, card = trained_model().metrics, trained_model().card
    assert metrics.beats_prior
    assert metrics.skill > 0.1
    assert metrics.hit_rate > metrics.prior_hit_rate + 0.1
    assert metrics.information_coefficient_interval[0] > 0.2
    assert next(iter(card["importance"])) == "imbalance_5_levels"
    assert 0.6 < metrics.coverage_68 < 0.84  # one symbol moves twice as much and no input tells which: 0.73 at best, in such a mixture
    assert 0.9 < metrics.coverage_95 < 0.98


def test_no_relation_is_not_claimed() -> None:
    """Never as better than the class shares; of intervals of 95 %, one in forty lies above 0 by chance, so never three of twelve."""
    metrics = [train_model(planted_dataset(strength=0.0, seed=seed), MODEL_INPUTS, SETTINGS).metrics for seed in range(1, 13)]
    assert not any(found.beats_prior for found in metrics)
    assert all(found.skill < 0.02 for found in metrics)
    assert sum(found.information_coefficient_interval[0] > 0 for found in metrics) <= 2


def test_the_same_rows_give_the_same_bytes() -> None:
    again = train_model(planted_dataset(), MODEL_INPUTS, SETTINGS)
    assert again.data == trained_model().data
    assert again.version == trained_model().version


def test_other_rows_give_another_version() -> None:
    dataset = planted_dataset()
    other = train_model(dataset._replace(price=dataset.price * np.linspace(1, 1.0001, dataset.price.shape[0])), MODEL_INPUTS, SETTINGS)
    assert other.version != trained_model().version


def test_the_card_is_json_and_says_where_the_model_comes_from() -> None:
    card = json.loads(json.dumps(trained_model().card))
    assert card["sha256"] == trained_model().sha256
    assert card["training_range"] == [card["parts"]["train"]["from"], card["parts"]["train"]["to"]]
    assert card["largest_difference_from_lightgbm"] <= 1e-5
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
    shares = train_model(dataset, MODEL_INPUTS, SETTINGS, sides).card["parts"]["train"]["class_shares"]
    assert shares["neutral"] == pytest.approx(0.8, abs=0.01)


def small_parts(missing: float) -> tuple[TrainingPart, TrainingPart]:
    generator = np.random.default_rng(4)
    inputs = generator.normal(size=(1200, 6)).astype(np.float32)
    inputs[generator.random(inputs.shape) < missing] = np.nan
    log_return = np.nan_to_num(inputs[:, 0]) * 1e-3 + generator.normal(size=1200) * 1e-3
    classes = np.digitize(log_return, [-5e-4, 5e-4]).astype(np.int64)
    return tuple(TrainingPart(inputs[half], classes[half], log_return[half]) for half in (slice(0, 800), slice(800, 1200)))  # type: ignore[return-value]


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_attributions_add_up_to_lightgbms_raw_score(missing: float) -> None:
    """Also where training knew no missing values and a row has some."""
    model = fit(*small_parts(missing), TrainingSettings(rounds=15))
    trees = flatten(model.parts)
    rows = golden_rows(small_parts(0.3)[1].inputs, 40)
    native = np.column_stack([predict(part, rows) for part in model.parts])
    for row, expected in zip(rows, native, strict=True):
        found = [attribute(trees, row, output) for output in range(5)]
        assert np.allclose([contributions.sum() + bias for contributions, bias in found], expected, rtol=0, atol=1e-9)


def test_the_gate_refuses_a_file_that_scores_otherwise() -> None:
    """The released file of one model is held against another model's boosters."""
    dataset = planted_dataset()
    inputs = np.ascontiguousarray(dataset.values[:, scorer().columns])
    classes = np.random.default_rng(0).integers(0, 3, len(inputs))
    part = TrainingPart(inputs, classes, np.random.default_rng(1).normal(size=len(inputs)))
    stranger = fit(part, part, TrainingSettings(rounds=2))
    with pytest.raises(ModelMismatch, match="not released"):
        check_release(stranger, scorer(), trained_model().data, golden_rows(inputs))


def test_the_gate_sees_a_wrong_branch_for_missing_values() -> None:
    train, held_out = small_parts(0.3)
    model = fit(train, held_out, TrainingSettings(rounds=10))
    rows = golden_rows(train.inputs, 50)
    trees = flatten(model.parts)
    flipped = trees._replace(missing_left=~trees.missing_left)
    native = predict(model.parts[0], rows)[:, 2]
    found = [attribute(flipped, row, 2) for row in rows]
    differences = [abs(contributions.sum() + bias - expected) for (contributions, bias), expected in zip(found, native, strict=True)]
    assert max(differences) > 1e-3


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


def test_perfect_and_ignorant_scores_measure_as_such() -> None:
    generator = np.random.default_rng(2)
    classes = generator.integers(0, 3, 300)
    log_return, start = np.asarray((classes - 1) * 1e-3, np.float64), np.arange(300) * SECOND
    priors = np.full((2, 3), 1 / 3)
    sure = np.where(np.arange(3) == classes[:, None], 0.98, 0.01)
    perfect = evaluate(
        Scores(sure, log_return, np.full(300, 1e-3), np.ones(300), np.zeros(300)), classes, log_return, start, 10 * SECOND, priors
    )
    ignorant = evaluate(
        Scores(np.full((300, 3), 1 / 3), 0 * log_return, np.full(300, 1e-3), np.ones(300), np.zeros(300)),
        classes,
        log_return,
        start,
        SECOND,
        priors,
    )
    assert (perfect.hit_rate, perfect.blocks) == (1.0, 15)
    assert perfect.information_coefficient == pytest.approx(1)
    assert perfect.beats_prior
    assert (ignorant.skill, ignorant.information_coefficient) == (0.0, 0.0)
    assert not ignorant.beats_prior


def test_rank_correlation_shares_ranks_and_ignores_scale() -> None:
    one, other = np.array([1.0, 2, 2, 3, 9]), np.array([10.0, 30, 20, 40, 5])
    assert rank_correlation(one, np.exp(one, dtype=np.float64)) == pytest.approx(1)
    assert rank_correlation(one, -one) == pytest.approx(-1)
    assert rank_correlation(one, other) == rank_correlation(one * 7.0, other)
    assert rank_correlation(one, np.ones(5)) == 0


def test_a_shrunk_return_stays_within_what_it_is_worth() -> None:
    model = fit(*small_parts(0.1), TrainingSettings(rounds=15))
    assert 0 <= model.parts[1].scale <= small_parts(0.1)[0].log_return.std()
