"""Is it well? What a person wants on one screen, and what of it needs one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaException

from jobs.control_log import InForce, in_force, read_control_log
from jobs.gateway.control_follower import ControlLogUnreadable
from jobs.monitoring.flink_numbers import JobNumbers, read_job
from jobs.monitoring.signal_mix import SignalMix, code_name
from jobs.monitoring.signal_tail import SignalsUnreadable, newest_signal
from jobs.schema_registry import RegistryError, schema_ids
from jobs.settings import Settings

MOST_PENDING_FRAMES: Final = 5_000
OLDEST_CHECKPOINT_SECONDS: Final = 300.0
"""As the alert rules have them."""
_READ_SECONDS: Final = 10.0

_Found = TypeVar("_Found")


@dataclass
class Health:
    """What was found at one moment."""

    job: JobNumbers | None = None
    signals: SignalMix | None = None
    control: InForce | None = None
    away: dict[str, str] = field(default_factory=dict)
    """What could not be asked, and why."""
    asked_at: float = field(default_factory=time.time)
    """Seconds since 1970."""

    @property
    def problems(self) -> list[str]:
        """What needs a person, in words; a halt that a person asked for does not."""
        found = [f"{source} cannot be read: {why}" for source, why in self.away.items()]
        if self.job is not None:
            found += job_problems(self.job, self.asked_at)
        if self.control is not None:
            snapshot = self.control.snapshot
            found += [f"breaker {name} is open: {state.name.lower()}" for name, state in sorted(snapshot.breakers.items())]
            found += ["work is left out: load shedding"] if snapshot.shed_level else []
        return found

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {"job": self._job(), "signals": self._signals(), "control": self._control(), "problems": self.problems}

    def _job(self) -> dict[str, Any] | None:
        job = self.job
        if job is None:
            return None
        return {
            "id": job.job_id,
            "state": job.state,
            "restarts": job.restarts,
            "frames": job.counters.get("frames", 0),
            "pending_frames": job.pending_frames,
            "busy_share": round(job.busy_share, 3),
            "checkpoints": job.checkpoints,
            "failed_checkpoints": job.failed_checkpoints,
            "checkpoint_age_seconds": _age(job, self.asked_at),
            "state_bytes": job.state_bytes,
            "refused": dict(sorted(job.refused.items())),
        }

    def _signals(self) -> dict[str, Any] | None:
        mix = self.signals
        if mix is None or not mix.event_time:
            return None
        return {
            "event_time": _moment(mix.event_time),
            "age_seconds": round(self.asked_at - mix.available_time / 1e9, 1),
            "codes": {code_name(code): count for code, count in sorted(mix.codes.items())},
            "model": mix.model[0] or None,
        }

    def _control(self) -> dict[str, Any] | None:
        if self.control is None:
            return None
        snapshot = self.control.snapshot
        return {
            "version": snapshot.version,
            "everything": snapshot.everything.name.lower(),
            "breakers": {name: state.name.lower() for name, state in sorted(snapshot.breakers.items())},
            "shed_level": snapshot.shed_level,
            "by_symbol": {symbol: state.name.lower() for symbol, state in sorted(snapshot.by_symbol.items())},
            "model": self.control.model.version if self.control.model else None,
            "refused": len(self.control.refused),
        }


def job_problems(job: JobNumbers, now: float) -> list[str]:
    """What is wrong with a job, at a time in seconds since 1970. A job that was ended on purpose is none that is wrong."""
    if job.state in ("CANCELED", "FINISHED"):
        return []
    found = [] if job.state == "RUNNING" else [f"the job is {job.state}"]
    if job.pending_frames is not None and job.pending_frames > MOST_PENDING_FRAMES:
        found.append(f"{job.pending_frames} frames wait for the job")
    age = _age(job, now)
    if age is not None and age > OLDEST_CHECKPOINT_SECONDS:
        found.append(f"the last checkpoint is {age:.0f} s old")
    if not job.checkpoints and job.failed_checkpoints:
        found.append(f"{job.failed_checkpoints} checkpoints failed, none was completed")
    return found


def read_health(settings: Settings) -> Health:
    """Ask Flink, the signals and the control log; what does not answer is named, and nothing is waited for long."""
    health = Health()
    health.job = _asked(health, "flink", lambda: read_job(settings.flink.rest_url))
    if health.job is None:
        return health
    ids = _asked(health, "schema registry", lambda: schema_ids(settings.schema_registry_url))
    if ids is not None:
        health.signals = _asked(health, "signals", lambda: newest_signal(settings, ids, _READ_SECONDS))
    health.control = _asked(health, "control", lambda: in_force(read_control_log(settings, _READ_SECONDS)))
    return health


def _asked(health: Health, source: str, ask: Callable[[], _Found]) -> _Found | None:
    try:
        return ask()
    except (OSError, ValueError, KafkaException, SignalsUnreadable, ControlLogUnreadable, RegistryError) as error:
        health.away[source] = str(error)
        return None


def described(health: Health) -> list[str]:
    """Lines for a person."""
    found = health.as_json()
    lines = []
    if job := found["job"]:
        age = job["checkpoint_age_seconds"]
        told = "none yet" if age is None else f"{age:.0f} s ago"
        lines.append(f"job        {job['id']} {job['state']}, {job['restarts']} restarts, busy {job['busy_share']:.0%}")
        waiting = "?" if job["pending_frames"] is None else job["pending_frames"]
        lines.append(f"lag        {waiting} frames wait, {job['frames']} taken; refused {job['refused'] or 'nothing'}")
        lines.append(
            f"checkpoint {told}, {job['checkpoints']} completed, {job['failed_checkpoints']} failed, {job['state_bytes'] / 1e6:.1f} MB"
        )
    if signals := found["signals"]:
        lines.append(
            f"signals    newest {signals['age_seconds']} s old (event {signals['event_time']}), model {signals['model'] or 'none'}"
        )
        lines.append(f"           newest by code: {signals['codes']}")
    if control := found["control"]:
        lines.append(
            f"control    version {control['version']}, everything {control['everything']}, {control['by_symbol'] or 'no symbol named'}"
        )
    return lines + [f"PROBLEM    {problem}" for problem in found["problems"]]


def _age(job: JobNumbers, now: float) -> float | None:
    return round(max(0.0, now - job.checkpoint_time / 1000), 1) if job.checkpoint_time else None


def _moment(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC).isoformat(timespec="milliseconds")
