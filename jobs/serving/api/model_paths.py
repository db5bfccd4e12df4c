"""What is stored of models: the names that they bear, whether they may be believed, and what they look at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Response
from pydantic import Field
from starlette.requests import Request

from jobs.model_aliases import aliases_of
from jobs.model_store import ModelStore, read_card, store_of
from jobs.serving.api.access import Asker, HistoryReader, parts_of
from jobs.serving.api.parts import Parts, as_json
from jobs.serving.api.problems import documented
from jobs.serving.api.schemas import Body, Status
from udfs.errors import TickflowError

router = APIRouter(prefix="/v1", tags=["models"])
MOST_CARDS: Final = 10
MOST_INPUTS: Final = 20


class Reliability(Body):
    """A tenth of the test rows, by what was claimed of them."""

    claimed: float
    happened: float
    rows: int


class ModelCard(Body):
    """A stored model."""

    model_version: str
    aliases: list[str] = Field(description="champion, challenger-…")
    sha256: str
    objections: list[str] = Field(description="of the release gate; empty when it let the model pass")
    calibration_method: str
    calibration_error: float | None
    coverage_90: float | None = Field(description="share of test rows within the middle 90 % of what was expected")
    log_loss: float | None
    class_shares_log_loss: float | None = Field(description="of always saying how often each direction happens")
    reliability: list[Reliability]
    importance: dict[str, float] = Field(description="share of the gain of direction, the greatest first")


class ModelCards(Body):
    """Newest first."""

    status: str = Field(pattern="^(live|fallback)$")
    why: str
    cards: list[ModelCard]


class FeatureDrift(Body):
    """How far one input is from what it was in training, and from where on that is beyond doubt."""

    feature: str
    psi: float
    psi_threshold: float
    distance: float = Field(description="Kolmogorov-Smirnov")
    distance_threshold: float
    alarm: bool


class Drift(Body):
    """The furthest beyond its threshold first."""

    status: Status
    why: str = Field(description="what kept it from being measured")
    model: str
    drifted: bool
    features: list[FeatureDrift]


@router.get("/models/drift", response_model=Drift, responses=documented(503))
async def drift(request: Request, caller: Asker) -> Response:
    """Whether stored rows since its training still are what the champion was trained on; measured at most every ten minutes."""
    parts: Parts = parts_of(request)
    return as_json(await parts.explainer.drift())


@router.get("/models/cards", response_model=ModelCards, responses=documented())
def cards(request: Request, caller: HistoryReader) -> Response:
    """The newest models of the store, and those that bear a name."""
    parts: Parts = parts_of(request)
    try:
        found = _cards(store_of(parts.lake))
    except (TickflowError, OSError, ValueError, KeyError) as error:
        return as_json({"status": "fallback", "why": f"the model store cannot be read ({type(error).__name__})", "cards": []})
    return as_json({"status": "live", "why": "", "cards": found})


def _cards(store: ModelStore) -> list[dict[str, Any]]:
    bearers: dict[str, list[str]] = {}
    for alias, version in aliases_of(store).current().items():
        bearers.setdefault(version, []).append(alias)
    versions = store.versions()
    shown = [version for version in reversed(versions) if version in bearers or version in versions[-MOST_CARDS:]]
    found = [(version, read_card(store, version)) for version in shown]
    return [_card(version, card, bearers.get(version, [])) for version, card in found if "reliability" in card]  # models of news have none


def _card(version: str, card: Mapping[str, Any], aliases: list[str]) -> dict[str, Any]:
    metrics = card["metrics"]
    importance = sorted(card["importance"].items(), key=lambda pair: -pair[1])[:MOST_INPUTS]
    return {
        "model_version": version,
        "aliases": sorted(aliases),
        "sha256": card["sha256"],
        "objections": list(card["gate"]["objections"]),
        "calibration_method": card["calibration"]["method"],
        "calibration_error": metrics["calibration_error"],
        "coverage_90": metrics["coverage_90"],
        "log_loss": metrics["log_loss"],
        "class_shares_log_loss": metrics["prior_log_loss"],
        "reliability": [{name: group[name] for name in ("claimed", "happened", "rows")} for group in card["reliability"]],
        "importance": dict(importance),
    }
