"""From the lake to a released model: stored whole, fetched unchanged, announced once, and refused with a clear message otherwise."""

from __future__ import annotations

import argparse
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog import Catalog

from jobs.audit.log import AuditLog
from jobs.control import publish
from jobs.gateway.publisher import PublishError, PublisherSettings
from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.reading import read_rows
from jobs.lake.settings import local_lake
from jobs.lake.writing import append_rows
from jobs.model_aliases import CHAMPION, aliases_of
from jobs.model_store import BucketStore, FolderStore, fetch_model, open_store
from jobs.releasing import release_event, release_if_asked
from jobs.train import main
from jobs.training.runs import TrainRequest, train_from_lake
from tests.support.feature_rows import HORIZON, START, STEP, lake_columns, planted_dataset
from tests.support.trained_model import trained_model
from udfs.codecs.control import decode_control
from udfs.errors import InvalidRule, ModelMismatch, SourceError
from udfs.records import ControlEvent, ControlKind, ModelReference

ROWS = 3000


@pytest.fixture(scope="module")
def lake_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with planted feature rows."""
    folder = tmp_path_factory.mktemp("lake")
    catalog = open_catalog(local_lake(folder))
    create_tables(catalog, buckets=1)
    columns = {name: array.to_pylist() for name, array in lake_columns(planted_dataset(rows=ROWS)).items()}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    append_rows(catalog, "tickflow", "features", [row | others_of(row) for row in rows])
    return folder


def others_of(row: dict[str, Any]) -> dict[str, Any]:
    """What the table asks for and training does not read."""
    return {
        "event_time": datetime.fromtimestamp(0, UTC) + timedelta(microseconds=row["event_time_ns"] // 1000),
        "available_time_ns": row["event_time_ns"],
        "bar_closed": False,
        "control_version": 0,
        "topic": "market.frames",
        "kafka_partition": 0,
        "kafka_offset": row["event_number"],
        "event_index": 0,
        "manifest_id": "m",
    }


@pytest.fixture
def catalog(lake_folder: Path) -> Catalog:
    return open_catalog(local_lake(lake_folder))


def test_a_model_trained_from_the_lake_can_be_fetched(catalog: Catalog, tmp_path: Path) -> None:
    reference, card = train_from_lake(catalog, FolderStore(tmp_path), TrainRequest(horizon=HORIZON))
    assert fetch_model(reference)
    assert len(card["snapshot_ids"]) == 1
    assert card["symbols"] == ("S0", "S1")
    assert json.loads((tmp_path / reference.version / "card.json").read_text())["sha256"] == reference.sha256


def test_a_range_and_symbols_choose_the_rows(catalog: Catalog, tmp_path: Path) -> None:
    end = START + ROWS // 2 * 9 // 10 * STEP
    request = TrainRequest(from_time=START + 100 * STEP, to_time=end, symbols=("S1",), horizon=HORIZON)
    _, card = train_from_lake(catalog, FolderStore(tmp_path), request)
    assert card["symbols"] == ("S1",)
    assert card["training_range"][0] == START + 100 * STEP
    assert card["parts"]["test"]["outcomes_until"] < end


def test_the_verb_prints_one_object(lake_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lake", str(lake_folder), "--models", str(tmp_path), "--horizon-seconds", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["metrics"]["beats_prior"] is True
    assert result["control_version"] is None
    assert result["release_refused"] is False
    trials = [row for batch in read_rows(open_catalog(local_lake(lake_folder)), "tickflow", "trials") for row in batch.to_pylist()]
    assert result["version"] in {row["subject"] for row in trials if row["verb"] == "train"}
    words = (tmp_path / result["version"] / "card.md").read_text()
    assert result["sha256"] in words
    assert result["card"]["feature_set"] in words
    assert open_store(str(tmp_path)).versions() == (result["version"],)


def test_the_verb_speaks_to_people(lake_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lake", str(lake_folder), "--models", str(tmp_path), "--horizon-seconds", "1"]) == 0
    assert "knows more than the class shares" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--horizon-seconds", "600"], 1, "no row has an outcome"),
        (["--from", "2031-01-01"], 1, "no feature rows"),
        (["--horizon-seconds", "1", "--release", "--bootstrap-servers", ""], 2, "--release needs a broker"),
        (["--horizon-seconds", "-5"], 2, "horizon"),
    ],
)
def test_what_cannot_be_done_is_said(
    lake_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    assert main(["--lake", str(lake_folder), "--models", str(tmp_path), *arguments, "--json"]) == code
    captured = capsys.readouterr()
    assert says in captured.err
    assert says in json.loads(captured.out.splitlines()[-1])["error"]


def test_an_empty_lake_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lake", str(tmp_path), "--models", str(tmp_path / "models")]) == 1
    assert "no feature rows yet" in capsys.readouterr().err


def test_a_bad_time_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as failure:
        main(["--from", "yesterday"])
    assert failure.value.code == 2


def test_a_model_that_the_gate_is_against_is_not_released(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked: nothing goes out, the audit log says what was refused and why. With a reason it goes out, and both say so."""
    monkeypatch.setattr("jobs.audit.control.audit_folder", lambda: tmp_path / "audit")
    sent: list[ControlEvent] = []
    monkeypatch.setattr("jobs.releasing.publish_all", lambda events, settings: [sent.append(event) or 7 for event in events])
    options = argparse.Namespace(release=True, release_anyway="", bootstrap_servers="nowhere:1", author="me", reason="why not")
    reference = ModelReference("v1", "file:///m", "0" * 64)
    aliases = aliases_of(FolderStore(tmp_path / "models"))
    assert release_if_asked(reference, options, ControlKind.MODEL, ["it knows nothing"], aliases) is None
    assert sent == []
    assert aliases.at(CHAMPION) is None
    (entry,) = AuditLog(tmp_path / "audit").entries()
    assert (entry.kind, entry.what["problem"]) == ("control_denied", "it knows nothing")
    options.release_anyway = "a drill"
    assert release_if_asked(reference, options, ControlKind.MODEL, ["it knows nothing"], aliases) == 7
    assert sent[0].reason == "a drill (released although it knows nothing)"
    champion = aliases.at(CHAMPION)
    assert champion is not None
    assert (champion.version, champion.control_version, champion.why) == ("v1", 7, sent[0].reason)


class FakeBucket:
    """What the store uses of an S3 client, in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        self.objects[f"{Bucket}/{Key}"] = Body

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self.objects[f"{Bucket}/{Key}"])}

    def get_paginator(self, _: str) -> FakeBucket:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803
        return [
            {"Contents": [{"Key": name.removeprefix(f"{Bucket}/")} for name in self.objects if name.startswith(f"{Bucket}/{Prefix}")]},
            {},
        ]


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FolderStore | BucketStore:
    return FolderStore(tmp_path / "models") if request.param == "folder" else BucketStore("s3://lake/models", FakeBucket())


def test_versions_are_stored_once_and_never_changed(store: FolderStore | BucketStore) -> None:
    first = store.put("v1", b"model", {"a": 1})
    assert store.put("v1", b"model", {"a": 1}) == first
    assert store.put("v0", b"older", {}).sha256 != first.sha256
    with pytest.raises(ModelMismatch, match="v1"):
        store.put("v1", b"other", {})
    assert store.versions() == ("v0", "v1")


@pytest.mark.parametrize("version", ["", "../up", ".hidden", "a/b"])
def test_a_version_is_a_plain_name(store: FolderStore | BucketStore, version: str) -> None:
    with pytest.raises(ValueError, match="cannot name a folder"):
        store.put(version, b"model", {})


def test_a_half_written_model_is_not_there(tmp_path: Path) -> None:
    """A crash between the two files leaves a draft that nobody sees, and the next try succeeds."""
    store = FolderStore(tmp_path)
    with pytest.raises(TypeError):
        store.put("v1", b"model", {"not json": object()})
    (tmp_path / ".draft-left").mkdir()
    (tmp_path / ".draft-left" / "model.onnx").write_bytes(b"half")
    assert store.versions() == ()
    assert fetch_model(store.put("v1", b"model", {})) == b"model"


def test_changed_or_missing_bytes_are_refused(tmp_path: Path) -> None:
    reference = FolderStore(tmp_path).put("v1", b"model", {})
    (tmp_path / "v1" / "model.onnx").write_bytes(b"madel")
    with pytest.raises(ModelMismatch, match="sha256"):
        fetch_model(reference)
    with pytest.raises(SourceError, match="cannot read"):
        fetch_model(ModelReference("v2", (tmp_path / "v2" / "model.onnx").as_uri(), "0" * 64))


class FakeSink:
    """A broker that acknowledges at the offsets it is given."""

    blocked_seconds = 0.0
    delivered_records = 0

    def __init__(self, offsets: dict[tuple[str, int], int]) -> None:
        self.last_offsets: dict[tuple[str, int], int] = {}
        self.sent: list[tuple[str, bytes, int]] = []
        self._offsets = offsets

    def send(self, topic: str, key: bytes, value: bytes, timestamp_milliseconds: int) -> None:
        self.sent.append((topic, value, timestamp_milliseconds))

    def poll(self) -> None: ...

    def flush(self) -> None:
        self.last_offsets.update(self._offsets)


def test_a_release_is_one_numbered_entry() -> None:
    reference = ModelReference("v1", "file:///m", trained_model().sha256)
    event = release_event(reference, "me", "first", START)
    sink = FakeSink({("control", 0): 41})
    assert publish(event, PublisherSettings("unused"), sink=sink) == 42
    ((topic, value, timestamp),) = sink.sent
    read = decode_control(value, offset=41)
    assert (topic, timestamp) == ("control", START // 1_000_000)
    assert (read.version, read.kind, read.model, read.author) == (42, ControlKind.MODEL, reference, "me")


def test_what_cannot_be_applied_is_never_sent() -> None:
    sink = FakeSink({})
    with pytest.raises(InvalidRule):
        publish(release_event(ModelReference("v1", "", "zz"), "me", "", START), PublisherSettings("unused"), sink=sink)
    assert sink.sent == []


@pytest.mark.parametrize("offsets", [{("control", 1): 3}, {}])
def test_a_log_with_more_partitions_is_refused(offsets: dict[tuple[str, int], int]) -> None:
    event = release_event(ModelReference("v1", "file:///m", "0" * 64), "me", "", START)
    with pytest.raises(PublishError, match="partition"):
        publish(event, PublisherSettings("unused"), sink=FakeSink(offsets))
