"""The API as a program of this process: a real server on a free port, with topics, users and a lake of its own."""

from __future__ import annotations

import os
import signal as signals
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from confluent_kafka import Producer

from infra.local import environment, ports, processes, redis_server
from infra.local.kafka import ensure_topics
from jobs.lake.settings import LakeSettings, local_lake
from jobs.serving.api.application import application
from jobs.serving.api.parts import Parts, ServeSettings
from jobs.serving.api.protocol import PatientProtocol
from jobs.serving.api.users import Users
from jobs.serving.online_records import OnlineDecoder
from jobs.serving.redis_writer import RedisWriter
from jobs.settings import Settings
from tests.support.feature_lake import moment
from tests.support.online_records import HERE, SECOND, START, as_sent
from udfs.codecs.rows import encode_feature_row
from udfs.codecs.signals import encode_alert, encode_signal
from udfs.codecs.wire import PINNED
from udfs.records import Alert, FeatureRow, Signal

DEADLINE_SECONDS = 40.0
ROLES = ("control", "features", "signals", "alerts", "bars", "news")
NOBODY = "127.0.0.1:1"
"""An address at which nothing ever listens."""


def own_settings(bootstrap: str, redis_url: str) -> Settings:
    """Settings with topics that nobody else uses, which are made unless nobody listens there."""
    topics = {role: f"{role}-{uuid4().hex[:8]}" for role in ROLES}
    if bootstrap != NOBODY:
        wanted = {name: 1 if role == "control" else 2 for role, name in topics.items()}
        ensure_topics(bootstrap, wanted, {"retention.ms": "-1"})
    return Settings.model_validate({"kafka": {"bootstrap_servers": bootstrap}, "topics": topics, "online": {"redis_url": redis_url}})


@dataclass
class Served:
    """A running API, and what tests do with it."""

    url: str
    parts: Parts
    users: Users
    lake: LakeSettings
    log: list[dict[str, Any]]
    keys: dict[str, str] = field(default_factory=dict)

    def key(self, user: str = "ann", scopes: Sequence[str] = ("read", "write")) -> str:
        """A key of that user with these scopes."""
        name = f"{user} {sorted(scopes)}"
        if name not in self.keys:
            self.keys[name] = self.users.add_key(user, scopes)[1]
        return self.keys[name]

    def client(self, user: str = "ann", scopes: Sequence[str] = ("read", "write")) -> httpx.Client:
        """A client with such a key."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.key(user, scopes)}"}, timeout=30, verify=False)

    def stranger(self) -> httpx.Client:
        """A client without a key."""
        return httpx.Client(base_url=self.url, timeout=30, verify=False)

    def send(self, *records: Signal | FeatureRow | Alert) -> None:
        """Put records on their topics as the job does."""
        send_records(self.parts.settings, *records)


def send_records(settings: Settings, *records: Signal | FeatureRow | Alert) -> None:
    """Put records on their topics as the job does."""
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap_servers})
    for record in records:
        topic, value = as_record(settings, record)
        producer.produce(topic, value, record.symbol.encode(), timestamp=record.event_time // 1_000_000)
    assert producer.flush(20) == 0


def as_record(settings: Settings, record: Signal | FeatureRow | Alert) -> tuple[str, bytes]:
    """Topic and bytes."""
    if isinstance(record, Signal):
        return settings.topics.signals, encode_signal(record)
    if isinstance(record, Alert):
        return settings.topics.alerts, encode_alert(record)
    return settings.topics.features, encode_feature_row(record)


def wait_until(held: Callable[[], bool], told: Callable[[], object] = str) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not held():
        assert time.monotonic() < deadline, f"not within {DEADLINE_SECONDS} s: {told()}"
        time.sleep(0.02)


@contextmanager
def served(settings: Settings, folder: Path, **serve: Any) -> Iterator[Served]:
    """The API until the block ends; it listens, and has read the control log unless there is no broker."""
    lake, log = local_lake(folder / "lake", buckets=2), list[dict[str, Any]]()
    file = folder / "users.db"
    defaults: dict[str, Any] = {"requests_a_second": 10_000.0, "requests_at_once": 10_000.0, "follows_stream": True}
    made = application(settings, lake, ServeSettings(file, **{**defaults, **serve}), log.append)
    port = ports.free_port(set())
    server = uvicorn.Server(
        uvicorn.Config(
            made, host="127.0.0.1", port=port, http=PatientProtocol, access_log=False, log_level="warning", timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run, name="served", daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive())
        assert server.started, "the server did not begin"
        parts: Parts = made.state.parts
        found = Served(f"http://127.0.0.1:{port}", parts, Users(file), lake, log)
        if settings.kafka.bootstrap_servers != NOBODY:
            wait_until(lambda: parts.control.caught_up and parts.feed.healthy, lambda: (vars(parts.control), vars(parts.feed)))
        yield found
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def own_redis(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """A Redis of one's own: its URL, and how to kill it."""
    port = ports.free_port(set())
    url = f"redis://127.0.0.1:{port}/0"
    command = redis_server.prepare(folder / "redis", port)
    program = processes.start("own-redis", command, folder / "redis.log", environment.program_environment(), detached=False)
    processes.wait_until(lambda: redis_server.is_ready(url), program, redis_server.START_SECONDS)
    try:
        yield url, lambda: os.kill(program.pid, signals.SIGKILL)
    finally:
        processes.stop([program])


RULE: dict[str, Any] = {"measure": "price_move", "threshold": 0.02, "rearm_below": 0.01, "cool_down_seconds": 60, "symbols": ["A", "B"]}


def store(settings: Settings, *records: Signal) -> None:
    """What the online store would have written."""
    writer, decoder = RedisWriter(settings.online.redis_url, 3600), OnlineDecoder("features", "signals", PINNED)
    sent = [as_sent(record, "features", "signals") for record in records]
    writer.write(writer.generation(), [decoder.decode(each.topic, each.value) for each in sent])
    writer.close()


def alert(symbol: str, number: int, rule_id: str = "big-move") -> Alert:
    time = START + number * SECOND
    return Alert(f"alert-{symbol}-{number}", rule_id, symbol, time, time, number, "price_move", 0.01, 0.02, "", HERE, "manifest")


def answer_of(client: httpx.Client, symbol: str) -> dict[str, Any]:
    answers: list[dict[str, Any]] = client.get("/v1/signals", params={"symbols": symbol}).json()["answers"]
    return answers[0]


def stored_bar(symbol: str, minute: int, close: float = 1.0) -> dict[str, Any]:
    """A minute's bar as a row of the lake."""
    start = START + minute * 60 * SECOND
    prices = dict.fromkeys(("open", "high", "low", "volume", "notional", "signed_volume"), 1.0)
    place = {"topic": "frames", "kafka_partition": 0, "kafka_offset": minute, "event_index": 0, "manifest_id": "m"}
    times = {
        "start_time": moment(start),
        "start_time_ns": start,
        "available_time_ns": start + 60 * SECOND,
        "length_seconds": 60,
        "trades": 3,
    }
    return {"symbol": symbol, "close": close, **prices, **times, **place}
