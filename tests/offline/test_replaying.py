"""What a replay publishes is what was stored: frames in log order with their first places, and the control log at its offsets."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pyiceberg.catalog import Catalog

from infra.local import kafka
from jobs import replaying, submission
from jobs.gateway.publisher import MemorySink
from jobs.job_plan import JobPlan
from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.reading import read_rows
from jobs.lake.settings import LakeSettings, local_lake
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from jobs.recomputation.stored import FrameChanged, Range, checked_frames, frame_hash
from jobs.replaying import publish_control, publish_frames
from jobs.settings import Settings
from jobs.stored import stored_rows
from udfs.codecs.wire import PINNED_IDS
from udfs.errors import TickflowError

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
START_NS = int(START.timestamp()) * 1_000_000_000
Row = dict[str, Any]


def frame_row(partition: int, offset: int, content: bytes) -> Row:
    return {
        "symbol": f"S{partition}",
        "event_time": START.replace(second=offset),
        "topic": "market.frames",
        "kafka_partition": partition,
        "kafka_offset": offset,
        "frame": content,
        "frame_hash": frame_hash(content),
    }


def control_row(version: int) -> Row:
    return {"version": version, "event_time": START, "event_time_ns": START_NS, "kind": "halt", "payload": b"entry %d" % version}


FRAMES = [frame_row(partition, offset, bytes([partition, offset, 0x80, 0xFF])) for offset in range(6) for partition in (1, 0)]


@pytest.fixture
def lake(tmp_path_factory: pytest.TempPathFactory) -> LakeSettings:
    return local_lake(tmp_path_factory.mktemp("lake"))


@pytest.fixture
def catalog(lake: LakeSettings) -> Catalog:
    opened = open_catalog(lake)
    create_tables(opened, lake.buckets)
    return opened


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> MemorySink:
    memory = MemorySink()
    monkeypatch.setattr(replaying, "KafkaPublisher", lambda _: memory)
    return memory


def test_frames_go_out_in_log_order_with_their_first_places(catalog: Catalog, sink: MemorySink) -> None:
    for batch in (FRAMES[6:], FRAMES[:6], FRAMES[3:5]):
        append_rows(catalog, NAMESPACE, "market_frames", batch)
    assert publish_frames(catalog, Settings(), "replayed", Range()) == len(FRAMES)
    expected = sorted(FRAMES, key=lambda row: (row["kafka_partition"], row["kafka_offset"]))
    assert [(topic, key.decode(), value) for topic, key, value, _ in sink.records] == [
        ("replayed", row["symbol"], row["frame"]) for row in expected
    ]
    assert [time for *_, time in sink.records] == [START_NS // 1_000_000 + row["kafka_offset"] * 1000 for row in expected]
    assert [dict(headers) for headers in sink.headers] == [
        {"partition": str(row["kafka_partition"]).encode(), "offset": str(row["kafka_offset"]).encode()} for row in expected
    ]


def test_a_single_changed_bit_of_a_stored_frame_is_found(catalog: Catalog) -> None:
    changed = [dict(row) for row in FRAMES]
    changed[4]["frame"] = bytes([changed[4]["frame"][0] ^ 1]) + changed[4]["frame"][1:]
    append_rows(catalog, NAMESPACE, "market_frames", changed)
    with pytest.raises(FrameChanged) as caught:
        list(checked_frames(catalog, Range()))
    assert caught.value.difference == {
        "symbol": "S1",
        "position": "market.frames/1/2",
        "field": "frame",
        "live": changed[4]["frame_hash"],
        "replay": frame_hash(changed[4]["frame"]),
    }


def test_a_range_keeps_what_leads_up_to_it_and_its_symbols_only(catalog: Catalog) -> None:
    late = frame_row(0, 7, b"late") | {"event_time": START.replace(hour=13)}
    append_rows(catalog, NAMESPACE, "market_frames", [*FRAMES, late])
    wanted = Range(START_NS + 2_000_000_000, START_NS + 3_000_000_000, ("S0",))
    assert [frame.position.offset for frame in checked_frames(catalog, wanted)] == list(range(6))


def test_control_entries_keep_their_versions(catalog: Catalog, sink: MemorySink) -> None:
    append_rows(catalog, NAMESPACE, "control_events", [control_row(version) for version in (3, 1)])
    append_rows(catalog, NAMESPACE, "control_events", [control_row(version) for version in (2, 3)])
    assert publish_control(catalog, Settings(), "control.again") == 3
    assert [(topic, value) for topic, _, value, _ in sink.records] == [("control.again", b"entry %d" % version) for version in (1, 2, 3)]


def test_a_control_log_with_a_gap_is_not_replayed(catalog: Catalog, sink: MemorySink) -> None:
    append_rows(catalog, NAMESPACE, "control_events", [control_row(version) for version in (1, 3)])
    with pytest.raises(TickflowError, match=r"entries \[1, 3\], expected 1 to 2 without a gap"):
        publish_control(catalog, Settings(), "control.again")
    assert sink.records == []


def test_the_hash_is_that_of_the_bytes() -> None:
    contents = [bytes([value]) for value in range(256)] + [b"", b"\x00\x00", b"\xc3\xa9"]
    assert len({frame_hash(content) for content in contents}) == len(contents)


def test_rows_are_counted_without_reading_them(catalog: Catalog) -> None:
    assert [stored_rows(catalog, name) for name in ("market_frames", "no_such_table")] == [0, 0]
    append_rows(catalog, NAMESPACE, "market_frames", FRAMES[:5])
    append_rows(catalog, NAMESPACE, "market_frames", FRAMES[5:])
    assert stored_rows(catalog, "market_frames") == len(FRAMES)


def test_a_run_is_noted_at_its_start_and_its_end(catalog: Catalog, lake: LakeSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKFLOW_KAFKA_PASSWORD", "secret-word")
    plan = JobPlan(Settings(), lake, "manifest", "run-1", "f", "c", dict(PINNED_IDS))
    submission.note_run(catalog, plan, "live", START_NS, None, {})
    submission.note_run(catalog, plan, "live", START_NS, START_NS + 5_000_000_000, {"frames": 3})
    rows = [row for batch in read_rows(catalog, NAMESPACE, "runs") for row in batch.to_pylist()]
    begun, ended = sorted(rows, key=lambda row: row["finished_at"] is not None)
    assert (begun["finished_at"], begun["counts"], begun["run_id"], begun["manifest_id"]) == (None, "{}", "run-1", "manifest")
    assert ((ended["finished_at"] - ended["started_at"]).total_seconds(), json.loads(ended["counts"])) == (5.0, {"frames": 3})
    assert json.loads(begun["settings"]) == Settings().model_dump(mode="json")
    assert "secret-word" not in str(rows)


def test_topics_are_kept_for_ever_and_control_has_one_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(kafka, "ensure_topics", lambda *arguments: asked.append(arguments))
    settings = Settings()
    submission.make_topics(settings)
    ((servers, partitions, options, client),) = asked
    assert servers == settings.kafka.bootstrap_servers
    assert partitions == dict.fromkeys(settings.topics.model_dump().values(), settings.kafka.partitions) | {"control": 1}
    assert options == {"retention.ms": "-1"}
    assert client == settings.kafka.librdkafka_properties()


def test_runs_of_the_same_code_and_settings_share_a_manifest_and_nothing_else(lake: LakeSettings) -> None:
    first, second = (submission.live_plan(Settings(), lake) for _ in range(2))
    assert first.manifest_id == second.manifest_id
    assert first.run_id != second.run_id
