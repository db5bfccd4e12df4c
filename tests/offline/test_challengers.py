"""From an announced challenger to champion and back: scored beside the stream, judged by what came of the rows, written down with why."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from pyiceberg.catalog import Catalog

from jobs import challengers, control_verbs
from jobs.lake.reading import read_rows
from jobs.lake.writing import append_rows
from jobs.model_aliases import CHAMPION, aliases_of
from jobs.model_store import FolderStore
from jobs.settings import Settings
from jobs.shadow.evidence import Evidence
from jobs.shadow.rules import RuleSettings, Verdict, events_of, judge
from jobs.shadow.standing import Held, standing_of
from jobs.training.labelling.kinds import LabelSettings
from tests.support.challenge import renamed
from tests.support.control_entries import control_entries
from tests.support.control_memory import challenger_entry, halt_entry, model_entry
from tests.support.feature_lake import feature_lake, lake_rows, moment
from tests.support.feature_rows import HORIZON, planted_dataset
from tests.support.trained_model import scorer, trained_model
from udfs.codecs.control import decode_control
from udfs.kernels.feature_vector import FEATURE_NAMES
from udfs.kernels.signal_rules import feature_hash
from udfs.operators.control_state import ControlState
from udfs.records import ControlEvent, ControlKind, ModelReference
from udfs.scoring.onnx_model import Scorer, load_model

LABEL = asdict(LabelSettings("return", HORIZON, HORIZON // 5))
ROWS = 2_400


@dataclass
class World:
    """A control log in memory, a lake with rows that the champion scored, and a model store with both models."""

    log: list[bytes]
    catalog: Catalog
    store: FolderStore
    arguments: list[str]
    champion: ModelReference
    challenger: ModelReference

    def events(self) -> list[ControlEvent]:
        return [decode_control(raw, offset) for offset, raw in enumerate(self.log)]


def too_sure() -> Scorer:
    """The same model, far too sure of itself: what it claims comes true much more seldom."""
    data = renamed(scorer(), "too-sure", 8.0)
    return load_model(data, FEATURE_NAMES, hashlib.sha256(data).hexdigest())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    sound, sure = trained_model(), too_sure()
    store = FolderStore(tmp_path / "models")
    card = json.loads(json.dumps(sound.card)) | {"label": LABEL, "gate": {"passed": True, "objections": []}}
    challenger = store.put(sound.version, sound.data, card)
    champion = store.put("too-sure", renamed(scorer(), "too-sure", 8.0), card | {"sha256": sure.sha256})
    catalog = lake_of(tmp_path, sure)
    log = control_entries(monkeypatch, challengers)
    control_verbs.publish_all([ControlEvent(0, ControlKind.MODEL, 1, "me", "the first", model=champion)], Settings())
    aliases_of(store).give(CHAMPION, champion.version, champion.sha256, 1, "me", "the first", 1)
    return World(log, catalog, store, ["--lake", str(tmp_path), "--models", str(store.folder), "--json"], champion, challenger)


def lake_of(folder: Path, champion: Scorer) -> Catalog:
    """Feature rows, all under the control version at which the challenger will be there, and the champion's signals of them."""
    dataset = planted_dataset(rows=ROWS, seed=77)
    features = [row | {"control_version": 2} for row in lake_rows(dataset)]
    catalog = feature_lake(folder, features)
    scores = champion.score(dataset.values, ~np.isnan(dataset.values))
    append_rows(catalog, "tickflow", "signals", [signal_row(row, champion, scores, k, dataset.values[k]) for k, row in enumerate(features)])
    return catalog


def signal_row(row: dict[str, Any], model: Scorer, scores: Any, place: int, values: npt.NDArray[Any]) -> dict[str, Any]:
    kept = (
        "symbol",
        "event_time",
        "event_time_ns",
        "available_time_ns",
        "event_number",
        "price",
        "control_version",
        "topic",
        "manifest_id",
    )
    probabilities = dict(
        zip(("probability_down", "probability_neutral", "probability_up"), scores.probabilities[place].tolist(), strict=True)
    )
    others = {
        "signal_id": str(place),
        "horizon_ns": model.horizon,
        "direction": 0,
        "confidence": 0.5,
        "reasons": "[]",
        "status": 1,
        "code": 0,
    }
    moves = {"expected_return": float(scores.expected_return[place]), "sigma": float(scores.sigma[place])}
    named = {"model_version": model.version, "model_hash": model.sha256, "feature_hash": feature_hash(values)}
    position = {name: row[name] for name in ("kafka_partition", "kafka_offset", "event_index")}
    return {name: row[name] for name in kept} | probabilities | others | moves | named | position


def run(world: World, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = challengers.main([*arguments, *world.arguments])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_better_challenger_becomes_champion_and_the_champion_can_come_back(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = run(world, capsys, "add", "sound", world.challenger.version, "--reason", "it claims less")
    assert (code, found["written"][0]["alias"], found["against_promotion"]) == (0, "challenger-sound", [])
    code, found = run(world, capsys, "look")
    (one,) = found["challengers"]
    assert code == 0
    assert (one["verdict"], one["scored_now"], found["written"]) == ("promote", ROWS, [])
    assert one["better"] > one["needed"] == 20
    assert len(world.log) == 2, "a look alone changes nothing"

    code, found = run(world, capsys, "look", "--act")
    assert found["challengers"][0]["scored_now"] == 0, "what was scored is not scored again"
    assert [entry["alias"] for entry in found["written"]] == [CHAMPION, "challenger-sound", "challenger-former"]
    promotion = world.events()[2]
    assert (promotion.kind, promotion.model, promotion.author) == (ControlKind.MODEL, world.challenger, "challengers")
    assert f"evidence {one['better']:.3g}, needed 20" in promotion.reason
    bearer = aliases_of(world.store).at(CHAMPION)
    assert bearer is not None
    assert (bearer.version, bearer.control_version, bearer.why) == (world.challenger.version, 3, promotion.reason)
    assert standing_of(world.log).challengers["challenger-former"].model == world.champion

    assert run(world, capsys, "look", "--act")[1]["written"] == [], "no row of the new champion is there yet"
    code, found = run(world, capsys, "rollback", "--reason", "a drill")
    assert (code, found["from"], found["to"]) == (0, world.challenger.version, "too-sure")
    assert world.events()[-1].model == world.champion
    assert aliases_of(world.store).current()[CHAMPION] == "too-sure"


def test_what_challengers_say_is_the_scorers_own_and_never_a_signal(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    run(world, capsys, "add", "sound", world.challenger.version, "--reason", "try it")
    before = sum(batch.num_rows for batch in read_rows(world.catalog, "tickflow", "signals"))
    run(world, capsys, "look")
    rows = pa.Table.from_batches(list(read_rows(world.catalog, "tickflow", "shadow_scores"))).to_pylist()
    rows.sort(key=lambda row: (row["event_number"], row["symbol"]))
    dataset = planted_dataset(rows=ROWS, seed=77)
    expected = scorer().score(dataset.values, ~np.isnan(dataset.values))
    assert [[row[f"probability_{side}"] for side in ("down", "neutral", "up")] for row in rows] == expected.probabilities.tolist()
    assert [row["sigma"] for row in rows] == expected.sigma.tolist()
    assert {row["alias"] for row in rows} == {"challenger-sound"}
    assert rows[0]["event_time"] == moment(int(dataset.event_time[0]))
    assert sum(batch.num_rows for batch in read_rows(world.catalog, "tickflow", "signals")) == before


def test_a_worse_challenger_is_withdrawn(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The roles exchanged: the sound model is champion, and has scored the rows."""
    catalog_rows = pa.Table.from_batches(list(read_rows(world.catalog, "tickflow", "signals"))).to_pylist()
    dataset = planted_dataset(rows=ROWS, seed=77)
    scores = scorer().score(dataset.values, ~np.isnan(dataset.values))
    place = {(dataset.symbols[dataset.symbol[k]], int(dataset.event_number[k])): k for k in range(ROWS)}
    again = [signal_row(row, scorer(), scores, k := place[row["symbol"], row["event_number"]], dataset.values[k]) for row in catalog_rows]
    append_rows(world.catalog, "tickflow", "signals", again)
    world.log[:] = [model_entry(world.challenger), challenger_entry("challenger-sure", world.champion)]
    _, found = run(world, capsys, "look")
    assert [one["verdict"] for one in found["challengers"]] == ["withdraw"]
    events = events_of([judge("challenger-sure", Held(world.champion, 2), WORSE, 1, (), RuleSettings())], world.challenger, 5)
    assert [(event.kind, event.challenger.model if event.challenger else "") for event in events] == [(ControlKind.CHALLENGER, None)]
    assert "is worse than the champion: evidence 99" in events[0].reason


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["add", "x", "nowhere", "--reason", "r"], 1, "there is no model nowhere"),
        (["add", "x", "too-sure", "--reason", "r"], 1, "champion already"),
        (["add", "X!", "CHALLENGER", "--reason", "r"], 2, "challenger.alias"),
        (["withdraw", "x", "--reason", "r"], 1, "there is no challenger-x"),
        (["rollback", "--reason", "r"], 1, "no other champion"),
    ],
)
def test_what_cannot_be_done_is_said(world: World, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str) -> None:
    arguments = [world.challenger.version if word == "CHALLENGER" else word for word in arguments]
    found, result = run(world, capsys, *arguments)
    assert found == code
    assert says in result["error"]
    assert len(world.log) == 1


def test_a_broken_challenger_spoils_nothing_else(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that was changed, a card that is gone: said, and the others are compared all the same."""
    run(world, capsys, "add", "sound", world.challenger.version, "--reason", "try it")
    world.log.append(challenger_entry("challenger-gone", ModelReference("gone", "file:///gone", "0" * 64)))
    code, found = run(world, capsys, "look")
    assert code == 1
    assert list(found["refused"]) == ["challenger-gone"]
    assert [one["alias"] for one in found["challengers"]] == ["challenger-sound"]


BETTER, WORSE = Evidence(1000, 50, 0.01, 99.0, 1.0), Evidence(1000, 50, -0.01, 1.0, 99.0)
HELD = Held(ModelReference("v", "u", "0" * 64), 1)


@pytest.mark.parametrize(
    ("evidence", "tried", "against", "verdict"),
    [
        (BETTER, 1, (), Verdict.PROMOTE),
        (BETTER, 4, (), Verdict.PROMOTE),
        (BETTER, 5, (), Verdict.WAIT),
        (BETTER, 1, ("the gate is against it",), Verdict.WAIT),
        (BETTER._replace(mean_gain=-0.001), 1, (), Verdict.WAIT),
        (BETTER._replace(stretches=19), 1, (), Verdict.WAIT),
        (BETTER._replace(better=19.9), 1, (), Verdict.WAIT),
        (WORSE, 1, (), Verdict.WITHDRAW),
        (WORSE, 5, (), Verdict.WAIT),
        (WORSE, 1, ("the gate is against it",), Verdict.WITHDRAW),
    ],
)
def test_the_rule(evidence: Evidence, tried: int, against: tuple[str, ...], verdict: Verdict) -> None:
    """The more models were tried, the more evidence each needs."""
    assert judge("challenger-a", HELD, evidence, tried, against, RuleSettings()).verdict is verdict


def test_of_two_that_are_better_the_clearer_one_is_promoted() -> None:
    one, other = (judge(f"challenger-{value}", HELD, BETTER._replace(better=value), 1, (), RuleSettings()) for value in (50.0, 60.0))
    events = events_of([one, other], HELD.model, 7)
    assert [event.kind for event in events] == [ControlKind.MODEL, ControlKind.CHALLENGER, ControlKind.CHALLENGER]
    assert events[0].reason.startswith("challenger-60.0 ")


A, B, C = (ModelReference(name, "u", name * 64) for name in "abc")


def test_standing_counts_every_model_that_was_tried_against_the_champion() -> None:
    log = [model_entry(A), challenger_entry("challenger-x", B), halt_entry(), challenger_entry("challenger-x", C), b"no entry"]
    found = standing_of(log)
    assert (found.champion, found.before, found.tried) == (Held(A, 1), None, 2)
    assert found.challengers == {"challenger-x": Held(C, 4)}
    assert standing_of([*log, challenger_entry("challenger-x", C)]).challengers == found.challengers, "announced again, nothing begins anew"
    promoted = standing_of([*log, model_entry(C), challenger_entry("challenger-x", None)])
    assert (promoted.champion, promoted.before, promoted.tried, promoted.challengers) == (Held(C, 6), A, 1, {})
    back = standing_of([*log, model_entry(C), model_entry(A)])
    assert (back.champion, back.before) == (Held(A, 7), C)


def test_the_stream_notes_challengers_and_loads_none() -> None:
    state = ControlState(lambda model: pytest.fail("the stream fetched a challenger"))
    for raw in (challenger_entry("challenger-x", A), challenger_entry("challenger-y", B), challenger_entry("challenger-x", None)):
        state.read(raw)
    assert [dict(state.at(version).challengers) for version in range(4)] == [
        {},
        {"challenger-x": A},
        {"challenger-x": A, "challenger-y": B},
        {"challenger-y": B},
    ]
    assert not state.refused
