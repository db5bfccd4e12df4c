"""The counters of the running job, over Flink's REST interface."""

from __future__ import annotations

import time
from urllib.parse import quote

from infra.local.flink import request
from jobs import operator_ids
from udfs.operators.job_counters import COUNTERS

_POLL_SECONDS = 0.5


def counters(rest_url: str, job_id: str) -> dict[str, int]:
    """Each counter of the market function, summed over its subtasks, since the job last started. Flink refreshes them now and then."""
    names = [f"{operator_ids.MARKET}.{name}" for name in COUNTERS]
    for vertex in request(rest_url, f"/jobs/{job_id}")["vertices"]:
        wanted = quote(",".join(names))
        found = request(rest_url, f"/jobs/{job_id}/vertices/{vertex['id']}/subtasks/metrics?get={wanted}&agg=sum")
        if found:
            return {entry["id"].rsplit(".", 1)[1]: int(entry["sum"]) for entry in found}
    return {}


def restarts(rest_url: str, job_id: str) -> int:
    """How often the job was started again."""
    found = request(rest_url, f"/jobs/{job_id}/metrics?get=numRestarts")
    return int(float(found[0]["value"])) if found else 0


def wait_for_frames(rest_url: str, job_id: str, frames: int, timeout_seconds: float = 30.0) -> dict[str, int]:
    """The counters once they include that many frames, or the newest ones after the timeout."""
    deadline = time.monotonic() + timeout_seconds
    while (found := counters(rest_url, job_id)).get("frames", 0) < frames and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return found
