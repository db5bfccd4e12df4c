"""Runs a demo: warm up, train, release, watch, count."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from infra.local import paths
from infra.local.console import say
from infra.local.flink import cancel, wait_until_running
from infra.local.priorities import let_the_stream_go_first
from jobs.alert_rule_files import load_rules
from jobs.control_verbs import publish_all
from jobs.demonstration.display import shown
from jobs.demonstration.stretches import SECOND, Stretches
from jobs.demonstration.watching import SignalWatcher
from jobs.gateway.control_follower import ControlFollower
from jobs.gateway.counts import GatewayCounts
from jobs.gateway.gateway import Gateway
from jobs.gateway.gateway_settings import GatewaySettings
from jobs.gateway.known_facts import facts_of
from jobs.gateway.pacing import Pacer
from jobs.gateway.publisher import KafkaPublisher, PublisherSettings
from jobs.gateway.running_source import RunningSource
from jobs.job_metrics import wait_for_frames
from jobs.lake.reading import read_rows
from jobs.lake.tables import NAMESPACE
from jobs.model_aliases import aliases_of
from jobs.model_store import store_of
from jobs.releasing import publish_and_name, reason_against, release_event
from jobs.serving.online_process import start_online_store
from jobs.session import Session
from jobs.settings import Settings
from jobs.stored import stored_rows, wait_until_stored
from jobs.submission import SubmittedJob, live_plan, make_topics, note_run, submit
from jobs.train_news import train_news
from jobs.training.dataset import NotEnoughData
from jobs.training.runs import TrainRequest, train_from_lake
from udfs.codecs.frames import decode_frame
from udfs.errors import MalformedMessage, Reason
from udfs.kernels.events import EventKind
from udfs.records import ControlEvent, ControlKind

STORED_WITHIN_SECONDS = 3600.0
RULES = paths.FLINK_CONFIGURATIONS / "local" / "alert-rules.toml"


@dataclass(frozen=True)
class DemoOptions:
    """How the live stretch is played and shown."""

    speed: float
    """Times real time; infinite is as fast as it goes."""
    show: bool


def run_demo(session: Session, prepare: Callable[[], Stretches], options: DemoOptions, started: float) -> dict[str, Any]:
    """The whole demo on running services; gives the counts. `started` is when the command began, on the monotonic clock."""
    settings = session.settings
    make_topics(settings)
    _publish_rules(settings)
    submission = _Submission(session)
    stretches = prepare()
    facts = stretches.facts or facts_of(settings.facts)
    running = RunningSource(stretches.source)
    online = start_online_store(settings)
    try:
        with ControlFollower(settings.kafka.bootstrap_servers, settings.topics.control) as follower, SignalWatcher(settings) as watcher:
            sink = KafkaPublisher(PublisherSettings.of(settings.kafka))
            gateway = Gateway(sink, GatewaySettings.of(settings), Pacer(), follower.version, facts)
            if stretches.has_news:
                follower.wait_for(_release_news_model(session), 30.0)
            say("demo: sending the warm-up stretch")
            before = gateway.run(running, close_bars=False, until=stretches.live_from)
            job = submission.wait()
            say(f"demo: job {job.job_id} runs; waiting until {before.frames} frames are stored")
            wait_until_stored(session.catalog, job.rest_url, job.job_id, before.frames, STORED_WITHIN_SECONDS)
            model = _train_and_release(session, stretches, follower)
            gateway.change_pace(Pacer(options.speed))
            if gateway.pacer.paced:  # else the lake is what everything waits for
                let_the_stream_go_first(session.endpoints)
            sent = _watch(gateway, running, stretches, watcher, options)
            say("demo: waiting until everything is stored")
            wait_until_stored(session.catalog, job.rest_url, job.job_id, sent.frames, STORED_WITHIN_SECONDS)
            taken = wait_for_frames(job.rest_url, job.job_id, sent.frames)
            counts = _counts(session, sent, taken)
            counts |= _times(watcher, started) | {"model": model, "horizon_seconds": stretches.horizon_seconds, "run_id": job.plan.run_id}
    finally:
        online.stop()
    cancel(job.rest_url, job.job_id)
    note_run(session.catalog, job.plan, "demo", job.started_at, time.time_ns(), counts)
    return counts


class _Submission:
    """Submits the job while the warm-up stretch is sent."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._job: SubmittedJob | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._submit, name="submission", daemon=True)
        self._thread.start()

    def _submit(self) -> None:
        try:
            session = self._session
            job = submit(live_plan(session.settings, session.lake), "demo", session.endpoints)
            wait_until_running(job.rest_url, job.job_id)
            self._job = job
        except BaseException as error:  # handed over to the thread that waits
            self._error = error

    def wait(self) -> SubmittedJob:
        """The running job. Raises what the submission raised."""
        self._thread.join()
        if self._job is None:
            raise self._error or RuntimeError("the submission ended without a job")
        return self._job


def _publish_rules(settings: Settings) -> None:
    why, now = f"rules of {RULES.name}", time.time_ns()
    events = [ControlEvent(0, ControlKind.ALERT_RULE, now, "demo", why, rule=rule) for rule in load_rules(RULES)]
    publish_all(events, settings)


def _release_news_model(session: Session) -> int:
    """Put a sentiment model into force before there is news; its control version."""
    say("demo: training a model that reads news, on made-up sentences")
    reference, _ = train_news(store_of(session.lake))
    event = release_event(reference, "demo", "trained on synthetic sentences", time.time_ns(), ControlKind.NEWS_MODEL)
    return publish_all([event], session.settings)[0]


def _train_and_release(session: Session, stretches: Stretches, follower: ControlFollower) -> dict[str, Any] | None:
    """Train on what is stored and put the model into force; None when there is too little to learn from."""
    say(f"demo: training a model on {stored_rows(session.catalog, 'features')} stored rows, horizon {stretches.horizon_seconds} s")
    store = store_of(session.lake)
    try:
        reference, card = train_from_lake(session.catalog, store, TrainRequest(horizon=stretches.horizon_seconds * SECOND))
    except NotEnoughData as error:
        say(f"demo: no model: {error}; signals will abstain")
        return None
    objections = card["gate"]["objections"]
    for objection in objections:
        say(f"demo: the release gate says of the model that {objection}")
    event = release_event(reference, "demo", reason_against("the demo shows signals of whatever was trained", objections), time.time_ns())
    (version,) = publish_and_name([event], session.settings, aliases_of(store))
    follower.wait_for(version, 30.0)
    said = {"control_version": version, "metrics": card["metrics"], "objections": objections}
    return {"version": reference.version, "sha256": reference.sha256, **said}


def _watch(gateway: Gateway, running: RunningSource, stretches: Stretches, watcher: SignalWatcher, options: DemoOptions) -> GatewayCounts:
    """Play the live stretch while a person looks on."""
    if gateway.pacer.paced:
        watcher.measure_from = running.first_available_time() or stretches.live_from
        watcher.intended = gateway.pacer.intended_wall_time
    with shown(watcher, f"Tickflow: {running.name}", options.show):
        return gateway.run(running, close_bars=True, until=stretches.live_until)


def _counts(session: Session, sent: GatewayCounts, taken: Mapping[str, int]) -> dict[str, Any]:
    """What went in (told by the gateway), what became of it (told by the job's counters and the lake's rejects), and whether it adds up."""
    catalog = session.catalog
    reasons, rejected_additions = _rejected(session)
    late, duplicates = reasons.pop(Reason.LATE, 0), reasons.pop(Reason.DUPLICATE, 0)
    processed = taken.get("accepted_events", 0) - (sent.clocks + sent.facts - rejected_additions)
    rejected = sum(reasons.values()) + sent.rejected
    by_reason = Counter({Reason(code).name.lower(): count for code, count in sorted(reasons.items())}) + Counter(sent.rejected_by_reason)
    return {
        "ticks_in": sent.messages,
        "frames_in": sent.frames,
        "features_out": stored_rows(catalog, "features"),
        "bars_out": stored_rows(catalog, "bars"),
        "signals_out": stored_rows(catalog, "signals"),
        "alerts_out": stored_rows(catalog, "alerts"),
        "processed": processed,
        "late": late,
        "duplicates": duplicates,
        "rejected": rejected,
        "rejected_by_reason": dict(by_reason),
        "accounted": processed + late + duplicates + rejected == sent.messages,
        "symbols": sent.symbols,
    }


def _rejected(session: Session) -> tuple[Counter[int], int]:
    """How many events of the source were rejected for each reason, and how many that the gateway had added: CLOCK events and facts."""
    reasons: Counter[int] = Counter()
    additions = 0
    for batch in read_rows(session.catalog, NAMESPACE, "rejects", ("reason", "raw")):
        for reason, raw in zip(batch.column("reason").to_pylist(), batch.column("raw").to_pylist(), strict=True):
            if _is_addition(raw):
                additions += 1
            else:
                reasons[reason] += 1
    return reasons, additions


def _is_addition(raw: bytes) -> bool:
    try:
        kinds = decode_frame(raw).columns.kind
        return bool(((kinds >= int(EventKind.CLOCK)) & (kinds != int(EventKind.NEWS))).all())
    except MalformedMessage:
        return False


def _times(watcher: SignalWatcher, started: float) -> dict[str, Any]:
    seen = watcher.seen
    first = seen.first_scored_monotonic
    latencies = np.array(seen.latencies_milliseconds)
    percentiles = {f"p{q}": round(float(np.percentile(latencies, q)), 3) if len(latencies) else None for q in (50, 99)}
    return {
        "first_signal_seconds": None if first is None else round(first - started, 1),
        "event_to_signal_milliseconds": percentiles,
        "measured_signals": len(latencies),
    }


def next_steps(data: Path) -> str:
    """What to try after a demo."""
    where = "" if data == paths.DATA else f" --data {data}"
    steps = {
        f"infra/tickflow prove{where}": "replay it all and compare every bit",
        "infra/tickflow sql sql/reports/hit_rate_by_confidence.sql": "ask the lake",
        "infra/tickflow demo --source FOLDER --speed max": "your own market data",
    }
    return "\nTry next:\n" + "\n".join(f"  {command:<60} {purpose}" for command, purpose in steps.items())


__all__ = ["DemoOptions", "next_steps", "run_demo"]
