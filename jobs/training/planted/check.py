"""`infra/tickflow train --check planted`: what was planted is found, what was not is not, and nothing that peeks gets through.

All markets go through the same training, validation and gate as the lake's rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.model_selection import KFold

from jobs.training.fit import TrainingSettings
from jobs.training.labels import Labels, classes_of, forward_returns
from jobs.training.measures import correlation, ranked
from jobs.training.planted.market import PlantedMarket, PlantedSettings, planted_market
from jobs.training.prepare import MakeSplitter
from jobs.training.reliability import calibration_error, reliability
from jobs.training.train_model import TrainedModel, train_model
from jobs.training.validation.spans import LeakingSplit, Places
from jobs.training.validation.splitters import PurgedKFold, SpanSplitter
from udfs.kernels.feature_vector import MODEL_INPUTS
from udfs.scoring.onnx_model import load_model

RECOVERED_AT_LEAST = 0.8
CALIBRATION_ERROR_AT_MOST = 0.02
COVERAGE_90 = (0.88, 0.92)
SHARE_COVERING_ZERO = 0.95


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """How much is tried."""

    market: PlantedSettings = field(default_factory=PlantedSettings)
    seeds: int = 5
    """Markets with something planted."""
    null_seeds: int = 20
    """Markets without."""
    null_steps: int = 800
    """Rows of each symbol in those."""


Say = Callable[[str], None]


def check_planted(settings: CheckSettings, say: Say) -> dict[str, Any]:
    """The check as JSON values; `holds` says whether all of it held."""
    planted = [_planted(replace(settings.market, seed=seed), say) for seed in range(1, settings.seeds + 1)]
    nothing = replace(settings.market, strength=0.0, steps=settings.null_steps)
    null = [_null(replace(nothing, seed=100 + seed), say) for seed in range(settings.null_seeds)]
    shuffled = _null(replace(settings.market, steps=settings.null_steps, seed=200), say, shuffle=True)
    rows = sum(one["test_rows"] for one in planted)
    claimed, came_true = (np.concatenate([one.pop(name) for one in planted]) for name in ("claimed", "came_true"))
    result = {
        "recovered_share": _share(planted, "information_coefficient"),
        "recovered_rank_share": _share(planted, "rank_information_coefficient"),
        "planted_released": sum(one["released"] for one in planted),
        "calibration_error": calibration_error(reliability(claimed, came_true)),
        "coverage_90": sum(one["coverage_90"] * one["test_rows"] for one in planted) / rows,
        "null_seeds": len(null),
        "null_covering_zero": sum(one["covers_zero"] for one in null),
        "null_released": sum(one["released"] for one in null),
        "shuffled": shuffled,
        "leaking_splitter": leaking_splitter_detected(replace(nothing, steps=200)),
        "planted": planted,
        "null": null,
    }
    return result | {"failed": _failed(result), "holds": not _failed(result)}


def _failed(result: dict[str, Any]) -> list[str]:
    """What did not hold."""
    held = {
        "recovered_share": min(one["recovered_share"] for one in result["planted"]) >= RECOVERED_AT_LEAST,
        "recovered_rank_share": result["recovered_rank_share"] >= RECOVERED_AT_LEAST,
        "planted_released": result["planted_released"] == len(result["planted"]),
        "calibration_error": result["calibration_error"] <= CALIBRATION_ERROR_AT_MOST,
        "coverage_90": COVERAGE_90[0] <= result["coverage_90"] <= COVERAGE_90[1],
        "null_covering_zero": result["null_covering_zero"] >= SHARE_COVERING_ZERO * result["null_seeds"],
        "null_released": result["null_released"] == 0,
        "shuffled": result["shuffled"]["covers_zero"] and not result["shuffled"]["released"],
        "leaking_splitter": result["leaking_splitter"]["detected"],
    }
    return [name for name, holds in held.items() if not holds]


def _share(planted: list[dict[str, Any]], name: str) -> float:
    """The model's correlation as a share of the oracle's, over all seeds together."""
    return float(sum(one[name] for one in planted) / sum(one[f"oracle_{name}"] for one in planted))


def _train(market: PlantedMarket, settings: PlantedSettings, labels: Labels, splitter: MakeSplitter = PurgedKFold) -> TrainedModel:
    training = TrainingSettings(horizon=settings.horizon)
    return train_model(market.dataset, MODEL_INPUTS, training, labels, splitter)


def _labels(market: PlantedMarket, settings: PlantedSettings) -> Labels:
    return forward_returns(market.dataset, settings.horizon, TrainingSettings(horizon=settings.horizon).label_tolerance)


def _planted(settings: PlantedSettings, say: Say) -> dict[str, Any]:
    """What of one market's planted returns was found on its test rows."""
    market = planted_market(settings)
    labels = _labels(market, settings)
    trained = _train(market, settings, labels)
    tested = labels.take(labels.start >= trained.card["parts"]["test"]["from"])
    values = market.dataset.values[tested.rows]
    scores = load_model(trained.data, market.dataset.feature_names, trained.sha256).score(values, ~np.isnan(values))
    said = scores.probabilities.argmax(axis=1)
    found = {
        "seed": settings.seed,
        "test_rows": int(tested.rows.shape[0]),
        **_correlations("oracle_", market.oracle[tested.rows], tested.log_return),
        **_correlations("", scores.expected_return, tested.log_return),
        "claimed": scores.probabilities.max(axis=1),
        "came_true": said == classes_of(trained.band, market.dataset.symbol[tested.rows], tested),
        "calibration_error": trained.metrics.calibration_error,
        "coverage_90": trained.metrics.coverage_90,
        "released": not trained.objections,
        "objections": list(trained.objections),
    }
    found["recovered_share"] = found["information_coefficient"] / found["oracle_information_coefficient"]
    say(f"planted, seed {settings.seed}: {found['recovered_share']:.2f} of the oracle's IC {found['oracle_information_coefficient']:.3f}")
    return found


def _correlations(prefix: str, said: Any, happened: Any) -> dict[str, float]:
    ones = np.ones(said.shape[0])
    return {
        f"{prefix}information_coefficient": correlation(said, happened)(ones),
        f"{prefix}rank_information_coefficient": correlation(ranked(said), ranked(happened))(ones),
    }


def _null(settings: PlantedSettings, say: Say, shuffle: bool = False) -> dict[str, Any]:
    """What is claimed of a market without anything to find, or whose outcomes were dealt out anew."""
    market = planted_market(settings)
    labels = _labels(market, settings)
    trained = _train(market, settings, shuffled(labels, settings.seed) if shuffle else labels)
    low, high = trained.metrics.information_coefficient_interval
    rank_low, rank_high = trained.metrics.rank_information_coefficient_interval
    covers = low <= 0 <= high and rank_low <= 0 <= rank_high
    say(f"{'shuffled' if shuffle else 'nothing planted'}, seed {settings.seed}: IC {trained.metrics.information_coefficient:+.3f}")
    return {
        "seed": settings.seed,
        "information_coefficient": trained.metrics.information_coefficient,
        "information_coefficient_interval": [low, high],
        "covers_zero": bool(covers),
        "released": not trained.objections,
    }


def shuffled(labels: Labels, seed: int) -> Labels:
    """The outcomes dealt out anew over all rows; the spans stay."""
    order = np.random.default_rng(seed).permutation(labels.rows.shape[0])
    return labels._replace(log_return=labels.log_return[order], side=labels.side[order])


class PeekingKFold(SpanSplitter):
    """Folds of rows drawn at random, as for rows that have nothing to do with each other: the deliberate mistake."""

    def _pairs(self) -> Any:
        everything: Places = np.arange(self.spans.rows)
        yield from KFold(self.n_splits, shuffle=True, random_state=1).split(everything)


def leaking_splitter_detected(settings: PlantedSettings) -> dict[str, Any]:
    """Whether training refuses folds that leak."""
    market = planted_market(settings)
    try:
        _train(market, settings, _labels(market, settings), PeekingKFold)
    except LeakingSplit as error:
        return {"detected": True, "said": str(error)}
    return {"detected": False, "said": ""}
