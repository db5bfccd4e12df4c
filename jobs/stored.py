"""How far the lake has come: rows come with Flink's checkpoints, so whoever reads what was just streamed must wait for one."""

from __future__ import annotations

import time

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import NoSuchTableError

from infra.local.flink import FINAL_STATES, JobFailed, completed_checkpoints, failure, job_state
from jobs.lake.tables import NAMESPACE

_CHECKPOINT = "flink.max-committed-checkpoint-id"
_POLL_SECONDS = 0.25
_FOLLOWING_TABLES = ("features", "signals", "bars")


def stored_rows(catalog: Catalog, table: str, namespace: str = NAMESPACE) -> int:
    """Rows of a table, from its newest snapshot's summary; 0 when there is none."""
    summary = _summary(catalog, table, namespace)
    return int(summary.get("total-records", 0))


def _summary(catalog: Catalog, table: str, namespace: str) -> dict[str, str]:
    try:
        snapshot = catalog.load_table((namespace, table)).current_snapshot()
    except NoSuchTableError:
        return {}
    if snapshot is None or snapshot.summary is None:
        return {}
    return dict(snapshot.summary.additional_properties)


def wait_until_stored(catalog: Catalog, rest_url: str, job_id: str, frames: int, timeout_seconds: float) -> None:
    """Wait until the job has taken that many frames and all that came of them is in the lake. Raises JobFailed."""
    deadline = time.monotonic() + timeout_seconds
    while stored_rows(catalog, "market_frames") < frames:
        _check(rest_url, job_id, deadline, f"{stored_rows(catalog, 'market_frames')} of {frames} frames are stored")
        time.sleep(_POLL_SECONDS)
    checkpoint = int(_summary(catalog, "market_frames", NAMESPACE).get(_CHECKPOINT, 0))
    enough = completed_checkpoints(rest_url, job_id) + 2
    while not _all_reached(catalog, checkpoint) and completed_checkpoints(rest_url, job_id) < enough:
        _check(rest_url, job_id, deadline, f"tables have not reached checkpoint {checkpoint}")
        time.sleep(_POLL_SECONDS)


def _all_reached(catalog: Catalog, checkpoint: int) -> bool:
    """A table that got no row commits nothing, so a job that has moved on by two checkpoints is enough as well."""
    return all(int(_summary(catalog, table, NAMESPACE).get(_CHECKPOINT, 0)) >= checkpoint for table in _FOLLOWING_TABLES)


def _check(rest_url: str, job_id: str, deadline: float, what: str) -> None:
    state = job_state(rest_url, job_id)
    if state in FINAL_STATES or time.monotonic() > deadline:
        raise JobFailed(f"job {job_id} is {state} and {what}\n{failure(rest_url, job_id)}")
