"""The job's numbers, over Flink's REST interface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from infra.local.flink import request
from jobs import operator_ids
from jobs.job_metrics import restarts
from udfs.operators.job_counters import BELOW, COUNTERS, FRAME_MICROSECONDS, MADE, MORE, REASON, SAMPLED_FRAMES, SAMPLED_MICROSECONDS

_RUNNING: Final = ("RUNNING", "FINISHED")
_MARKET: Final = f"{operator_ids.MARKET}."
_BUSY, _BACKPRESSURED = "busyTimeMsPerSecond", "backPressuredTimeMsPerSecond"
_PENDING, _ERRORS = ".pendingRecords", ".numRecordsOutErrors"
_LONGEST_QUERY: Final = 40
"""Metrics asked for at once: an address has a greatest length."""


@dataclass(frozen=True)
class FrameTimes:
    """Sampled times of frames that made rows, or that made nothing."""

    counts: tuple[int, ...]
    """Below each of FRAME_MICROSECONDS and above the one before, then above the last."""
    microseconds: int


@dataclass(frozen=True)
class JobNumbers:
    """One moment of the job. Counters begin anew when it restarts."""

    job_id: str
    state: str
    """RUNNING only where every task runs."""
    restarts: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    """Reason -> events."""
    frame_times: Mapping[str, FrameTimes] = field(default_factory=dict)
    """`rows` or `nothing` -> times."""
    pending_frames: int | None = None
    """Not known before the first frame was read."""
    busy_share: float = 0.0
    backpressured_share: float = 0.0
    checkpoints: int = 0
    failed_checkpoints: int = 0
    checkpoint_time: int = 0
    """Of the trigger of the last completed one, milliseconds since 1970; 0 where there is none."""
    checkpoint_milliseconds: int = 0
    state_bytes: int = 0
    sink_errors: Mapping[str, int] = field(default_factory=dict)
    """Kafka sink -> records."""


def read_job(rest_url: str, job_name: str = "tickflow") -> JobNumbers | None:
    """The numbers of the job of that name, the newest where there are several; None where there is none. Raises OSError."""
    jobs = [job for job in request(rest_url, "/jobs/overview")["jobs"] if job["name"] == job_name]
    if not jobs:
        return None
    job = max(jobs, key=lambda found: (found["state"] in _RUNNING[:1], found["start-time"]))
    return _numbers(rest_url, job["jid"])


def _numbers(rest_url: str, job_id: str) -> JobNumbers:
    details = request(rest_url, f"/jobs/{job_id}")
    vertices = {vertex["id"]: vertex["status"] for vertex in details["vertices"]}
    state = details["state"]
    if state == "RUNNING" and not all(status in _RUNNING for status in vertices.values()):
        state = "STARTING"
    return JobNumbers(
        job_id=job_id,
        state=state,
        restarts=restarts(rest_url, job_id),
        **_operators(rest_url, job_id, vertices),
        **_checkpoints(request(rest_url, f"/jobs/{job_id}/checkpoints")),
    )


def _operators(rest_url: str, job_id: str, vertices: Iterable[str]) -> dict[str, Any]:
    sums, most, errors = dict[str, int](), dict[str, float](), dict[str, int]()
    pending: int | None = None
    for vertex in vertices:
        address = f"/jobs/{job_id}/vertices/{vertex}/subtasks/metrics"
        names = [entry["id"] for entry in request(rest_url, address)]
        own = [name for name in names if name.startswith(_MARKET) and _is_ours(name)]
        sums |= {name.removeprefix(_MARKET): int(value) for name, value in _values(rest_url, address, own, "sum").items()}
        if own:
            most |= _values(rest_url, address, [name for name in (_BUSY, _BACKPRESSURED) if name in names], "max")
        waiting = [name for name in names if name.endswith(_PENDING) and "frames" in name]
        if waiting:
            pending = (pending or 0) + int(sum(_values(rest_url, address, waiting, "sum").values()))
        failed = [name for name in names if name.endswith(_ERRORS) and name.startswith("kafka_")]
        for name, value in _values(rest_url, address, failed, "sum").items():
            errors[operator_ids.stable_name(name.split(".")[0].split("__")[0])] = int(value)
    shares = {"busy_share": most.get(_BUSY, 0.0) / 1000, "backpressured_share": most.get(_BACKPRESSURED, 0.0) / 1000}
    return {**grouped(sums), **shares, "pending_frames": pending, "sink_errors": errors}


def _is_ours(name: str) -> bool:
    parts = name.split(".")
    return (len(parts) == 2 and parts[1] in COUNTERS) or (len(parts) > 2 and parts[1] in (REASON, MADE))


def _values(rest_url: str, address: str, names: list[str], how: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for first in range(0, len(names), _LONGEST_QUERY):
        wanted = quote(",".join(names[first : first + _LONGEST_QUERY]))
        found |= {entry["id"]: float(entry[how]) for entry in request(rest_url, f"{address}?get={wanted}&agg={how}")}
    return found


def grouped(sums: Mapping[str, int]) -> dict[str, Any]:
    """Names of the operator's metrics, with their groups before them, sorted into what they count."""
    counters, refused, times = dict[str, int](), dict[str, int](), dict[str, dict[str, int]]()
    for name, value in sums.items():
        parts = name.split(".")
        if len(parts) == 1:
            counters[name] = value
        elif parts[0] == REASON:
            refused[parts[1]] = value
        else:
            times.setdefault(parts[1], {})[parts[3] if parts[2] == BELOW else parts[2]] = value
    return {"counters": counters, "refused": refused, "frame_times": {made: _frame_times(found) for made, found in times.items()}}


def _frame_times(found: Mapping[str, int]) -> FrameTimes:
    assert SAMPLED_FRAMES not in found
    names = (*map(str, FRAME_MICROSECONDS), MORE)
    return FrameTimes(tuple(found.get(name, 0) for name in names), found.get(SAMPLED_MICROSECONDS, 0))


def _checkpoints(found: Mapping[str, Any]) -> dict[str, Any]:
    counts, last = found["counts"], found["latest"]["completed"]
    numbers = {"checkpoints": int(counts["completed"]), "failed_checkpoints": int(counts["failed"])}
    if last is None:
        return numbers
    size = last.get("checkpointed_size", last.get("state_size", 0))
    return numbers | {
        "checkpoint_time": int(last["trigger_timestamp"]),
        "checkpoint_milliseconds": int(last["end_to_end_duration"]),
        "state_bytes": int(max(size, last.get("state_size", 0))),
    }
