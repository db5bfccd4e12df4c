"""How fast other systems drain the same market, each on its natural wire, beside Tickflow with everything that it does.

All run one after the other on the same machine and broker. Ticks are in the broker before a system starts; what is counted begins when a
share of the rows is out, so that no start-up counts. Tickflow makes all its features, scores, explains, stores and serves them; the others
do the small task of `task`. Rows are counted against those that were made of the same ticks in one process.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from infra.local.console import say
from infra.local.kafka import ensure_topics
from jobs.benchmark.machine import cpu_seconds, description, stolen_seconds
from jobs.benchmark.peers.environment import peers_python
from jobs.benchmark.peers.programs import FEW_TICKS, FRAMES, ORDERED_TICKS, PEERS, TICKS, Peer, Place, running
from jobs.benchmark.peers.ticks import Wanted, encoded, ticks_of, wanted
from jobs.benchmark.prepared_log import PreparedLog
from jobs.benchmark.throughput import Sample, measure_throughput, records_in, summary
from jobs.gateway.publisher import KafkaPublisher, PublisherSettings
from jobs.session import local_session
from jobs.settings import Settings

_STARTING_SECONDS, _STANDSTILL_SECONDS = 300.0, 60.0
"""How long the first row, and the next one, may take before nobody waits for more."""


def measure_peers(data: Path, log: PreparedLog, ticks: PreparedLog) -> dict[str, Any]:
    """Tickflow over `log`, the others over `ticks`: ticks a second and processor time of each, and how many times theirs ours is."""
    machine, python = description(), peers_python()
    ours = measure_throughput(data, log)
    shutil.rmtree(data)
    with local_session(data) as session:
        expected = publish_all(session.settings, log, ticks)
        found = {peer.name: measured(session.settings, peer, python, data, expected[peer.topic]) for peer in PEERS}
    for result in found.values():
        theirs = result["ticks_a_second"]
        result["tickflow_is_times_as_fast"] = round(ours["ticks_a_second"] / theirs, 2) if theirs else None
    holds = ours["holds"] and all(result["holds"] for result in found.values())
    tickflow = {name: ours[name] for name in ("ticks", "ticks_a_frame", "ticks_a_second", "cpu_seconds_a_million_ticks", "stolen_seconds")}
    return {"tickflow": tickflow, "peers": found, "holds": holds, "machine": machine}


def publish_all(settings: Settings, log: PreparedLog, ticks: PreparedLog) -> dict[str, Wanted]:
    """Everything that somebody reads; what must come of each topic."""
    few, partitions = replace(ticks, ticks=ticks.ticks // 10), settings.kafka.partitions
    for topic, source, count in ((TICKS, ticks, partitions), (FEW_TICKS, few, partitions), (ORDERED_TICKS, ticks, 1)):
        _publish(settings, topic, count, ((tick["symbol"].encode(), encoded(tick)) for tick in ticks_of(source)))
    _publish(settings, FRAMES, partitions, ((record.symbol.encode(), record.frame) for record in log.records(0)))
    all_ticks = wanted(ticks)
    return {TICKS: all_ticks, ORDERED_TICKS: all_ticks, FEW_TICKS: wanted(few), FRAMES: Wanted(log.events, features=log.rows)}


def _publish(settings: Settings, topic: str, partitions: int, records: Iterable[tuple[bytes, bytes]]) -> None:
    _make(settings, topic, partitions)
    publisher = KafkaPublisher(PublisherSettings.of(settings.kafka))
    for key, value in records:
        publisher.send(topic, key, value, 0)
    publisher.flush()


def _make(settings: Settings, topic: str, partitions: int) -> None:
    ensure_topics(settings.kafka.bootstrap_servers, {topic: partitions}, client=settings.kafka.librdkafka_properties())


def measured(settings: Settings, peer: Peer, python: Path, data: Path, expected: Wanted) -> dict[str, Any]:
    """Run one system until all its rows are out, or no more come."""
    topic, rows = f"peers.rows.{peer.module}", getattr(expected, peer.result)
    _make(settings, topic, settings.kafka.partitions)
    place = Place(settings.kafka.bootstrap_servers, peer.topic, topic, data / "peers" / peer.module)
    say(f"bench: {peer.name}, {expected.ticks} ticks")
    with running(peer, python, place):
        samples = list(_samples(settings, topic, rows))
    made = samples[-1].frames
    counted = summary(samples, rows, expected.ticks)
    counted.pop("ticks_a_frame", None)
    return {"ticks": expected.ticks, **counted, "rows_expected": rows, "rows": made, "holds": made == rows}


def _samples(settings: Settings, topic: str, rows: int) -> Iterator[Sample]:
    """How many rows are out, every half second, until all are or none came for too long."""
    made, until = -1, time.monotonic() + _STARTING_SECONDS
    while made < rows and time.monotonic() < until:
        now = records_in(settings, topic)
        if now > made:
            yield Sample(time.monotonic(), now, cpu_seconds(), stolen_seconds())
            until = until if now == 0 else time.monotonic() + _STANDSTILL_SECONDS
            made = now
        time.sleep(0.5)
