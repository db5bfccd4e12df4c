"""Replay: stored frames go through the same job again, with the positions and the control log they had, into a namespace of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pyiceberg.catalog import Catalog

from infra.local import flink, kafka
from infra.local.endpoints import Endpoints
from jobs.gateway.publisher import Headers, KafkaPublisher, PublisherSettings
from jobs.job_plan import JobPlan
from jobs.kafka_tables import Reading
from jobs.lake.settings import LakeSettings
from jobs.recomputation.frames import stored_control
from jobs.recomputation.stored import Range, checked_frames, settings_that_made_rows
from jobs.settings import Settings
from jobs.submission import KEEP_FOR_EVER, SubmittedJob, live_plan, submit


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


def wait_for_replay(replay: Replay, timeout_seconds: float) -> None:
    """Wait until the replay has ended. Raises JobFailed."""
    flink.wait_for_state(replay.job.rest_url, replay.job.job_id, "FINISHED", timeout_seconds)
