"""The online store against a real Kafka and a Redis of its own: killed, emptied, cut off, and right in the end."""

from __future__ import annotations

import os
import signal as signals
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from confluent_kafka import Producer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.local import environment, ports, processes, redis_server
from infra.local.endpoints import Endpoints
from infra.local.kafka import ensure_topics
from jobs.serving.latest import read_latest
from jobs.serving.online_process import OnlineStoreHandle, start_online_store
from jobs.serving.online_records import OnlineDecoder, replaces
from jobs.serving.redis_writer import GENERATION_KEY, RedisWriter, StoreWiped, connect
from jobs.settings import Settings
from tests.support.online_records import SECOND, START, abstained, as_sent, expected_content, feature_row, send, signal
from udfs.codecs.wire import PINNED
from udfs.records import FeatureRow, Signal

PARTITIONS = 2
DEADLINE_SECONDS = 40.0
SYMBOLS = tuple(f"S{number}" for number in range(12))


@dataclass
class OwnRedis:
    """A Redis that may be killed."""

    folder: Path
    port: int
    url: str = ""
    client: Any = None
    program: processes.Program | None = None
    lives: int = 0

    def start(self) -> None:
        """Start with nothing in it."""
        self.lives += 1
        command = redis_server.prepare(self.folder / f"life-{self.lives}", self.port)
        self.program = processes.start("own-redis", command, self.folder / "redis.log", environment.program_environment(), detached=False)
        processes.wait_until(lambda: redis_server.is_ready(self.url), self.program, redis_server.START_SECONDS)

    def kill(self) -> None:
        assert self.program is not None
        os.kill(self.program.pid, signals.SIGKILL)
        processes.stop([self.program])


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    folder = tmp_path_factory.mktemp("own-redis")
    port = ports.choose(["redis"], folder / "ports.json")["redis"]
    found = OwnRedis(folder, port, f"redis://127.0.0.1:{port}/0")
    found.client = connect(found.url)
    found.start()
    yield found
    found.client.close()
    found.kill()


@dataclass
class Bench:
    """Two topics, a Redis, and a program between them."""

    settings: Settings
    redis: OwnRedis
    log: Path
    name: str
    sent: list[Any] = field(default_factory=list)
    handle: OnlineStoreHandle | None = None

    def start(self) -> None:
        self.handle = start_online_store(self.settings, self.log, group=f"group-{self.name}", instance=self.name)

    def kill(self) -> None:
        """As the kernel would, without a word."""
        assert self.handle is not None
        os.kill(self.handle.program.pid, signals.SIGKILL)
        processes.stop([self.handle.program])

    def stop(self) -> dict[str, int]:
        assert self.handle is not None
        counts, self.handle = self.handle.stop(), None
        return counts

    def send(self, *records: FeatureRow | Signal) -> None:
        made = [as_sent(record, self.settings.topics.features, self.settings.topics.signals) for record in records]
        self.sent += made
        send(self.settings.kafka.bootstrap_servers, made)

    def content(self) -> dict[bytes, dict[bytes, bytes]]:
        keys = [key for key in self.redis.client.scan_iter("tickflow:*") if key != GENERATION_KEY.encode()]
        return {key: self.redis.client.hgetall(key) for key in keys}

    def wanted(self) -> dict[bytes, dict[bytes, bytes]]:
        return expected_content(self.sent, self.settings.topics.features, self.settings.topics.signals)

    def settle(self) -> None:
        """Return when Redis holds the newest of everything that was sent, and nothing else."""
        wanted = self.wanted()
        wait_for(lambda: self.content() == wanted, lambda: f"{self.content().keys() ^ wanted.keys()}\n{self.log.read_text()}")


def wait_for(held: Callable[[], bool], told: Callable[[], str]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not held():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {DEADLINE_SECONDS} s: {told()}")
        time.sleep(0.05)


@pytest.fixture
def bench(services: Endpoints, own_redis: OwnRedis, tmp_path: Path) -> Iterator[Bench]:
    own_redis.client.flushall()
    name = uuid4().hex[:8]
    topics = {"features": f"features-{name}", "signals": f"signals-{name}"}
    ensure_topics(services.kafka_bootstrap, dict.fromkeys(topics.values(), PARTITIONS), {"retention.ms": "-1"})
    values = {
        "kafka": {"bootstrap_servers": services.kafka_bootstrap},
        "topics": topics,
        "online": {"redis_url": own_redis.url, "time_to_live_seconds": 3600},
    }
    found = Bench(Settings.model_validate(values), own_redis, tmp_path / "online.log", name)
    yield found
    if found.handle is not None:
        found.kill()


def some(first: int, last: int) -> list[FeatureRow | Signal]:
    """Rows and signals first..last of every symbol, in the order of time."""
    return [make(symbol, number) for number in range(first, last) for symbol in SYMBOLS for make in (feature_row, signal)]


def test_what_was_sent_is_read_with_its_age(bench: Bench) -> None:
    """Typed, bit for bit, in one round trip; NaN too; a symbol that nobody heard of is None; records leave with their time."""
    bench.send(*some(1, 30), abstained(signal("S1", 40)), feature_row("S1", 41))
    bench.start()
    bench.settle()
    found = read_latest(bench.redis.client, ["S0", "S1", "nobody"], now=START + 60 * SECOND)
    assert list(found) == ["S0", "S1", "nobody"]
    first, second = found["S0"].signal, found["S1"].signal
    assert first is not None
    assert second is not None
    sent = signal("S0", 29)
    assert (first.price, first.reasons, first.direction, first.probabilities) == (
        sent.price,
        sent.reasons,
        sent.direction,
        sent.probabilities,
    )
    assert first.age_seconds == pytest.approx(31)
    assert np.isnan([second.confidence, *second.probabilities]).all()
    features = found["S1"].features
    assert features is not None
    assert features.values.tobytes() == feature_row("S1", 41).values.tobytes()
    assert features.valid.tolist() == [True, False, True]
    assert (found["nobody"].signal, found["nobody"].features) == (None, None)
    assert 0 < bench.redis.client.ttl("tickflow:signal:S0") <= 3600
    counts = bench.stop()
    assert counts["records"] == len(bench.sent)
    assert counts["written"] + counts["superseded"] + counts["stale"] == len(bench.sent)


def number_of(bench: Bench) -> int:
    return int(bench.redis.client.hget("tickflow:signal:S0", "event_number") or 0)


def has_passed(bench: Bench, number: int) -> bool:
    return number_of(bench) > number


def test_killed_again_and_again_it_ends_with_the_same_content(bench: Bench) -> None:
    """At whatever moment it dies, its successor goes on from what Redis acknowledged; nothing is lost and nothing goes back."""
    seen = 0
    for life in range(4):
        bench.start()
        bench.send(*some(1 + life * 300, 301 + life * 300))
        wait_for(partial(has_passed, bench, seen), bench.log.read_text)
        time.sleep(0.02 * life)
        bench.kill()
        now = number_of(bench)
        assert now >= seen
        seen = now
    bench.start()
    bench.settle()


def test_an_emptied_redis_is_filled_again(bench: Bench) -> None:
    """While it runs and nothing new arrives, and while it is dead; to the same values."""
    bench.send(*some(1, 20))
    bench.start()
    bench.settle()
    bench.redis.client.flushall()
    bench.settle()
    bench.kill()
    bench.redis.client.flushall()
    bench.start()
    bench.settle()
    bench.stop()
    bench.start()
    bench.send(signal("S3", 50))
    bench.settle()
    assert bench.stop()["partitions_refilled"] == 0


def test_only_the_time_to_live_is_read_again(bench: Bench) -> None:
    """It refers to the newest record's time, not to today's."""
    old, recent = [signal("S0", 1, START)], [signal("S0", number, START + (7200 + number) * SECOND) for number in range(2, 6)]
    bench.send(*old, *recent)
    bench.start()
    bench.settle()
    assert bench.stop()["records"] == len(recent)


def test_without_redis_nothing_is_lost(bench: Bench) -> None:
    """It waits, says so, and goes on by itself, into a Redis that has forgotten everything."""
    bench.send(*some(1, 10))
    bench.start()
    bench.settle()
    bench.redis.kill()
    bench.send(*some(10, 20))
    wait_for(lambda: "holding the position" in bench.log.read_text(), bench.log.read_text)
    bench.redis.start()
    bench.settle()
    counts = bench.stop()
    assert counts["outages"] == 1
    assert "going on after" in bench.log.read_text()


def test_records_that_nobody_can_read_are_counted_and_passed(bench: Bench) -> None:
    producer = Producer({"bootstrap.servers": bench.settings.kafka.bootstrap_servers})
    producer.produce(bench.settings.topics.signals, b"nonsense", b"S0", timestamp=START // 1_000_000)
    assert producer.flush(20) == 0
    bench.send(*some(1, 3))
    bench.start()
    bench.settle()
    assert bench.stop()["malformed"] == 1


TIMES = st.integers(0, 40).map(lambda number: START + number * SECOND)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 20), TIMES), min_size=1, max_size=12))
def test_redis_decides_as_the_program_does(own_redis: OwnRedis, records: list[tuple[int, int]]) -> None:
    """The script's rule is the rule of `replaces`, write by write."""
    own_redis.client.flushall()
    writer = RedisWriter(own_redis.url, 60)
    generation, decoder = writer.generation(), OnlineDecoder("features", "signals", PINNED)
    kept: tuple[int, int] | None = None
    for number, at in records:
        made = as_sent(signal("A", number, at), "features", "signals")
        result = writer.write(generation, [decoder.decode("signals", made.value)])
        taken = kept is None or replaces(number, at, *kept)
        assert (result.written, result.stale) == (int(taken), int(not taken))
        kept = (number, at) if taken else kept
        assert own_redis.client.hmget("tickflow:signal:A", "event_number", "event_time") == [str(part).encode() for part in kept or ()]
    own_redis.client.flushall()
    with pytest.raises(StoreWiped):
        writer.write(generation, [])
    writer.close()
