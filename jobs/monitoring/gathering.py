"""From what was read of the job, the signals and the control log to samples for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping

from jobs.monitoring.breakers import RULES
from jobs.monitoring.exposition import Samples, put_all
from jobs.monitoring.flink_numbers import JobNumbers
from jobs.monitoring.signal_mix import SIGNAL_SECONDS, SignalMix, code_name, direction_name, status_name
from udfs.operators.control_state import ControlSnapshot
from udfs.operators.job_counters import FRAME_MICROSECONDS
from udfs.records import TradingState


def put_job(samples: Samples, job: JobNumbers | None, now_milliseconds: int) -> None:
    """The job's numbers; without a job only that it does not run."""
    samples.put("tickflow_job_running", float(job is not None and job.state == "RUNNING"))
    if job is None:
        return
    names = ("restarts", "busy_share", "backpressured_share", "checkpoints", "failed_checkpoints", "state_bytes")
    put_all(samples, "job", {name: float(getattr(job, name)) for name in names} | {name: float(n) for name, n in job.counters.items()})
    if job.pending_frames is not None:
        samples.put("tickflow_job_pending_frames", job.pending_frames)
    for reason, count in job.refused.items():
        samples.put("tickflow_job_refused_events_total", count, reason=reason)
    bounds = [microseconds / 1e6 for microseconds in FRAME_MICROSECONDS]
    for made, times in job.frame_times.items():
        samples.put_histogram("tickflow_job_frame_seconds", bounds, times.counts, times.microseconds / 1e6, made=made)
    if job.checkpoint_time:
        samples.put("tickflow_job_checkpoint_age_seconds", max(0, now_milliseconds - job.checkpoint_time) / 1000)
        samples.put("tickflow_job_checkpoint_seconds", job.checkpoint_milliseconds / 1000)
    for sink, count in job.sink_errors.items():
        samples.put("tickflow_job_sink_errors_total", count, sink=sink)


def put_signals(samples: Samples, mix: SignalMix, silent_seconds: float, now: int) -> None:
    """What the signals say; `silent_seconds` since the last one was read, `now` in nanoseconds since 1970."""
    for (status, direction), count in sorted(mix.statuses.items()):
        samples.put("tickflow_signals_total", count, status=status_name(status), direction=direction_name(direction))
    for code, count in sorted(mix.codes.items()):
        samples.put("tickflow_signal_codes_total", count, code=code_name(code))
    samples.put("tickflow_unexplained_signals_total", mix.unexplained)
    samples.put_histogram("tickflow_signal_seconds", SIGNAL_SECONDS, mix.delays, mix.delay_seconds)
    samples.put("tickflow_last_signal_age_seconds", silent_seconds)
    samples.put("tickflow_watched_symbols", len(mix.within_window()))
    if mix.event_time:
        samples.put("tickflow_watermark_age_seconds", (now - mix.event_time) / 1e9)
    version, digest = mix.model
    if version:
        samples.put("tickflow_model_info", 1, version=version, hash=digest)


def put_control(samples: Samples, snapshot: ControlSnapshot, refused: int, values: Mapping[str, float]) -> None:
    """What people and breakers allow; `refused` entries that no worker applies; `values` that breakers look at."""
    for rule in RULES:
        samples.put("tickflow_breaker_state", int(snapshot.breakers.get(rule.name, TradingState.ACTIVE)), breaker=rule.name)
    for name, value in values.items():
        samples.put("tickflow_breaker_value", value, breaker=name)
    samples.put("tickflow_shed_level", snapshot.shed_level)
    samples.put("tickflow_control_version", snapshot.version)
    samples.put("tickflow_control_refused", refused)
    samples.put("tickflow_trading_state", int(snapshot.everything))
    for state in TradingState:
        held = sum(found is state for found in snapshot.by_symbol.values())
        samples.put("tickflow_symbols_held", held, state=state.name.lower())
