"""What a worker must know, from the settings: on a cluster, and where stored frames go through the same processor."""

from __future__ import annotations

from jobs.settings import Settings
from udfs.codecs.wire import SchemaIds
from udfs.operators.control_log import ControlLogSettings
from udfs.operators.worker_settings import WorkerSettings


def worker_settings(settings: Settings, manifest_id: str, control: ControlLogSettings, schema_ids: SchemaIds) -> WorkerSettings:
    """The settings of the workers of one execution."""
    return WorkerSettings(
        manifest_id=manifest_id,
        control=control,
        frames_topic=settings.topics.frames,
        kernel=settings.kernel.kernel_settings(),
        thresholds=settings.scoring.thresholds(),
        universe=frozenset(settings.universe),
        schema_ids=schema_ids,
    )
