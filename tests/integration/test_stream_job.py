"""The whole of Tickflow on real services: a simulated market through the job into Kafka, Redis and the lake on S3, replayed and proved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis
from pyiceberg.catalog import Catalog

from infra.local.endpoints import Endpoints
from jobs.demonstration.stretches import SECOND, SIMULATED_WARM_UP_SECONDS, Stretches
from jobs.explanation.sample import Sample, made_again_at_random
from jobs.lake.reading import read_rows
from jobs.lake.tables import NAMESPACE
from jobs.prove import prove
from jobs.serving.latest import read_latest
from jobs.simulator.settings import DefectRates, SimulationSettings
from jobs.simulator.source import SimulatedSource
from jobs.why import explain
from tests.support.streaming import Streamed, streamed_market
from udfs.errors import Reason

LIVE_SECONDS = 600.0
WITHIN_SECONDS = 600.0


@pytest.fixture(scope="module")
def streamed(services: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Streamed]:
    """A market of four symbols, warmed up, a model trained and released on the way, and ten minutes more at full speed."""
    with streamed_market(services, tmp_path_factory.mktemp("lake"), "job", _market()) as found:
        yield found


def _market() -> Stretches:
    """Faults often enough for each kind to be there."""
    faults = DefectRates(duplicate=2e-3, out_of_order=5e-3, late=1e-3, sequence_gap=5e-4, crossed=1e-3, garbage=2e-3, malformed=5e-4)
    seconds = SIMULATED_WARM_UP_SECONDS + LIVE_SECONDS
    settings = SimulationSettings(symbols=4, seconds=seconds, ticks_per_second=6.0, seed=5, defects=faults)
    return Stretches(SimulatedSource(settings), settings.start_time + SIMULATED_WARM_UP_SECONDS * SECOND, None, horizon_seconds=300)


def test_every_message_is_accounted_for(streamed: Streamed) -> None:
    counts = streamed.counts
    assert counts["accounted"], counts
    assert counts["features_out"] == counts["signals_out"] > 10_000
    assert counts["alerts_out"] > 0


def test_planted_faults_are_found_one_for_one(streamed: Streamed) -> None:
    planted = streamed.stretches.source.planted  # type: ignore[attr-defined]
    counts = streamed.counts
    found = counts["rejected_by_reason"] | {"late": counts["late"], "duplicate": counts["duplicates"]}
    expected = {reason.name.lower(): count for reason, count in planted.items()}
    assert {name: count for name, count in found.items() if count} == expected
    assert len(expected) >= 8
    assert Reason.LATE in planted


def test_the_model_takes_over_at_the_event_stamped_with_it(streamed: Streamed) -> None:
    model = streamed.counts["model"]
    assert model is not None
    columns = ("symbol", "event_number", "control_version", "model_hash", "code")
    rows = pa.Table.from_batches(list(read_rows(streamed.session.catalog, NAMESPACE, "signals", columns))).to_pylist()
    for row in rows:
        scored = row["control_version"] >= model["control_version"]
        assert row["model_hash"] == (model["sha256"] if scored else ""), row
    assert any(row["model_hash"] for row in rows)
    assert any(not row["model_hash"] for row in rows)


def test_redis_has_the_newest_row_of_each_symbol(streamed: Streamed) -> None:
    newest = _newest_event_numbers(streamed.session.catalog)
    client = redis.Redis.from_url(streamed.session.settings.online.redis_url)
    latest = read_latest(client, sorted(newest))
    client.close()
    stored = {symbol: found.signal.event_number for symbol, found in latest.items() if found.signal}
    assert stored == newest


def _newest_event_numbers(catalog: Catalog) -> dict[str, int]:
    rows = pa.Table.from_batches(list(read_rows(catalog, NAMESPACE, "signals", ("symbol", "event_number"))))
    grouped = rows.group_by("symbol").aggregate([("event_number", "max")])
    return dict(zip(grouped.column("symbol").to_pylist(), grouped.column("event_number_max").to_pylist(), strict=True))


def test_a_replay_gives_the_same_bits(streamed: Streamed) -> None:
    result = prove(streamed.session, WITHIN_SECONDS)
    assert result["identical"], result
    assert result["features"] == streamed.counts["features_out"]
    assert result["signals"] == streamed.counts["signals_out"]


def test_signals_are_made_again_from_their_frames(streamed: Streamed) -> None:
    """Drawn evenly from all, with and without a model; in this process, without Kafka or Flink."""
    catalog, session = streamed.session.catalog, streamed.session
    rows = pa.Table.from_batches(list(read_rows(catalog, NAMESPACE, "signals", ("signal_id", "model_hash"))))
    chosen = rows.sort_by("signal_id").take(list(range(0, rows.num_rows, rows.num_rows // 8))).to_pylist()
    found = [explain(catalog, session.lake, session.settings, row["signal_id"]) for row in chosen]
    assert all(result["identical"] for result in found), found
    assert {result["model"] is None for result in found} == {not row["model_hash"] for row in chosen}
    assert all(result["source"]["events"][-1]["event_time_ns"] <= result["signal"]["event_time_ns"] for result in found)
    assert all(result["moment"]["clock_ns"] == result["signal"]["event_time_ns"] for result in found)
    assert all(result["manifest"]["runs"] for result in found)
    assert any(each["row"] for result in found for each in result["without"])
    sample = made_again_at_random(
        catalog, session.lake, session.settings, Sample(40, alone=2), lambda name: name in rows["signal_id"].to_pylist()
    )
    assert (sample["sampled"], sample["identical"], sample["different"]) == (40, 40, [])
    assert sample["alone"]["identical"] == 2


@pytest.mark.parametrize("hidden", [False, True], ids=["as found", "hash renewed"])
def test_one_changed_bit_is_found(streamed: Streamed, hidden: bool) -> None:
    """Also when whoever changed the frame renewed its hash: then the replayed features differ."""
    catalog = streamed.session.catalog
    path, before = _flip_one_bit(catalog, renew_hash=hidden)
    try:
        result = prove(streamed.session, WITHIN_SECONDS)
    finally:
        with catalog.load_table((NAMESPACE, "market_frames")).io.new_output(path).create(overwrite=True) as file:
            file.write(before)
    assert not result["identical"]
    assert {"symbol", "position", "field", "live", "replay"} <= result["difference"].keys()
    assert (result["difference"]["field"] == "frame") is not hidden


def _flip_one_bit(catalog: Catalog, renew_hash: bool) -> tuple[str, bytes]:
    """Change one bit in one stored frame; the path of its file and what that held."""
    from jobs.recomputation.stored import frame_hash

    table = catalog.load_table((NAMESPACE, "market_frames"))
    task = next(iter(table.scan().plan_files()))
    with table.io.new_input(task.file.file_path).open() as file:
        before = file.read()
    rows = pq.read_table(pa.BufferReader(before))
    frames, hashes = rows.column("frame").to_pylist(), rows.column("frame_hash").to_pylist()
    place, frames[0] = 0, _changed(frames[0])
    hashes[place] = frame_hash(frames[place]) if renew_hash else hashes[place]
    for name, values in (("frame", frames), ("frame_hash", hashes)):
        index = rows.schema.get_field_index(name)
        rows = rows.set_column(index, rows.schema.field(index), pa.array(values, rows.schema.field(index).type))
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd")
    with table.io.new_output(task.file.file_path).create(overwrite=True) as file:
        file.write(sink.getvalue().to_pybytes())
    return task.file.file_path, before


def _changed(frame: bytes) -> bytes:
    """The same frame with the sign of its first quote's bid price changed: one bit, after which the quote cannot be accepted."""
    from udfs.codecs.frames import decode_frame

    price = decode_frame(frame).columns.quotes[0, :1].tobytes()
    place = frame.index(price) + len(price) - 1
    return frame[:place] + bytes([frame[place] ^ 0x80]) + frame[place + 1 :]


def test_process_mode_gives_the_same_bits(streamed: Streamed) -> None:
    settings = streamed.session.settings
    process = settings.model_copy(update={"flink": settings.flink.model_copy(update={"execution_mode": "process"})})
    result = prove(replace(streamed.session, settings=process), WITHIN_SECONDS)
    assert result["identical"], result
