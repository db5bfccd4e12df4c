"""Event to signal through the broker: from the moment at which an event was to be sent until its signal is back from Kafka.

Latencies count from the intended time, so a generator or broker that falls behind shows as latency and cannot hide it (coordinated
omission; Tene 2013). Load generator, broker, Redis, Flink and the consumer share the machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from confluent_kafka import Consumer, Message

from infra.local.console import say
from infra.local.flink import cancel, wait_until_running
from infra.local.priorities import let_the_stream_go_first
from jobs.benchmark.load import SECOND, Load, LoadGenerator
from jobs.benchmark.machine import cpu_seconds, description, stolen_seconds
from jobs.benchmark.trained import benchmark_model
from jobs.control import publish
from jobs.gateway.publisher import PublisherSettings
from jobs.model_store import store_of
from jobs.releasing import release_event
from jobs.serving.online_process import start_online_store
from jobs.session import Session, local_session, settings_file
from jobs.settings import Settings, load_settings
from jobs.submission import live_plan, make_topics, submit
from udfs.codecs.signals import decode_signal
from udfs.records import SignalStatus

PERCENTILES = (50, 75, 90, 95, 99, 99.9, 100)
_AFTER_SECONDS = 5.0
_PROMPT = {"fetch.queue.backoff.ms": 1, "socket.nagle.disable": True}
"""A consumer that is never late by its own doing: the client's defaults may hold a record back for a second."""


def measure(data: Path, load: Load, warm_up_seconds: float, runs: int = 1) -> dict[str, Any]:
    """Run the whole system under a load and give the distribution of latencies, milliseconds: of each run of `load.seconds`, and of all."""
    whole = replace(load, seconds=load.seconds * runs + warm_up_seconds)
    machine = description()
    with local_session(data) as session:
        make_topics(session.settings)
        control_version = release_model(session, load)
        generator = LoadGenerator(whole, session.settings.kafka.bootstrap_servers, control_version)
        settings = _settings(session.settings)
        job = submit(live_plan(settings, session.lake), "bench latency", session.endpoints)
        wait_until_running(job.rest_url, job.job_id)
        let_the_stream_go_first(session.endpoints)
        online = start_online_store(session.settings)
        try:
            return _measured(settings, generator, load, warm_up_seconds, runs) | {"machine": machine, "parallelism": 1}
        finally:
            online.stop()
            cancel(job.rest_url, job.job_id)


def _settings(settings: Settings) -> Settings:
    """Checkpoints as on a cluster (the local profile's are twice as frequent), and no signal so unsure that it is spared its reasons."""
    interval = load_settings(settings_file("live")).flink.checkpoint_interval_milliseconds
    flink = settings.flink.model_copy(update={"checkpoint_interval_milliseconds": interval})
    return settings.model_copy(update={"flink": flink, "scoring": settings.scoring.model_copy(update={"minimum_confidence": 0.0})})


def release_model(session: Session, load: Load) -> int:
    """Train the benchmark's model and put it into force; the version of its control entry."""
    say("bench: training a model on the load's market")
    trained = benchmark_model(load)
    reference = store_of(session.lake).put(trained.version, trained.data, trained.card)
    return publish(release_event(reference, "bench", "benchmark", time.time_ns()), PublisherSettings.of(session.settings.kafka))


def _measured(settings: Settings, generator: LoadGenerator, load: Load, warm_up_seconds: float, runs: int) -> dict[str, Any]:
    events = generator.wait_until_prepared()
    say(f"bench: {events} events are prepared; {load.rate:.0f} a second, of which the first {warm_up_seconds:.0f} s are not counted")
    consumer = _consumer(settings)
    starts_at = generator.start()
    counted_from = starts_at + int(warm_up_seconds * SECOND)
    boundaries = [counted_from + int(run * load.seconds * SECOND) for run in range(runs + 1)]
    seen, usage = _collect(consumer, boundaries)
    sent = generator.result()
    consumer.close()
    planned_seconds = warm_up_seconds + runs * load.seconds
    return {
        "warm_up_seconds": warm_up_seconds,
        "checkpoint_interval_seconds": settings.flink.checkpoint_interval_milliseconds / 1000,
        "rate_asked": load.rate,
        "rate_offered": round(sent["ticks"] / planned_seconds, 1),
        "sent_behind_schedule_seconds": round(max(0.0, sent["seconds"] - planned_seconds), 3),
        "symbols": load.symbols,
        "ticks_sent": sent["ticks"],
        "frames_sent": sent["frames"],
        "signals_measured": len(seen.milliseconds),
        "signals_a_second": round(len(seen.milliseconds) / load.seconds / runs, 1),
        "signals_by_status": {status.name.lower(): seen.statuses.count(status) for status in SignalStatus},
        "runs": [
            seen.between(*edges) | spent(*used, load.seconds) for edges, used in zip(pairwise(boundaries), pairwise(usage), strict=True)
        ],
        **distribution(np.array(seen.milliseconds)),
    }


class Usage(NamedTuple):
    """What the processors had done at a moment, seconds of all cores together."""

    cpu_seconds: float
    stolen_seconds: float


def spent(before: Usage, after: Usage, seconds: float) -> dict[str, float]:
    """Processor time per second, and the share that the host gave to other machines: without it nobody can tell whose tail a tail is."""
    stolen = after.stolen_seconds - before.stolen_seconds
    return {
        "cpu_seconds_a_second": round((after.cpu_seconds - before.cpu_seconds) / seconds, 2),
        "stolen_share": round(stolen / seconds / (os.cpu_count() or 1), 4),
    }


def distribution(latencies: npt.NDArray[np.float64]) -> dict[str, Any]:
    """Percentiles and a histogram of latencies in milliseconds."""
    if not len(latencies):
        return {"milliseconds": None, "histogram": []}
    edges = np.array([0, 1, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 50, 75, 100, 200, 500, 1000, np.inf])
    counts, _ = np.histogram(latencies, edges)
    names = [f"p{percentile:g}" for percentile in PERCENTILES]
    values = [round(float(value), 3) for value in np.percentile(latencies, PERCENTILES)]
    histogram = [{"below_milliseconds": float(edge), "count": int(count)} for edge, count in zip(edges[1:], counts, strict=True) if count]
    return {"milliseconds": dict(zip(names, values, strict=True)) | {"mean": round(float(latencies.mean()), 3)}, "histogram": histogram}


def _consumer(settings: Settings) -> Consumer:
    properties = {"bootstrap.servers": settings.kafka.bootstrap_servers, "group.id": f"tickflow-bench-{time.time_ns()}"}
    consumer = Consumer(properties | _PROMPT | {"auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([settings.topics.signals])
    return consumer


class _Seen(NamedTuple):
    """Signals of events in the measured time: when the events were to be sent, how long it took, and what came of them."""

    intended_times: list[int]
    milliseconds: list[float]
    statuses: list[SignalStatus]

    def between(self, start: int, end: int) -> dict[str, Any]:
        """Percentiles of one run."""
        run = [value for time_ns, value in zip(self.intended_times, self.milliseconds, strict=True) if start <= time_ns < end]
        return {"signals": len(run), "milliseconds": distribution(np.array(run))["milliseconds"]}


def _collect(consumer: Consumer, boundaries: list[int]) -> tuple[_Seen, list[Usage]]:
    """The signals, and what the processors had done at each boundary of the runs."""
    seen, usage = _Seen([], [], []), list[Usage]()
    for now, message in _messages(consumer, boundaries[-1] + int(_AFTER_SECONDS * SECOND)):
        while len(usage) < len(boundaries) and now >= boundaries[len(usage)]:
            usage.append(Usage(cpu_seconds(), stolen_seconds()))
        if message is None:
            continue
        signal = decode_signal(message.value() or b"")
        if boundaries[0] <= signal.available_time < boundaries[-1]:
            seen.intended_times.append(signal.available_time)
            seen.milliseconds.append((now - signal.available_time) / 1e6)
            seen.statuses.append(signal.status)
    return seen, usage


def _messages(consumer: Consumer, until: int) -> Iterator[tuple[int, Message | None]]:
    """Each message with the time at which it came; None when there was none for a while."""
    while time.time_ns() < until:
        message = consumer.poll(0.1)
        if message is None or message.error() is None:
            yield time.time_ns(), message
