"""One look at all challengers: score what is new, join what has landed, weigh it."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from pyiceberg.catalog import Catalog

from jobs.lake.tables import NAMESPACE
from jobs.model_store import MODEL_FILE, ModelStore, read_card
from jobs.shadow.evidence import Pairs, evidence_of
from jobs.shadow.interleaving import Interleaved, interleaved
from jobs.shadow.outcomes import Asked, pairs_of
from jobs.shadow.rules import Judged, RuleSettings, judge
from jobs.shadow.scoring import score_new_rows
from jobs.shadow.standing import Held, Standing
from udfs.errors import ModelMismatch, TickflowError
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.records import ModelReference
from udfs.scoring.onnx_model import Scorer, load_model


class Look(NamedTuple):
    """What one look found."""

    champion: ModelReference
    judged: tuple[Judged, ...]
    scored: dict[str, int]
    """Alias -> rows that it scored in this look."""
    refused: dict[str, str]
    """Alias -> why its model cannot be used. The champion stays, and so do the others."""
    movers: dict[str, Interleaved]
    """Alias -> which of the two finds the symbols that move."""

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        judged = [
            one.as_json() | {"scored_now": self.scored[one.alias], "top_movers": self.movers[one.alias]._asdict()} for one in self.judged
        ]
        return {"champion": self.champion.version, "challengers": judged, "refused": self.refused}


def look(catalog: Catalog, store: ModelStore, standing: Standing, settings: RuleSettings) -> Look:
    """Score and judge every challenger. Raises ModelMismatch without a champion, or for one of an older version of `train`."""
    champion = standing.champion
    if champion is None:
        raise ModelMismatch("no model is in force: there is nothing to challenge; `infra/tickflow train --release` puts one into force")
    card = card_of(store, champion.model)
    judged, scored, refused, movers = list[Judged](), dict[str, int](), dict[str, str](), dict[str, Interleaved]()
    for alias, held in sorted(standing.challengers.items()):
        try:
            scorer = _scorer(store, held.model)
            scored[alias] = score_new_rows(catalog, NAMESPACE, alias, held, scorer)
            against = against_promotion(card, card_of(store, held.model))
            asked = Asked.of_card(card)
            pairs = _pairs(catalog, champion, held, asked)
            evidence = evidence_of(pairs, asked.label.horizon, asked.label.tolerance)
            movers[alias] = interleaved(pairs, asked.label.horizon)
        except TickflowError as error:
            refused[alias] = str(error)
            continue
        judged.append(judge(alias, held, evidence, standing.tried, against, settings))
    return Look(champion.model, tuple(judged), scored, refused, movers)


def card_of(store: ModelStore, model: ModelReference) -> dict[str, Any]:
    """A model's card. Raises SourceError, and ModelMismatch for one that is of another model."""
    try:
        card = read_card(store, model.version)
    except ValueError as error:
        raise ModelMismatch(f"the card of {model.version} is no JSON: {error}") from error
    if not isinstance(card, dict) or card.get("sha256") != model.sha256:
        raise ModelMismatch(f"the card of {model.version} is of another model than {model.sha256}")
    return card


def reference_of(store: ModelStore, version: str) -> ModelReference:
    """A stored model, as the control log names it. Raises SourceError, and ModelMismatch where there is none."""
    if version not in store.versions():
        raise ModelMismatch(f"there is no model {version}; stored are {', '.join(store.versions()) or 'none'}")
    return ModelReference(version, store.uri(version), hashlib.sha256(store.read(version, MODEL_FILE)).hexdigest())


def against_promotion(champion: dict[str, Any], challenger: dict[str, Any]) -> list[str]:
    """What of the challenger's card forbids it to be champion, whatever its rows say."""
    found: list[str] = list(challenger["gate"]["objections"])
    found += [f"its {name} is another than the champion's" for name in ("horizon", "label") if champion.get(name) != challenger.get(name)]
    return found


def _scorer(store: ModelStore, model: ModelReference) -> Scorer:
    return load_model(store.read(model.version, MODEL_FILE), FEATURE_NAMES, model.sha256)


def _pairs(catalog: Catalog, champion: Held, challenger: Held, asked: Asked) -> Pairs:
    since = max(champion.since, challenger.since)
    return pairs_of(catalog, NAMESPACE, champion.model.sha256, challenger.model.sha256, since, asked)
