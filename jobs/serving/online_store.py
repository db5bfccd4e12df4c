"""The program that feeds Redis from the topics of features and signals: at least once, and never an older record over a newer one.

Positions are committed after Redis acknowledged, together with the generation of Redis that they belong to. So there is one way out of
everything that can go wrong (Redis away, emptied or restarted, this program killed, partitions moved): hold, and start again from what
was committed, or from the time to live before the newest record where Redis is not the one that was written to.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaException, Message
from redis import RedisError

from infra.local.console import print_json, say
from jobs.monitoring.programs import add_metrics_options, metrics_served, online_samples
from jobs.schema_registry import RegistryError, schema_ids
from jobs.serving.log_reader import LogReader, LogSettings, LogUnreadable
from jobs.serving.online_records import OnlineDecoder, OnlineRecord, keep_newest
from jobs.serving.redis_writer import RedisWriter, StoreWiped
from jobs.serving.shedding import ShedFollower, ShedLevelNow
from jobs.settings import Settings, load_settings
from udfs.errors import InvalidSettings, MalformedMessage
from udfs.records import ShedLevel

GROUP: Final = "tickflow-online-store"
MOST_RECORDS: Final = 2000
GATHER_SECONDS: Final = 0.005
IDLE_SECONDS: Final = 0.25
COMMIT_SECONDS: Final = 0.25
FIRST_BACK_OFF_SECONDS, LAST_BACK_OFF_SECONDS = 0.1, 5.0


@dataclass(slots=True)
class OnlineCounts:
    """What the program did."""

    records: int = 0
    """Read, those that were read again included."""
    written: int = 0
    superseded: int = 0
    """Not written: a newer record of the symbol was in the same batch."""
    stale: int = 0
    """Not written: Redis had a newer one."""
    shed: int = 0
    """Feature rows not written because of load shedding."""
    malformed: int = 0
    batches: int = 0
    partitions_refilled: int = 0
    """Partitions that went back because Redis was not the one that was written to."""
    wipes: int = 0
    outages: int = 0


class OnlineStore:
    """Copies until it is told to stop."""

    def __init__(
        self, reader: LogReader, writer: RedisWriter, decoder: OnlineDecoder, features_topic: str, shed_level: ShedLevelNow = lambda: 0
    ) -> None:
        self.counts = OnlineCounts()
        self._features_topic, self._shed_level = features_topic, shed_level
        self._reader, self._writer, self._decoder = reader, writer, decoder
        self._generation = ""
        self._committed_at = time.monotonic()
        self._away_since = 0.0
        self._back_off = FIRST_BACK_OFF_SECONDS

    def run(self, stopped: Callable[[], bool]) -> OnlineCounts:
        """Copy until `stopped`. Raises LogUnreadable when the topics cannot be read at all."""
        try:
            while not stopped():
                try:
                    self._step()
                except StoreWiped as wiped:
                    self._go_back(wiped)
                except (RedisError, KafkaException) as error:
                    self._outage(error, stopped)
        finally:
            self._reader.close()
            self._writer.close()
        return self.counts

    def _step(self) -> None:
        if self._reader.must_start:
            self._start()
        self._copy(self._reader.batch(MOST_RECORDS, GATHER_SECONDS, IDLE_SECONDS))

    def _start(self) -> None:
        self._generation = self._writer.generation()
        refilled = self._reader.start(self._generation)
        self.counts.partitions_refilled += refilled
        if refilled:
            say(f"online store: filling Redis again from {refilled} partitions")

    def _copy(self, messages: list[Message]) -> None:
        if not self._generation:
            return
        newest = self._newest(self._kept(messages))
        result = self._writer.write(self._generation, newest.values())
        self._reader.done(messages)
        self.counts.records += len(messages)
        self.counts.written += result.written
        self.counts.stale += result.stale
        self.counts.batches += bool(messages)
        self._recovered()
        if time.monotonic() - self._committed_at >= COMMIT_SECONDS:
            self._committed_at = time.monotonic()
            self._reader.commit(wait=False)

    def _kept(self, messages: list[Message]) -> list[Message]:
        """Under too much load without the feature rows, before they cost anything; the next row of a symbol makes up for it."""
        if self._shed_level() < ShedLevel.ONLINE_FEATURES:
            return messages
        kept = [message for message in messages if message.topic() != self._features_topic]
        self.counts.shed += len(messages) - len(kept)
        return kept

    def _newest(self, messages: list[Message]) -> dict[str, OnlineRecord]:
        newest: dict[str, OnlineRecord] = {}
        taken = 0
        for message in messages:
            try:
                keep_newest(newest, self._decoder.decode(str(message.topic()), bytes(message.value() or b"")))
                taken += 1
            except MalformedMessage as error:
                self._malformed(message, error)
        self.counts.superseded += taken - len(newest)
        return newest

    def _malformed(self, message: Message, error: MalformedMessage) -> None:
        self.counts.malformed += 1
        if self.counts.malformed == 1:
            say(f"online store: {message.topic()}, partition {message.partition()}, offset {message.offset()} left out: {error}")

    def _go_back(self, wiped: StoreWiped) -> None:
        self.counts.wipes += 1
        say(f"online store: {wiped}")
        self._reader.hold()
        self._generation = ""

    def _outage(self, error: Exception, stopped: Callable[[], bool]) -> None:
        if not self._away_since:
            self._away_since = time.monotonic()
            self.counts.outages += 1
            say(f"online store: {type(error).__name__}: {error}; holding the position and trying again")
        self._reader.hold()
        self._generation = ""
        until = time.monotonic() + self._back_off
        self._back_off = min(2 * self._back_off, LAST_BACK_OFF_SECONDS)
        while not stopped() and (left := until - time.monotonic()) > 0:
            self._reader.wait(min(left, IDLE_SECONDS))

    def _recovered(self) -> None:
        if self._away_since:
            say(f"online store: going on after {time.monotonic() - self._away_since:.1f} s")
        self._away_since, self._back_off = 0.0, FIRST_BACK_OFF_SECONDS


def open_online_store(settings: Settings, group: str = GROUP, instance: str = "") -> OnlineStore:
    """The program's parts, put together. Raises RegistryError."""
    topics, online = settings.topics, settings.online
    log = LogSettings(
        bootstrap_servers=settings.kafka.bootstrap_servers,
        topics=(topics.features, topics.signals),
        group=group,
        time_to_live_milliseconds=online.time_to_live_seconds * 1000,
        instance=instance,
        client=settings.kafka.librdkafka_properties(),
    )
    decoder = OnlineDecoder(topics.features, topics.signals, schema_ids(settings.schema_registry_url))
    writer = RedisWriter(online.redis_url, online.time_to_live_seconds)
    return OnlineStore(LogReader(log), writer, decoder, topics.features, ShedFollower(settings).level)


def main(arguments: list[str]) -> int:
    """Entry point: 0 after a clean stop, 2 when it cannot run."""
    chosen = _options(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        store = open_online_store(load_settings(chosen.settings), chosen.group, chosen.instance)
        with metrics_served(chosen, lambda: online_samples(store.counts)):
            say("online store: running")
            counts = store.run(stopped.is_set)
    except (InvalidSettings, RegistryError, LogUnreadable, OSError) as error:
        say(f"tickflow online store: {error}")
        return 2
    if chosen.json:
        print_json(asdict(counts))
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m jobs.serving.online_store", description="Feed Redis from features and signals.")
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings file; TICKFLOW_… variables override it")
    parser.add_argument("--group", default=GROUP, help=f"consumer group (default {GROUP})")
    parser.add_argument("--instance", default="", metavar="NAME", help="name that stays over restarts, one for each running program")
    add_metrics_options(parser)
    parser.add_argument("--json", action="store_true", help="print the counters at the end")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
