"""How fast the job drains a log, with all its sinks and the online store at work on the same machine.

Counted are the ticks of the frames that the operator has read, once a share of the log is behind it and the workers are warm. The frames
are in the broker before the job starts, so nothing paces it and no generator takes part; they are full, as they are when a gateway sends at
full speed. Feature rows, signals and rejects are counted against what the kernels make of the same frames: a fast job that loses one does
not hold. Redis and the lake may be behind when the clock stops.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from confluent_kafka import Consumer

from infra.local import processes
from infra.local.console import say
from infra.local.flink import cancel, request, wait_until_running
from infra.local.services import RECORD
from jobs import job_metrics
from jobs.benchmark.latency import release_model
from jobs.benchmark.machine import cpu_seconds, description, stolen_seconds
from jobs.benchmark.prepared_log import PreparedLog
from jobs.benchmark.processor_time import processor_of, python_microseconds, seconds_by_part
from jobs.gateway.publisher import KafkaPublisher, PublisherSettings
from jobs.log_end import log_end
from jobs.serving.online_process import start_online_store
from jobs.session import Session, local_session
from jobs.settings import Settings
from jobs.submission import SubmittedJob, live_plan, make_topics, submit

WARM_SHARE = 0.3
"""Of the log: what is read until then is not counted."""
_PATIENCE_SECONDS = 900.0


class Sample(NamedTuple):
    """How far the job was."""

    seconds: float
    frames: int
    cpu_seconds: float
    stolen_seconds: float = 0.0
    by_part: Mapping[str, float] = {}
    """Processor seconds of each part."""


def measure_throughput(data: Path, log: PreparedLog, profiled: bool = False) -> dict[str, Any]:
    """Run the job over a prepared log; ticks a second, processor time, memory, and whether the output is complete.

    `profiled` adds what each step of the worker's Python costs, measured afterwards.
    """
    machine = description()
    say(f"bench: {log.events} events in {log.frames} frames")
    with local_session(data) as session:
        make_topics(session.settings)
        version = release_model(session, log.load)
        sent_bytes = _publish(session.settings, log, version)
        job = submit(live_plan(session.settings, session.lake), "bench throughput", session.endpoints)
        online = start_online_store(session.settings)
        try:
            samples = _watch(session, job, log.frames)
            topics = session.settings.topics
            features, signals = (_wait_for_records(session.settings, topic, log.rows) for topic in (topics.features, topics.signals))
            rejects = _wait_for_records(session.settings, topics.rejects, log.refused + log.frames - log.sound)
            restarted = job_metrics.restarts(job.rest_url, job.job_id)
            resident = _resident_mebibytes(session)
        finally:
            online.stop()
            cancel(job.rest_url, job.job_id)
        python = {"python_microseconds_a_frame": python_microseconds(processor_of(session.settings), log, version)} if profiled else {}
    result = summary(samples, log.frames, log.events) | python
    checked = {"rows_expected": log.rows, "features": features, "signals": signals, "restarts": restarted}
    checked |= {"rejects_expected": log.refused + log.frames - log.sound, "rejects": rejects}
    checked["holds"] = log.rows == features == signals and rejects == checked["rejects_expected"] and not restarted
    sizes = {"symbols": log.names, "ticks": log.events, "frames": log.frames, "bytes": sent_bytes, "resident_mebibytes": resident}
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
        "stolen_seconds": round(last.stolen_seconds - first.stolen_seconds, 2),
        "microseconds_a_frame": _microseconds_a_frame(first, last),
    }


def _microseconds_a_frame(first: Sample, last: Sample) -> dict[str, float]:
    """Processor time of each part, the greatest first."""
    found = {part: (last.by_part[part] - first.by_part.get(part, 0.0)) / (last.frames - first.frames) for part in last.by_part}
    return {part: round(seconds * 1e6, 1) for part, seconds in sorted(found.items(), key=lambda entry: -entry[1])}


def _publish(settings: Settings, log: PreparedLog, control_version: int) -> int:
    publisher, size = KafkaPublisher(PublisherSettings.of(settings.kafka)), 0
    for record in log.records(control_version):
        publisher.send(settings.topics.frames, record.symbol.encode(), record.frame, record.timestamp_milliseconds)
        size += len(record.frame)
    publisher.flush()
    return size


def _watch(session: Session, job: SubmittedJob, frames: int) -> list[Sample]:
    """Look every second until all frames were read."""
    wait_until_running(job.rest_url, job.job_id)
    programs = _programs(session)
    samples = [Sample(time.monotonic(), 0, cpu_seconds(), stolen_seconds())]
    while samples[-1].frames < frames and samples[-1].seconds - samples[0].seconds < _PATIENCE_SECONDS:
        time.sleep(1.0)
        read = _frames_read(job)
        if read > samples[-1].frames:
            samples.append(Sample(time.monotonic(), read, cpu_seconds(), stolen_seconds(), seconds_by_part(programs)))
    return samples


def _frames_read(job: SubmittedJob) -> int:
    vertices = request(job.rest_url, f"/jobs/{job.job_id}")["vertices"]
    return sum(int(vertex["metrics"]["read-records"] or 0) for vertex in vertices if vertex["name"].startswith("market"))


def _wait_for_records(settings: Settings, topic: str, rows: int) -> int:
    """How many records there are, once they are as many as rows or no more come."""
    before, unchanged = -1, 0
    while before < rows and unchanged < 10:
        time.sleep(1.0)
        now = records_in(settings, topic)
        before, unchanged = now, unchanged + 1 if now == before else 0
    return before


def records_in(settings: Settings, topic: str) -> int:
    """How many records a topic has been given."""
    consumer = Consumer({"bootstrap.servers": settings.kafka.bootstrap_servers, "group.id": "tickflow-bench"})
    try:
        partitions = consumer.list_topics(topic, timeout=10.0).topics[topic].partitions
        return sum(log_end(consumer, topic, number, 10.0) for number in partitions)
    finally:
        consumer.close()


def _resident_mebibytes(session: Session) -> dict[str, int]:
    return {program.name: psutil.Process(program.pid).memory_info().rss >> 20 for program in _programs(session)}


def _programs(session: Session) -> list[processes.Program]:
    return [program for program in processes.load(session.endpoints.data_directory / RECORD) if program.is_alive()]
