"""Release, challenge, promotion by rule and rollback between a symbol's frames: each takes over at its frame, and again when replayed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from jobs import challengers, control_verbs
from jobs.lake.reading import StoredFrame
from jobs.lake.writing import append_rows
from jobs.model_store import FolderStore
from jobs.recomputation.frames import StoredControl, processed
from jobs.releasing import release_event
from jobs.settings import Settings
from jobs.training.labelling.kinds import LabelSettings
from tests.support.challenge import renamed
from tests.support.control_entries import control_entries
from tests.support.control_memory import SYMBOL, fetch_from, frame_of
from tests.support.feature_lake import feature_lake, moment
from tests.support.feature_rows import HORIZON
from tests.support.kernel_events import MIDNIGHT, SECOND, trade
from tests.support.trained_model import scorer, trained_model
from udfs.codecs.control import decode_control
from udfs.codecs.signals import encode_signal
from udfs.codecs.wire import PINNED
from udfs.operators.control_log import ControlLog
from udfs.operators.symbol_processor import PricedRow
from udfs.records import ControlEvent, ControlKind, Position, Signal

STEP = SECOND // 4
FRAMES, EVENTS = 150, 8
TOO_SURE = 8.0


def test_models_change_at_their_frames_and_again_in_a_replay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = control_entries(monkeypatch, challengers)
    store, sound = FolderStore(tmp_path / "models"), trained_model()
    card = json.loads(json.dumps(sound.card)) | {
        "label": asdict(LabelSettings("return", HORIZON, HORIZON // 2)),
        "gate": {"objections": []},
    }
    sure = renamed(scorer(), "too-sure", TOO_SURE)
    hashed = hashlib.sha256(sure).hexdigest()
    champion, challenger = store.put("too-sure", sure, card | {"sha256": hashed}), store.put(sound.version, sound.data, card)
    models = fetch_from({champion.uri: sure, challenger.uri: sound.data})
    where = ["--lake", str(tmp_path), "--models", str(store.folder)]

    def verb(*arguments: str) -> None:
        options = challengers.parser().parse_args([*arguments, *where])
        assert options.act(options)["written"], arguments

    prices = walk(float(card["neutral_edges"][""]))
    frames = [frame(place, prices, 0) for place in range(5)]
    control_verbs.publish_all([release_event(champion, "test", "the first", 1)], Settings())
    verb("add", "sound", challenger.version, "--reason", "it claims less")
    frames += [frame(place, prices, len(log)) for place in range(5, 120)]
    feature_rows, signal_rows = stored(frames, log, models)
    catalog = feature_lake(tmp_path, feature_rows)
    append_rows(catalog, "tickflow", "signals", signal_rows)
    verb("look", "--act")
    frames += [frame(place, prices, len(log)) for place in range(120, 135)]
    verb("rollback", "--reason", "a drill")
    frames += [frame(place, prices, len(log)) for place in range(135, FRAMES)]

    live = signals(frames, log, models)
    by_version = {signal.control_version: signal.model_hash for signal in live}
    promoted = next(version for version, event in enumerate(log, 1) if version > 2)
    assert by_version == {0: "", 2: champion.sha256, promoted + 2: challenger.sha256, promoted + 3: champion.sha256}
    assert len(live) > 1000
    assert [encode_signal(one) for one in signals(frames, log, models)] == [encode_signal(one) for one in live]
    reason = json.dumps([event.reason for event in events(log) if event.kind is ControlKind.MODEL])
    assert "is better than the champion: evidence" in reason


def events(log: list[bytes]) -> list[ControlEvent]:
    return [decode_control(raw, offset) for offset, raw in enumerate(log)]


def walk(edge: float) -> npt.NDArray[np.float64]:
    """Prices that move over the horizon about as far as what counts as a move."""
    steps = np.random.default_rng(4).normal(size=FRAMES * EVENTS) * edge * 2 / np.sqrt(HORIZON / STEP)
    return np.asarray(100 * np.exp(np.cumsum(steps)))


def frame(place: int, prices: npt.NDArray[np.float64], version: int) -> StoredFrame:
    numbers = range(place * EVENTS, (place + 1) * EVENTS)
    data = frame_of([trade(MIDNIGHT + number * STEP, float(prices[number]))._replace(sequence=number + 1) for number in numbers], version)
    return StoredFrame(SYMBOL, MIDNIGHT + numbers[-1] * STEP, Position("market.frames", 0, place), data, "")


def records(frames: list[StoredFrame], log: list[bytes], models: Any) -> list[Any]:
    control = ControlLog(StoredControl(log), models)
    return [record for _, outcome in processed(frames, Settings(), control, PINNED) for record in outcome.records]


def signals(frames: list[StoredFrame], log: list[bytes], models: Any) -> list[Signal]:
    return [record for record in records(frames, log, models) if isinstance(record, Signal)]


def stored(frames: list[StoredFrame], log: list[bytes], models: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows of the lake's tables, as the job writes them."""
    found = records(frames, log, models)
    features = [feature_row(one) for one in found if isinstance(one, PricedRow)]
    return features, [signal_row(one) for one in found if isinstance(one, Signal)]


def shared(record: Any) -> dict[str, Any]:
    position = {"topic": record.position.topic, "kafka_partition": 0, "kafka_offset": record.position.offset, "event_index": 0}
    times = {"event_time": moment(record.event_time), "event_time_ns": record.event_time, "available_time_ns": record.available_time}
    names = ("symbol", "event_number", "control_version", "manifest_id")
    return {name: getattr(record, name) for name in names} | times | position


def feature_row(priced: PricedRow) -> dict[str, Any]:
    row, price = priced
    valid = np.packbits(row.valid, bitorder="little").tobytes()
    values = {"feature_values": row.values.tolist(), "feature_valid": valid, "feature_set": row.feature_set}
    return shared(row) | values | {"price": price, "bar_closed": row.bar_closed}


def signal_row(signal: Signal) -> dict[str, Any]:
    same = ("signal_id", "price", "confidence", "expected_return", "sigma", "model_version", "model_hash", "feature_hash")
    probabilities = dict(zip(("probability_down", "probability_neutral", "probability_up"), signal.probabilities, strict=True))
    numbers = {"horizon_ns": signal.horizon, "direction": int(signal.direction), "status": int(signal.status), "code": int(signal.code)}
    return shared(signal) | {name: getattr(signal, name) for name in same} | probabilities | numbers | {"reasons": "[]"}
