"""One run of the stream job, with topics and a lake of its own, over the parts of some rounds: started, fed, stopped, restored."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import redis
from confluent_kafka.admin import AdminClient
from pyiceberg.catalog import Catalog

from infra.local import flink, kafka, shipping
from jobs.control import publish
from jobs.gateway.publisher import KafkaPublisher, PublisherSettings
from jobs.job_plan import JobPlan
from jobs.kafka_settings import Topics
from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.settings import LakeSettings
from jobs.serving.online_process import OnlineStoreHandle, start_online_store
from jobs.serving.online_records import feature_key, signal_key
from jobs.session import settings_file
from jobs.settings import Settings, load_settings
from jobs.stored import wait_until_stored
from jobs.submission import KEEP_FOR_EVER, live_plan
from tests.integration.chaos.cluster import Cluster
from tests.integration.chaos.market import Frame, Market
from tests.support import failing_stream_job

CHECKPOINT_MILLISECONDS = 3_000
PATIENCE_SECONDS = 300.0
ENTRY = Path(failing_stream_job.__file__)


@dataclass
class Stream:
    """The job of some rounds, and what it was fed."""

    cluster: Cluster
    name: str
    settings: Settings
    plan: JobPlan
    lake: LakeSettings
    """As this process reaches it: without the gate."""
    online: OnlineStoreHandle
    job_ids: list[str] = field(default_factory=list)
    """One for each time that the job was submitted, the running one last."""
    restored_from: str = ""
    parallelism: int = 1
    sent: int = 0
    publisher: KafkaPublisher = field(init=False)

    def __post_init__(self) -> None:
        self.publisher = KafkaPublisher(PublisherSettings.of(self.settings.kafka))

    @property
    def rest_url(self) -> str:
        """Of the JobManager."""
        return self.cluster.endpoints.flink_rest_url

    @property
    def job_id(self) -> str:
        """The job that runs, or was the last to run."""
        return self.job_ids[-1]

    def newest_state(self) -> str:
        """Where a job that is lost is to be restored from; nothing when it has completed no checkpoint since its beginning."""
        return self.cluster.newest_checkpoint(self.job_id) or self.restored_from

    @property
    def catalog(self) -> Catalog:
        """The lake's, opened anew."""
        return open_catalog(self.lake)

    def start(self, restore_from: str = "", parallelism: int = 1) -> None:
        """Submit the job, from a savepoint or checkpoint where one is named, and wait until all its tasks run."""
        endpoints, options = self.cluster.endpoints, {"execution.state-recovery.path": restore_from} if restore_from else {}
        flink_settings = self.settings.flink.model_copy(update={"parallelism": parallelism})
        plan = replace(self.plan, settings=self.settings.model_copy(update={"flink": flink_settings}))
        variables = endpoints.as_environment() | {failing_stream_job.WITNESS: str(self.cluster.planted_failure)}
        arguments = (ENTRY, ["--plan", plan.to_json()], self.rest_url, shipping.build_zip(), endpoints.flink_configuration)
        self.job_ids.append(flink.submit(*arguments, options=options, variables=variables, timeout_seconds=PATIENCE_SECONDS))
        self.restored_from, self.parallelism = restore_from, parallelism
        self.wait_until_running()

    def wait_until_running(self) -> None:
        """Return once all tasks run, whatever they recover from."""
        flink.wait_until_running(self.rest_url, self.job_id, PATIENCE_SECONDS)

    def stop(self) -> str:
        """Stop the job with a savepoint; where that lies. Tried again when the job fails meanwhile: a fault may strike into it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.wait_until_running()
            try:
                return flink.stop_with_savepoint(self.rest_url, self.job_id, self.cluster.folder / "savepoints")
            except (flink.JobFailed, OSError):
                if time.monotonic() > deadline or flink.job_state(self.rest_url, self.job_id) in flink.FINAL_STATES:
                    raise

    def send(self, frames: Sequence[Frame]) -> None:
        """Put frames into the log, and wait until they are in it."""
        for frame in frames:
            self.publisher.send(self.plan.frames_topic, frame.symbol.encode(), frame.data, frame.timestamp_milliseconds)
        self.publisher.flush()
        self.sent += len(frames)

    def settle(self) -> None:
        """Wait until all that was sent has gone through and is stored."""
        self.cluster.planted_failure.unlink(missing_ok=True)
        self.cluster.start()
        wait_until_stored(self.catalog, self.rest_url, self.job_id, self.sent, PATIENCE_SECONDS)


@contextmanager
def stream_of(cluster: Cluster, market: Market, name: str, exactly_once: bool) -> Iterator[Stream]:
    """Topics, tables, the control log and Redis with its feeder and nothing of the market; all of it thrown away afterwards."""
    cluster.start()
    found = _prepared(cluster, market, name, exactly_once)
    try:
        found.start()
        yield found
    finally:
        found.online.stop()
        _throw_away(found)


def _prepared(cluster: Cluster, market: Market, name: str, exactly_once: bool) -> Stream:
    settings = _settings(cluster, name, exactly_once)
    gated = _lake(cluster, name, cluster.gate.endpoint)
    plan = replace(live_plan(settings, gated), frames_topic=f"{name}.frames", job_name=f"chaos-{name}")
    topics = dict.fromkeys((plan.frames_topic, *settings.topics.model_dump().values()), settings.kafka.partitions)
    kafka.ensure_topics(settings.kafka.bootstrap_servers, topics | {settings.topics.control: 1}, KEEP_FOR_EVER)
    publisher = PublisherSettings.of(settings.kafka)
    sink = KafkaPublisher(publisher)
    for event in market.control:
        publish(event, publisher, settings.topics.control, sink)
    lake = replace(gated, s3_endpoint=str(cluster.endpoints.s3_endpoint))
    create_tables(open_catalog(lake), lake.buckets)
    _forget(cluster.endpoints.redis_url, market)
    online = start_online_store(settings, cluster.folder / "logs" / f"online-{name}.log", group=f"online-{name}", instance=name)
    return Stream(cluster, name, settings, plan, lake, online)


def _forget(redis_url: str, market: Market) -> None:
    """Take the market's symbols out of Redis."""
    client = redis.Redis.from_url(redis_url)
    symbols = [symbol for part in market.parts.values() for symbol in part.symbols]
    client.delete(*(key(symbol) for symbol in symbols for key in (feature_key, signal_key)))
    client.close()


def _settings(cluster: Cluster, name: str, exactly_once: bool) -> Settings:
    settings = load_settings(settings_file("local"), cluster.endpoints.as_environment())
    topics = {role: f"{name}.{topic}" for role, topic in Topics().model_dump().items() if role != "frames"}
    guarantee = "exactly-once" if exactly_once else "at-least-once"
    return settings.model_copy(
        update={
            "topics": Topics(**topics),  # rows name the topic of frames: the same in each round
            "kafka": settings.kafka.model_copy(update={"delivery_guarantee": guarantee}),
            "flink": settings.flink.model_copy(update={"checkpoint_interval_milliseconds": CHECKPOINT_MILLISECONDS}),
        }
    )


def _lake(cluster: Cluster, name: str, s3_endpoint: str) -> LakeSettings:
    folder = cluster.folder / "lakes" / name
    folder.mkdir(parents=True)
    return LakeSettings(f"{cluster.endpoints.warehouse}/{name}", uri=str(folder / "catalog.db"), s3_endpoint=s3_endpoint, buckets=1)


def _throw_away(stream: Stream) -> None:
    """The job, its checkpoints, its topics and its tables, as far as what is left of the cluster allows."""
    for job_id in stream.job_ids[-1:]:
        with suppress(OSError, flink.JobFailed):
            flink.cancel(stream.rest_url, job_id)
    client = AdminClient({"bootstrap.servers": stream.settings.kafka.bootstrap_servers})
    own = [topic for topic in client.list_topics(timeout=kafka.ADMIN_SECONDS).topics if topic.startswith(f"{stream.name}.")]
    for deleted in client.delete_topics(own).values():
        deleted.result(kafka.ADMIN_SECONDS)
    folder = stream.cluster.folder
    checkpoints = [folder / "checkpoints" / job_id for job_id in stream.job_ids]
    for thrown in (*checkpoints, folder / "lakes" / stream.name, *folder.glob(f"s3/objects/*/warehouse/{stream.name}")):
        shutil.rmtree(thrown, ignore_errors=True)
