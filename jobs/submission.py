"""Bringing a plan onto a cluster: topics, tables, the run's manifest, and `flink run`."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyiceberg.catalog import Catalog

from infra.local import flink, kafka, paths, services, shipping
from infra.local.endpoints import Endpoints
from jobs.job_plan import JobPlan
from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.settings import LakeSettings
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from jobs.schema_registry import schema_ids
from jobs.settings import Settings
from udfs.kernels.feature_vector import FEATURE_SET

ENTRY = paths.ROOT / "jobs" / "live.py"
KEEP_FOR_EVER = {"retention.ms": "-1"}


@dataclass(frozen=True)
class SubmittedJob:
    """A job on a cluster."""

    plan: JobPlan
    job_id: str
    rest_url: str
    started_at: int


def live_plan(settings: Settings, lake: LakeSettings, **changes: Any) -> JobPlan:
    """The plan of a live run of this checkout's code."""
    topics = settings.topics
    manifest_id = settings.manifest_id(shipping.code_hash())
    ids = dict(schema_ids(settings.schema_registry_url).written)
    return JobPlan(settings, lake, manifest_id, new_run_id(), topics.frames, topics.control, ids, **changes)


def new_run_id() -> str:
    """Names one execution; nothing computed depends on it."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"


def make_topics(settings: Settings) -> None:
    """The topics that are missing."""
    names = settings.topics.model_dump()
    partitions = {topic: 1 if role == "control" else settings.kafka.partitions for role, topic in names.items()}
    kafka.ensure_topics(settings.kafka.bootstrap_servers, partitions, KEEP_FOR_EVER, settings.kafka.librdkafka_properties())


def submit(plan: JobPlan, verb: str, endpoints: Endpoints | None = None, savepoint: str = "") -> SubmittedJob:
    """Make the lake's tables, note the run, and submit. Raises JobFailed with the client's output."""
    catalog = open_catalog(plan.lake)
    create_tables(catalog, plan.lake.buckets, plan.namespace)
    create_tables(catalog, plan.lake.buckets, NAMESPACE)
    started_at = time.time_ns()
    note_run(catalog, plan, verb, started_at, None, {})
    code, rest_url = shipping.build_zip(), plan.settings.flink.rest_url
    if endpoints is not None:
        services.prepare_workers(endpoints, code)
    options = {"execution.state-recovery.path": savepoint} if savepoint else {}
    job_id = flink.submit(
        ENTRY,
        ["--plan", plan.to_json()],
        rest_url,
        code,
        configuration=endpoints.flink_configuration if endpoints else None,
        variables=endpoints.as_environment() if endpoints else None,
        options=options,
    )
    return SubmittedJob(plan, job_id, rest_url, started_at)


def note_run(catalog: Catalog, plan: JobPlan, verb: str, started_at: int, finished_at: int | None, counts: dict[str, Any]) -> None:
    """Append to `runs` what is executed (at its start) or what came of it (at its end)."""
    row = {
        "run_id": plan.run_id,
        "manifest_id": plan.manifest_id,
        "started_at": _moment(started_at),
        "finished_at": None if finished_at is None else _moment(finished_at),
        "verb": verb,
        "settings": json.dumps(plan.settings.without_secrets()),
        "code_hash": shipping.code_hash(),
        "feature_set": FEATURE_SET,
        "counts": json.dumps(counts),
    }
    append_rows(catalog, NAMESPACE, "runs", [row])


def _moment(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
