"""What a worker must know: everything that can change a result is part of the manifest."""

from __future__ import annotations

from dataclasses import dataclass, field

from udfs.codecs.wire import PINNED, SchemaIds
from udfs.kernels.kernel_settings import KernelSettings
from udfs.kernels.signal_rules import Thresholds
from udfs.operators.control_log import ControlLogSettings


@dataclass(frozen=True)
class WorkerSettings:
    """Settings of the market function; travels to the workers with the job."""

    manifest_id: str
    control: ControlLogSettings
    frames_topic: str = "market.frames"
    """Topic named in positions; a replay names the one that live read."""
    kernel: KernelSettings = field(default_factory=KernelSettings)
    thresholds: Thresholds = field(default_factory=Thresholds)
    universe: frozenset[str] = frozenset()
    """Symbols that are accepted; empty accepts all."""
    schema_ids: SchemaIds = PINNED
    largest_frame_bytes: int = 1_048_576
