"""What the gateway did, in numbers: every message of a source is in exactly one of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from jobs.gateway.packing import PackedFrame
from udfs.errors import Reason
from udfs.kernels.events import EventKind

_KINDS = 256


@dataclass(frozen=True, slots=True)
class GatewayCounts:
    """One moment's numbers. `messages` = events, packed or waiting, that the gateway did not add itself, rejected lines, and `dropped`."""

    messages: int
    """Items that the source yielded."""
    events_by_kind: dict[str, int]
    """Events that left in frames, CLOCK events included; `unknown_<number>` for kinds without a name."""
    waiting_events: int
    """Events that were taken and have not left in a frame, CLOCK events included."""
    clocks: int
    """CLOCK events that the packer added."""
    facts: int
    """Facts that the gateway added."""
    frames: int
    bytes: int
    """Of the encoded frames."""
    rejected_by_reason: dict[str, int]
    """Lines of the source that could not be read."""
    dropped: int
    """Always 0: a full buffer blocks. Reported so that nobody has to guess."""
    blocked_seconds: float
    """Time spent waiting for the broker because the buffer was full."""
    delivered_records: int
    """Records (frames and rejects) that the broker acknowledged."""
    last_offsets: dict[str, dict[int, int]]
    """Topic -> partition -> largest acknowledged offset."""
    control_version: int
    """Stamped on the last frame."""
    stream_time: int
    """Newest available time taken, nanoseconds."""
    symbols: int
    interrupted: bool
    """True when a person or `stop` ended the run before the source did."""

    @property
    def events(self) -> int:
        """Events in frames, CLOCK events included."""
        return sum(self.events_by_kind.values())

    @property
    def rejected(self) -> int:
        """Lines that could not be read."""
        return sum(self.rejected_by_reason.values())

    def as_json(self) -> dict[str, Any]:
        """For `json.dumps`."""
        return asdict(self) | {"events": self.events, "rejected": self.rejected}


@dataclass(slots=True)
class Tally:
    """The running numbers behind `GatewayCounts`."""

    messages: int = 0
    facts: int = 0
    frames: int = 0
    bytes: int = 0
    control_version: int = 0
    interrupted: bool = False
    rejected: dict[Reason, int] = field(default_factory=dict)
    kinds: list[int] = field(default_factory=lambda: [0] * _KINDS)

    def count_frame(self, frame: PackedFrame, size: int, control_version: int) -> None:
        """One frame of `size` bytes was handed to the sink."""
        self.frames += 1
        self.bytes += size
        self.control_version = control_version
        for event in frame.events:
            self.kinds[event[1]] += 1

    def count_rejected(self, reason: Reason) -> None:
        """One line of the source was rejected."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1

    def events_by_kind(self) -> dict[str, int]:
        """Names to counts, without the kinds that did not occur."""
        return {_kind_name(kind): count for kind, count in enumerate(self.kinds) if count}


def _kind_name(kind: int) -> str:
    return EventKind(kind).name.lower() if kind in EventKind.__members__.values() else f"unknown_{kind}"


def by_topic(offsets: dict[tuple[str, int], int]) -> dict[str, dict[int, int]]:
    """(topic, partition) -> offset as topic -> partition -> offset, sorted."""
    topics: dict[str, dict[int, int]] = {}
    for topic, partition in sorted(offsets):
        topics.setdefault(topic, {})[partition] = offsets[topic, partition]
    return topics
