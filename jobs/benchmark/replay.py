"""How fast stored history goes through the job again: from Iceberg to feature rows in Iceberg, start and end of the job included.

The frames are written to the lake beforehand. Rows are counted against those that the kernels make of the same frames.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from infra.local.console import say
from jobs.benchmark.machine import cpu_seconds, description, stolen_seconds
from jobs.benchmark.prepared_log import PreparedLog
from jobs.lake.catalog import create_tables
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from jobs.recomputation.stored import Range, frame_hash
from jobs.replaying import start_replay, wait_for_replay
from jobs.session import Session, local_session
from jobs.stored import stored_rows

_FRAMES_A_COMMIT: Final = 50_000
_PATIENCE_SECONDS: Final = 1800.0


def measure_replay(data: Path, log: PreparedLog, parallelism: int) -> dict[str, Any]:
    """Replay a lake that holds the log; ticks a second of the whole and of the job alone, and whether every row came out."""
    machine = description()
    with local_session(data, profile="replay", taskmanagers=parallelism) as session:
        say(f"bench: writing {log.events} events in {log.frames} frames to the lake")
        _store(session, log)
        found = _replayed(session, parallelism)
    rates = {
        "ticks_a_second": round(log.events / found["seconds"]),
        "ticks_a_second_of_the_job": round(log.events / found["job_seconds"]),
        "cpu_seconds_a_million_ticks": round(found["cpu_seconds"] / log.events * 1e6, 2),
    }
    sizes = {"symbols": log.names, "ticks": log.events, "frames": log.frames, "parallelism": parallelism}
    checked = {"rows_expected": log.rows, "holds": found["features"] == log.rows}
    return sizes | rates | found | checked | {"machine": machine}


def _store(session: Session, log: PreparedLog) -> None:
    create_tables(session.catalog, session.lake.buckets)
    waiting: list[dict[str, object]] = []
    for row in _table_rows(log, session.settings.topics.frames):
        waiting.append(row)
        if len(waiting) == _FRAMES_A_COMMIT:
            append_rows(session.catalog, NAMESPACE, "market_frames", waiting)
            waiting = []
    append_rows(session.catalog, NAMESPACE, "market_frames", waiting)


def _table_rows(log: PreparedLog, topic: str) -> Iterator[dict[str, object]]:
    for offset, record in enumerate(log.records(control_version=0)):
        yield {
            "symbol": record.symbol,
            "event_time": datetime.fromtimestamp(record.timestamp_milliseconds / 1000, UTC),
            "topic": topic,
            "kafka_partition": 0,
            "kafka_offset": offset,
            "frame": record.frame,
            "frame_hash": frame_hash(record.frame),
        }


def _replayed(session: Session, parallelism: int) -> dict[str, Any]:
    cpu_before, stolen_before, started = cpu_seconds(), stolen_seconds(), time.monotonic()
    replay = start_replay(session.settings, session.lake, session.catalog, session.endpoints, Range(), parallelism)
    submitted = time.monotonic()
    say(f"bench: {replay.frames} frames are published, the job is submitted")
    wait_for_replay(replay, _PATIENCE_SECONDS)
    ended = time.monotonic()
    return {
        "seconds": round(ended - started, 1),
        "job_seconds": round(ended - submitted, 1),
        "cpu_seconds": round(cpu_seconds() - cpu_before, 1),
        "stolen_seconds": round(stolen_seconds() - stolen_before, 2),
        "features": stored_rows(session.catalog, "features", replay.namespace),
    }
