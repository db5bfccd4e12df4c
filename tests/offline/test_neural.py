"""The network: its windows, its exported graphs against plain numpy, and one trained, released and scored at a tiny size."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest

from infra.local.console import SetupError
from jobs.training.fit import TrainingSettings
from jobs.training.neural import fit_network
from jobs.training.neural.files import NO_TREES, gradient_text, network_file
from jobs.training.neural.network import HEADS, NetworkSettings, first_weights, forward
from jobs.training.neural.running import neural_python, run_program
from jobs.training.neural.windows import WINDOWS, layout_of, window_of
from jobs.training.train_model import TrainedModel, train_model
from tests.support.feature_rows import HORIZON, planted_dataset
from tests.support.trained_model import scorer as scorer_of_trees
from udfs.errors import ModelMismatch
from udfs.kernels.feature_vector import FEATURE_NAMES, MODEL_INPUTS, Feature
from udfs.records import Direction
from udfs.scoring.linear import contributions, distances
from udfs.scoring.model_metadata import ModelMetadata
from udfs.scoring.onnx_model import Scorer, load_model
from udfs.scoring.trees import encode_trees

SETTINGS = NetworkSettings(width=4, epochs=2, batch=256)
INPUTS = tuple(FEATURE_NAMES[place] for place in MODEL_INPUTS)
ROWS = planted_dataset(rows=120, seed=11).values[:, list(MODEL_INPUTS)]


@pytest.mark.parametrize(
    ("feature", "window"),
    [
        (Feature.IMBALANCE_5_LEVELS, "now"),
        (Feature.RETURN_1_SECOND, "1 s"),
        (Feature.RETURN_5_SECONDS, "10 s"),
        (Feature.CANCEL_RATIO_1_MINUTE, "1 min"),
        (Feature.VWAP_5_MINUTES_DEVIATION, "5 min"),
        (Feature.RSI_14, "15 min"),
        (Feature.MACD_LINE_RELATIVE, "30 min"),
        (Feature.FRACTIONAL_LOG_PRICE_RELATIVE, "1 h"),
        (Feature.REALISED_VOLATILITY_24_HOURS, "day"),
        (Feature.VWAP_SESSION_DEVIATION, "day"),
        (Feature.INDEX_RETURN_1_MINUTE, "market"),
        (Feature.SECONDS_TO_CLOSE, "calendar"),
        (Feature.NEWS_COUNT_1_HOUR, "news"),
        (Feature.HALTED, "quality"),
    ],
)
def test_the_feature_list_says_how_far_an_input_looks_back(feature: Feature, window: str) -> None:
    assert window_of(feature) == window


def test_each_input_stands_once_among_the_windows() -> None:
    windows, layout = layout_of(INPUTS)
    assert windows == WINDOWS
    assert sorted(layout[layout < len(INPUTS)]) == list(range(len(INPUTS)))
    few, _ = layout_of(INPUTS[:1])
    assert few == ("now",)


def drawn(seed: int = 3) -> tuple[dict[str, npt.NDArray[np.float32]], npt.NDArray[np.int64]]:
    """Weights that have learnt something, whatever it is."""
    _, layout = layout_of(INPUTS)
    generator = np.random.default_rng(seed)
    first = first_weights(layout.shape[0], layout.shape[1], SETTINGS, seed)
    return {name: np.asarray(value + generator.normal(0, 0.2, value.shape), np.float32) for name, value in first.items()}, layout


def metadata_of(weights: dict[str, npt.NDArray[np.float32]], layout: npt.NDArray[np.int64]) -> ModelMetadata:
    """As that of a model of trees whose inputs are all there, but for what says why."""
    trees = scorer_of_trees().metadata
    inputs = len(INPUTS)
    linear = (tuple(np.zeros(inputs)), tuple(np.ones(inputs)), tuple(np.linspace(-0.1, 0.1, 5 * inputs)), (0.0,) * 5)
    levels = ((-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0),) * inputs
    made = replace(trees, feature_names=INPUTS, linear=linear, quantiles=levels, trees=encode_trees(NO_TREES))
    return replace(made, gradient=gradient_text(weights, layout, made.linear_part))


def loaded(data: bytes) -> Scorer:
    return load_model(data, FEATURE_NAMES, hashlib.sha256(data).hexdigest())


def plain(weights: Any, layout: npt.NDArray[np.int64], away: npt.NDArray[np.float64], missing: npt.NDArray[np.bool_]) -> Any:
    exact = {name: value.astype(np.float64) for name, value in weights.items()}
    return forward(np, exact, layout, away, missing.astype(np.float64))


def test_the_exported_network_says_what_numpy_says_alone_and_in_a_batch() -> None:
    weights, layout = drawn()
    metadata = metadata_of(weights, layout)
    scorer = loaded(network_file(weights, layout, metadata))
    line = metadata.linear_part
    away = distances(line, ROWS)
    expected = plain(weights, layout, away, np.isnan(ROWS))[:, :5] + away @ line.weights.T + line.intercepts
    found = scorer.raw_scores(ROWS)
    assert found == pytest.approx(expected, abs=1e-5)
    assert np.ptp(found[:, 2]) > 0.1
    assert all(scorer.raw_scores(ROWS[row : row + 1]).tobytes() == found[row : row + 1].tobytes() for row in range(len(ROWS)))


def test_a_contribution_is_the_slope_times_the_distance() -> None:
    """Slopes by differences of the plain network; a missing input contributes nothing."""
    weights, layout = drawn()
    metadata = metadata_of(weights, layout)
    scorer, line = loaded(network_file(weights, layout, metadata)), metadata.linear_part
    row, step = ROWS[:1], 1e-5
    away, missing = distances(line, row), np.isnan(row)
    for output in range(3):
        found, bias = scorer.attribute(row[0], output)
        assert found.sum() + bias == pytest.approx(float(scorer.raw_scores(row)[0, output]), abs=1e-9)
        assert not found[missing[0]].any()
        steps = np.eye(len(INPUTS)) * step
        gone = np.repeat(missing, len(INPUTS), 0)
        there, back = (plain(weights, layout, away + sign * steps, gone)[:, output] for sign in (1, -1))
        expected = (there - back) / (2 * step) * away[0] + contributions(line, row[0], output)
        assert found == pytest.approx(expected, abs=1e-5)


def test_a_network_that_has_learnt_nothing_says_nothing() -> None:
    _, layout = layout_of(INPUTS)
    weights = first_weights(layout.shape[0], layout.shape[1], SETTINGS, 1)
    assert not plain(weights, layout, np.nan_to_num(ROWS).astype(np.float64), np.isnan(ROWS)).any()


@pytest.mark.parametrize("gradient", ["no base64!", "aGVsbG8="])
def test_a_damaged_graph_for_reasons_is_refused(gradient: str) -> None:
    weights, layout = drawn()
    with pytest.raises(ModelMismatch, match="reasons"):
        loaded(network_file(weights, layout, replace(metadata_of(weights, layout), gradient=gradient)))


def test_a_graph_for_reasons_of_another_model_is_refused() -> None:
    weights, layout = drawn()
    few, their_layout = INPUTS[:5], layout_of(INPUTS[:5])[1]
    theirs = first_weights(their_layout.shape[0], their_layout.shape[1], SETTINGS, 1)
    metadata = metadata_of(weights, layout)
    middle, spread, *_ = metadata.linear_part
    other = gradient_text(theirs, their_layout, metadata.linear_part._replace(middle=middle[: len(few)], spread=spread[: len(few)]))
    with pytest.raises(ModelMismatch, match="inputs"):
        loaded(network_file(weights, layout, replace(metadata, gradient=other)))


class Run(NamedTuple):
    """One training, and the job that it gave to the program."""

    model: TrainedModel
    job: dict[str, npt.NDArray[Any]]
    result: dict[str, npt.NDArray[Any]]


@pytest.fixture(scope="module")
def trained() -> Run:
    """A network of the planted relation. Skips where its environment cannot be made."""
    try:
        neural_python()
    except SetupError as error:
        pytest.skip(f"THE NETWORK IS NOT TESTED: its environment cannot be made: {error}")
    kept: list[Any] = []

    def watched(job: Any) -> Any:
        kept.append((job, run_program(job)))
        return kept[-1][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit_network, "run_program", watched)
        settings = TrainingSettings(horizon=HORIZON, folds=2, network=SETTINGS)
        model = train_model(planted_dataset(rows=2000), MODEL_INPUTS, settings)
    return Run(model, *kept[0])


@pytest.mark.timeout(900)
def test_a_trained_network_is_released_and_scores_like_any_model(trained: Run) -> None:
    card = trained.model.card
    assert card["library"] == "JAX"
    assert card["largest_difference_from_library"] <= 1e-5
    assert card["metrics"]["beats_prior"] is True
    assert len(card["calibration"]["log_loss_by_epoch"]) == SETTINGS.epochs + 1
    json.dumps(card)
    scorer, rows = load_model(trained.model.data, FEATURE_NAMES, trained.model.sha256), planted_dataset(rows=300, seed=8).values
    scores = scorer.score(rows, ~np.isnan(rows))
    assert scores.probabilities.sum(axis=1) == pytest.approx(np.ones(300))
    assert (scores.sigma > 0).all()
    row = rows[0].copy()
    row[Feature.IMBALANCE_5_LEVELS] = 0.99
    assert scorer.reasons(row, Direction.UP)[0].feature == "imbalance_5_levels"


def test_untrained_heads_say_nothing_and_trained_ones_do(trained: Run) -> None:
    assert trained.result["said_0_0"].shape[1] == len(HEADS)
    assert not trained.result["said_0_0"].any()
    assert trained.result[f"said_0_{SETTINGS.epochs}"].any()


def learning(trained: Run, devices: int) -> dict[str, npt.NDArray[Any]]:
    """The same rows once more, without a linear part and without folds: there is much to learn."""
    settings = json.loads(str(trained.job["settings"])) | {"learning_rate": 0.01, "devices": devices}
    nothing = {"folds": np.array(0), "base_0": np.zeros_like(trained.job["base_0"])}
    return run_program({**trained.job, **nothing, "settings": np.array(json.dumps(settings))})


@pytest.fixture(scope="module")
def alone(trained: Run) -> dict[str, npt.NDArray[Any]]:
    """Learnt by one device."""
    return learning(trained, 1)


@pytest.mark.timeout(900)
def test_the_same_job_gives_the_same_bits(trained: Run, alone: dict[str, npt.NDArray[Any]]) -> None:
    again = learning(trained, 1)
    assert again.keys() == alone.keys()
    assert all(again[name].tobytes() == value.tobytes() for name, value in alone.items())


@pytest.mark.timeout(900)
def test_two_devices_learn_as_one(trained: Run, alone: dict[str, npt.NDArray[Any]]) -> None:
    together = learning(trained, 2)
    assert (len(alone["devices"]), len(together["devices"])) == (1, 2)
    assert together["losses"] == pytest.approx(alone["losses"], rel=1e-3)
    first, last = np.array_split(alone["losses"], SETTINGS.epochs)
    assert last.mean() < first.mean() - 0.05
