"""Replay: stored frames go through the same job again, with the positions and the control log they had, into a namespace of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from pyiceberg.catalog import Catalog

from infra.local import flink, kafka
from infra.local.endpoints import Endpoints
from jobs.gateway.publisher import Headers, KafkaPublisher, PublisherSettings
from jobs.job_plan import JobPlan
from jobs.kafka_tables import Reading
from jobs.lake.reading import EVERYTHING, Selection, StoredFrame, frames_in_order, read_rows
from jobs.lake.settings import LakeSettings
from jobs.lake.tables import NAMESPACE
from jobs.recomputation.frames import stored_control
from jobs.settings import Settings
from jobs.submission import KEEP_FOR_EVER, SubmittedJob, live_plan, submit
from udfs.errors import TickflowError
from udfs.records import Position

_SECOND = 1_000_000_000
FRAME_SPAN = 60 * _SECOND
"""A frame is named by its last event; one that starts inside the range may end this much later."""


class FrameChanged(TickflowError):
    """A stored frame is not what it was when it was stored."""

    def __init__(self, frame: StoredFrame, expected: str, found: str) -> None:
        place = f"{frame.position.topic}/{frame.position.partition}/{frame.position.offset}"
        super().__init__(f"stored frame of {frame.symbol} at {place}: hash is {found}, expected {expected}")
        self.difference = {"symbol": frame.symbol, "position": place, "field": "frame", "live": expected, "replay": found}


@dataclass(frozen=True)
class Range:
    """Rows that a replay keeps: [from_time, to_time) of event time in nanoseconds, and symbols; None and empty mean all.

    Frames before `from_time` are replayed all the same: the state at its beginning is made of them.
    """

    from_time: int | None = None
    to_time: int | None = None
    symbols: tuple[str, ...] = ()
    last: Position | None = None
    """Of its partition of the log nothing after it is read."""


@dataclass(frozen=True)
class Replay:
    """A replay that has been started."""

    job: SubmittedJob
    namespace: str
    frames: int


def start_replay(
    settings: Settings, lake: LakeSettings, catalog: Catalog, endpoints: Endpoints, wanted: Range, parallelism: int | None = None
) -> Replay:
    """Publish the stored frames and control log to topics of their own and submit the bounded job. Raises FrameChanged, JobFailed."""
    settings = settings_that_made_rows(catalog, settings)
    plan = _replay_plan(settings, lake, wanted, parallelism)
    partitions = settings.kafka.partitions
    topics = {plan.frames_topic: partitions, plan.control_topic: 1}
    kafka.ensure_topics(settings.kafka.bootstrap_servers, topics, KEEP_FOR_EVER, settings.kafka.librdkafka_properties())
    publish_control(catalog, settings, plan.control_topic)
    frames = publish_frames(catalog, settings, plan.frames_topic, wanted)
    return Replay(submit(plan, "replay", endpoints), plan.namespace, frames)


def settings_that_made_rows(catalog: Catalog, settings: Settings) -> Settings:
    """These settings, with everything that decides results as it was in the newest run that streamed; unchanged where none is noted."""
    columns = ("started_at", "verb", "settings")
    rows = [row for batch in read_rows(catalog, NAMESPACE, "runs", columns) for row in batch.to_pylist() if row["verb"] != "replay"]
    if not rows:
        return settings
    recorded = Settings.model_validate_json(max(rows, key=lambda row: row["started_at"])["settings"])
    return settings.model_copy(update={name: getattr(recorded, name) for name in ("kernel", "scoring", "universe", "topics")})


def _replay_plan(settings: Settings, lake: LakeSettings, wanted: Range, parallelism: int | None) -> JobPlan:
    if parallelism is not None:
        settings = settings.model_copy(update={"flink": settings.flink.model_copy(update={"parallelism": parallelism})})
    plan = live_plan(settings, lake)
    name = plan.run_id.replace("-", "_").lower()
    return replace(
        plan,
        frames_topic=f"replay.{name}.frames",
        control_topic=f"replay.{name}.control",
        positions_in_headers=True,
        reading=Reading(bounded=True),
        namespace=f"replay_{name}",
        topics_written=(),
        lake_written=("feature", "bar", "signal", "alert", "reject"),
        from_time=wanted.from_time,
        to_time=wanted.to_time,
        job_name="tickflow-replay",
    )


def _publisher(settings: Settings) -> KafkaPublisher:
    return KafkaPublisher(PublisherSettings.of(settings.kafka))


def publish_control(catalog: Catalog, settings: Settings, topic: str) -> int:
    """The stored control log, each entry at the offset it had; how many there are."""
    payloads = stored_control(catalog)
    sink = _publisher(settings)
    for payload in payloads:
        sink.send(topic, b"", payload, 0)
    sink.flush()
    return len(payloads)


def publish_frames(catalog: Catalog, settings: Settings, topic: str, wanted: Range) -> int:
    """The stored frames in log order, with their first positions in the headers; how many there are."""
    sink = _publisher(settings)
    count = 0
    for frame in checked_frames(catalog, wanted):
        headers: Headers = [("partition", str(frame.position.partition).encode()), ("offset", str(frame.position.offset).encode())]
        sink.send(topic, frame.symbol.encode(), frame.frame, frame.event_time // 1_000_000, headers)
        count += 1
    sink.flush()
    return count


def checked_frames(catalog: Catalog, wanted: Range) -> Iterator[StoredFrame]:
    """Frames in log order up to the end of the range, each compared with the hash that was stored beside it."""
    to_time = None if wanted.to_time is None else wanted.to_time + FRAME_SPAN
    selection = replace(EVERYTHING, to_time=to_time, symbols=wanted.symbols) if to_time or wanted.symbols else Selection()
    for frame in frames_in_order(catalog, NAMESPACE, selection, wanted.last):
        found = frame_hash(frame.frame)
        if found != frame.frame_hash:
            raise FrameChanged(frame, frame.frame_hash, found)
        yield frame


def frame_hash(frame: bytes) -> str:
    """What the job stores beside a frame: SHA-256 of the bytes read as Latin-1 and written as UTF-8; Flink SQL computes the same."""
    return hashlib.sha256(frame.decode("latin-1").encode()).hexdigest()


def wait_for_replay(replay: Replay, timeout_seconds: float) -> None:
    """Wait until the replay has ended. Raises JobFailed."""
    flink.wait_for_state(replay.job.rest_url, replay.job.job_id, "FINISHED", timeout_seconds)
