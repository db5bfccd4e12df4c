"""What the market function counts, in Flink's metric groups: cheap enough for each frame, and never part of a result."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol

from udfs.errors import Reason
from udfs.operators.symbol_processor import Outcome, PricedRow
from udfs.records import Alert, Bar, Rejected, Signal

COUNTERS: Final[Mapping[str, str]] = {
    "frames": "frames taken",
    "accepted_events": "events that were used",
    "feature_rows": "feature rows emitted",
    "bars": "bars closed and emitted",
    "signals": "signals emitted, whatever their status",
    "alerts": "rules that fired",
    "late_events": "events that came too late",
    "duplicate_events": "events that had been seen before",
    "rejected": "everything else that was not used",
}
"""Names of the operator's counters, in the metric group of the task, and what they mean."""
REASON: Final = "reason"
"""Group of `REFUSED_EVENTS`, followed by the name of the reason."""
REFUSED_EVENTS: Final = "refused_events"
MADE: Final = "made"
"""Group of what a frame made, `rows` or `nothing`; in it `SAMPLED_MICROSECONDS` and, by `BELOW`, `SAMPLED_FRAMES`."""
BELOW: Final = "below"
SAMPLED_FRAMES: Final = "sampled_frames"
SAMPLED_MICROSECONDS: Final = "sampled_microseconds"
FRAME_MICROSECONDS: Final = (50, 100, 200, 500, 1_000, 2_000, 5_000, 20_000, 100_000)
"""Upper bounds of the time that a frame takes; what takes longer is counted below `more`."""
MORE: Final = "more"
SAMPLE_EVERY: Final = 64
"""One frame in so many is timed: the clock and three calls into the JVM cost more than a quiet frame's kernels."""

_COUNTER_OF: Final = {PricedRow: "feature_rows", Bar: "bars", Signal: "signals", Alert: "alerts"}
_COUNTER_OF_REASON: Final = {Reason.LATE: "late_events", Reason.DUPLICATE: "duplicate_events"}


class MetricGroup(Protocol):
    """The part of PyFlink's metric group that is used."""

    def counter(self, name: str) -> Any:
        """A counter with `inc`."""

    def add_group(self, name: str, extra: str) -> MetricGroup:
        """The group of a name and a value of it."""


class JobCounters:
    """Counts what frames gave. A counter of a reason or a duration appears with its first count."""

    def __init__(self, group: MetricGroup) -> None:
        self._group = group
        self._counters = {name: group.counter(name) for name in COUNTERS}
        self._of_reason: dict[Reason, Any] = {}
        self._of_time: dict[tuple[str, str], Any] = {}
        self._until_sample = SAMPLE_EVERY

    def is_sampled(self) -> bool:
        """Whether this frame is to be timed; asked once for each."""
        self._until_sample -= 1
        if self._until_sample:
            return False
        self._until_sample = SAMPLE_EVERY
        return True

    def count(self, outcome: Outcome) -> None:
        """One frame."""
        counters = self._counters
        counters["frames"].inc()
        counters["accepted_events"].inc(outcome.accepted)
        if outcome.records:
            for kind, count in Counter(map(type, outcome.records)).items():
                if kind is Rejected:
                    self._count_rejected(outcome)
                else:
                    counters[_COUNTER_OF[kind]].inc(count)

    def count_time(self, nanoseconds: int, made_rows: bool) -> None:
        """How long a sampled frame took, from its bytes to its rows."""
        microseconds = nanoseconds // 1000
        made = "rows" if made_rows else "nothing"
        place = bisect_left(FRAME_MICROSECONDS, microseconds)
        below = str(FRAME_MICROSECONDS[place]) if place < len(FRAME_MICROSECONDS) else MORE
        self._timed(made, "").inc(microseconds)
        self._timed(made, below).inc()

    def _timed(self, made: str, below: str) -> Any:
        key = (made, below)
        if key not in self._of_time:
            group = self._group.add_group(MADE, made)
            counter = group.add_group(BELOW, below).counter(SAMPLED_FRAMES) if below else group.counter(SAMPLED_MICROSECONDS)
            self._of_time[key] = counter
        return self._of_time[key]

    def _count_rejected(self, outcome: Outcome) -> None:
        reasons = Counter(record.reason for record in outcome.records if type(record) is Rejected)
        for reason, count in reasons.items():
            self._counters[_COUNTER_OF_REASON.get(reason, "rejected")].inc(count)
            if reason not in self._of_reason:
                self._of_reason[reason] = self._group.add_group(REASON, reason.name.lower()).counter(REFUSED_EVENTS)
            self._of_reason[reason].inc(count)
