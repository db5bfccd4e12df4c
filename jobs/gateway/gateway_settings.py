"""Where the gateway's records go and how frames are cut."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.gateway.pacing import Pacer
from jobs.gateway.packing import PackingSettings
from jobs.schema_registry import schema_ids
from jobs.settings import Settings
from udfs.codecs.wire import PINNED, SchemaIds
from udfs.kernels.events import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND
from udfs.kernels.kernel_settings import KernelSettings

PACED_AGE_NANOSECONDS = 100 * NANOSECONDS_PER_MILLISECOND
"""How long an event that makes no row may wait for others of its frame when events are sent at the speed they happened."""
FULL_SPEED_AGE_NANOSECONDS = 3600 * NANOSECONDS_PER_SECOND
"""The same at maximum speed, in stream time: nobody waits for a single event there, and full frames cost least."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Where records go and how frames are cut."""

    frames_topic: str = "market.frames"
    rejects_topic: str = "rejects"
    maximum_events: int = 64
    maximum_age_nanoseconds: int | None = None
    """How long an event may wait for others of its frame; None: 100 ms of real time when paced, 1 h of stream time at full speed."""
    row_interval_nanoseconds: int = KernelSettings().row_interval_nanoseconds
    """The job's own: when paced, an event that makes a row waits for nobody."""
    out_of_order_nanoseconds: int = 2 * NANOSECONDS_PER_SECOND
    maximum_clock_skew_nanoseconds: int = KernelSettings().maximum_clock_skew_nanoseconds
    """The job's own: an event further ahead makes no row. Of bars it needs nothing: the job closes all lengths, whichever it publishes."""
    universe: frozenset[str] = frozenset()
    """Symbols that news may begin the log of."""
    manifest_id: str = ""
    """Stamped on rejected lines."""
    schema_ids: SchemaIds = PINNED
    """Of all that is read and written."""

    @classmethod
    def of(cls, settings: Settings) -> GatewaySettings:
        """What the gateway and the job must agree on. Raises RegistryError where the schema registry of the settings does not answer."""
        kernel = settings.kernel.kernel_settings()
        return cls(
            frames_topic=settings.topics.frames,
            rejects_topic=settings.topics.rejects,
            row_interval_nanoseconds=kernel.row_interval_nanoseconds,
            out_of_order_nanoseconds=kernel.out_of_order_nanoseconds,
            maximum_clock_skew_nanoseconds=kernel.maximum_clock_skew_nanoseconds,
            universe=frozenset(settings.universe),
            schema_ids=schema_ids(settings.schema_registry_url),
        )

    def packing(self, pacer: Pacer) -> PackingSettings:
        """The packer's settings at a pace; ages count in stream time there."""
        age = self.maximum_age_nanoseconds
        if pacer.paced:
            age = int((PACED_AGE_NANOSECONDS if age is None else age) * pacer.speed)
        return PackingSettings(
            maximum_events=self.maximum_events,
            maximum_age_nanoseconds=FULL_SPEED_AGE_NANOSECONDS if age is None else age,
            row_interval_nanoseconds=self.row_interval_nanoseconds if pacer.paced else None,
            out_of_order_nanoseconds=self.out_of_order_nanoseconds,
            maximum_clock_skew_nanoseconds=self.maximum_clock_skew_nanoseconds,
        )
