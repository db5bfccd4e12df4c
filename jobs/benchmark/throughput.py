"""How fast the job drains a log, with all its sinks and the online store at work on the same machine.

Counted are the ticks of the frames that the operator has read, once a share of the log is behind it and the workers are warm. The frames
are in the broker before the job starts, so nothing paces it and no generator takes part; they are full, as they are when a gateway sends at
full speed. Feature rows and signals are counted against the rows that the kernels make of the same frames: a fast job that loses one does
not hold. Redis and the lake may be behind when the clock stops.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from confluent_kafka import Consumer

from infra.local import processes
from infra.local.console import say
from infra.local.flink import cancel, request, wait_until_running
from infra.local.services import RECORD
from jobs.benchmark.latency import release_model
from jobs.benchmark.load import Load
from jobs.benchmark.machine import cpu_seconds, description
from jobs.gateway.event_columns import column_bytes
from jobs.gateway.market_event import MarketEvent
from jobs.gateway.packing import PackedFrame, Packer, PackingSettings
from jobs.gateway.publisher import KafkaPublisher, PublisherSettings
from jobs.log_end import log_end
from jobs.serving.online_process import start_online_store
from jobs.session import Session, local_session
from jobs.settings import Settings
from jobs.simulator.source import SimulatedSource
from jobs.submission import SubmittedJob, live_plan, make_topics, submit
from udfs.codecs.frames import encode_columns
from udfs.kernels.advance import advance
from udfs.kernels.kernel_settings import KernelSettings
from udfs.kernels.symbol_state import SymbolState, new_state

WARM_SHARE = 0.3
"""Of the log: what is read until then is not counted."""
_EVENTS_A_SECOND = 5000.0
_HOUR = 3600 * 1_000_000_000
_PATIENCE_SECONDS = 900.0


class Sample(NamedTuple):
    """How far the job was."""

    seconds: float
    frames: int
    cpu_seconds: float


def measure_throughput(data: Path, ticks: int, symbols: int, maximum_events: int) -> dict[str, Any]:
    """Run the job over a prepared log; ticks a second, processor time, memory, and whether the output is complete."""
    machine = description()
    frames = list(_frames(ticks, symbols, maximum_events))
    events = sum(len(frame.events) for frame in frames)
    say(f"bench: {events} events in {len(frames)} frames")
    with local_session(data) as session:
        make_topics(session.settings)
        sent_bytes = _publish(session.settings, frames, release_model(session, Load(_EVENTS_A_SECOND, 0.0, symbols)))
        job = submit(live_plan(session.settings, session.lake), "bench throughput", session.endpoints)
        online = start_online_store(session.settings)
        try:
            samples = _watch(session, job, len(frames))
            topics, rows = session.settings.topics, _rows_of(frames)
            features, signals = (_wait_for_records(session.settings, topic, rows) for topic in (topics.features, topics.signals))
            resident = _resident_mebibytes(session)
        finally:
            online.stop()
            cancel(job.rest_url, job.job_id)
    result = summary(samples, len(frames), events)
    checked = {"rows_expected": rows, "features": features, "signals": signals, "holds": rows == features == signals}
    sizes = {"symbols": symbols, "ticks": events, "frames": len(frames), "bytes": sent_bytes, "resident_mebibytes": resident}
    return sizes | result | checked | {"machine": machine}


def summary(samples: list[Sample], frames: int, events: int) -> dict[str, Any]:
    """The rate over the counted part, and what it cost."""
    counted = [sample for sample in samples if sample.frames >= WARM_SHARE * frames]
    if len(counted) < 3:
        return {"ticks_a_second": None}
    ticks_a_frame = events / frames
    first, last = counted[0], counted[-1]
    ticks = ticks_a_frame * (last.frames - first.frames)
    return {
        "ticks_a_frame": round(ticks_a_frame, 2),
        "counted_seconds": round(last.seconds - first.seconds, 1),
        "ticks_a_second": round(ticks / (last.seconds - first.seconds)),
        "cpu_seconds_a_million_ticks": round((last.cpu_seconds - first.cpu_seconds) / ticks * 1e6, 2),
    }


def _frames(ticks: int, symbols: int, maximum_events: int) -> Iterator[PackedFrame]:
    packer = Packer(PackingSettings(maximum_events=maximum_events, maximum_age_nanoseconds=_HOUR))
    source = SimulatedSource(Load(_EVENTS_A_SECOND, 2.0 * ticks / _EVENTS_A_SECOND, symbols).simulation())
    for event in itertools.islice((item for item in source.events() if isinstance(item, MarketEvent)), ticks):
        yield from packer.advance(event.available_time)
        if (frame := packer.add(event)) is not None:
            yield frame
    yield from packer.finish(close_bars=False)


def _publish(settings: Settings, frames: list[PackedFrame], control_version: int) -> int:
    publisher, size = KafkaPublisher(PublisherSettings.of(settings.kafka)), 0
    for frame in frames:
        data = encode_columns(frame.symbol, "SIM", "bench", control_version, column_bytes(frame.events))
        publisher.send(settings.topics.frames, frame.symbol.encode(), data, frame.timestamp_milliseconds)
        size += len(data)
    publisher.flush()
    return size


def _watch(session: Session, job: SubmittedJob, frames: int) -> list[Sample]:
    """Look every second until all frames were read."""
    wait_until_running(job.rest_url, job.job_id)
    samples = [Sample(time.monotonic(), 0, cpu_seconds())]
    while samples[-1].frames < frames and samples[-1].seconds - samples[0].seconds < _PATIENCE_SECONDS:
        time.sleep(1.0)
        read = _frames_read(job)
        if read > samples[-1].frames:
            samples.append(Sample(time.monotonic(), read, cpu_seconds()))
    return samples


def _frames_read(job: SubmittedJob) -> int:
    vertices = request(job.rest_url, f"/jobs/{job.job_id}")["vertices"]
    return sum(int(vertex["metrics"]["read-records"] or 0) for vertex in vertices if vertex["name"].startswith("market"))


def _rows_of(frames: list[PackedFrame]) -> int:
    """How many rows the kernels make of them."""
    states: dict[str, SymbolState] = {}
    settings = KernelSettings()
    return sum(len(advance(states.setdefault(frame.symbol, new_state()), frame.columns, settings).row_event_time) for frame in frames)


def _wait_for_records(settings: Settings, topic: str, rows: int) -> int:
    """How many records there are, once they are as many as rows or no more come."""
    before, unchanged = -1, 0
    while before < rows and unchanged < 10:
        time.sleep(1.0)
        now = _records_in(settings, topic)
        before, unchanged = now, unchanged + 1 if now == before else 0
    return before


def _records_in(settings: Settings, topic: str) -> int:
    consumer = Consumer({"bootstrap.servers": settings.kafka.bootstrap_servers, "group.id": "tickflow-bench"})
    try:
        partitions = consumer.list_topics(topic, timeout=10.0).topics[topic].partitions
        return sum(log_end(consumer, topic, number, 10.0) for number in partitions)
    finally:
        consumer.close()


def _resident_mebibytes(session: Session) -> dict[str, int]:
    programs = processes.load(session.endpoints.data_directory / RECORD)
    return {program.name: psutil.Process(program.pid).memory_info().rss >> 20 for program in programs if program.is_alive()}
