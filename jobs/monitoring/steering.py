"""Writes what the breakers decide into the control log, audited like everything that steers the job."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

from jobs.monitoring.breakers import CRASH, DRIFT, ERRORS, LAG, ONE_WAY, RULES, Breakers, Interval, mean_direction, share_of
from jobs.monitoring.flink_numbers import JobNumbers
from jobs.monitoring.signal_mix import SignalMix
from udfs.errors import Reason, TickflowError
from udfs.operators.control_state import ControlSnapshot
from udfs.records import BreakerChange, ControlEvent, ControlKind, ShedLevel, SignalCode, TradingState

AUTHOR: Final = "monitor"
_MEANING: Final = {rule.name: rule.meaning for rule in RULES}
_DUPLICATE: Final = Reason.DUPLICATE.name.lower()
_INTERVAL_SECONDS: Final = 10.0
"""Flink renews its counters now and then: a shorter interval may hold none of what happened."""

Publish = Callable[[Sequence[ControlEvent]], object]


class Steering:
    """Looks at what the watch has seen and publishes what should change. `publish` is given the events of one look."""

    def __init__(self, publish: Publish, say: Callable[[str], None] = lambda _: None, now: Callable[[], float] = time.monotonic) -> None:
        self._publish, self._say, self._now = publish, say, now
        self._breakers = Breakers()
        self._before: tuple[float, JobNumbers] | None = None
        self._last: Interval | None = None
        self.values: dict[str, float] = {}
        """Newest value of each breaker, by its name."""

    def look(self, job: JobNumbers | None, mix: SignalMix, snapshot: ControlSnapshot) -> list[ControlEvent]:
        """Decide and publish; what was published. What cannot be published is said and decided again at the next look."""
        now = self._now()
        self._breakers.take_over(snapshot.breakers, snapshot.shed_level)
        self.values = self._values(job, mix, now)
        opened, shed = self._breakers.look(self.values, now)
        events = [*self._changes(snapshot, opened), *self._shedding(snapshot, shed)]
        if not events:
            return []
        try:
            self._publish(events)
        except TickflowError as error:
            self._say(f"monitor: {error}")
            return []
        for event in events:
            self._say(f"monitor: {event.reason}")
        return events

    def _values(self, job: JobNumbers | None, mix: SignalMix, now: float) -> dict[str, float]:
        newest = mix.within_window()
        codes = {symbol: found.code for symbol, found in newest.items()}
        interval = self._interval(job, now)
        found = {
            CRASH: share_of(SignalCode.FLASH_CRASH, codes),
            DRIFT: share_of(SignalCode.OUT_OF_RANGE, codes),
            ERRORS: interval.error_share if interval else None,
            LAG: interval.lag_seconds if interval else None,
            ONE_WAY: mean_direction(found.direction for found in newest.values()),
        }
        return {name: value for name, value in found.items() if value is not None}

    def _interval(self, job: JobNumbers | None, now: float) -> Interval | None:
        """The last whole interval; None where there was none, or the job has begun its counters anew since."""
        before = self._before
        if job is None or before is None or job.restarts != before[1].restarts or job.job_id != before[1].job_id:
            self._before, self._last = None if job is None else (now, job), None
        elif now - before[0] >= _INTERVAL_SECONDS:
            self._before, self._last = (now, job), _between(before[1], job, now - before[0])
        return self._last

    def _changes(self, snapshot: ControlSnapshot, opened: dict[str, TradingState]) -> list[ControlEvent]:
        changes = [BreakerChange(name, state) for name, state in opened.items() if snapshot.breakers.get(name) is not state]
        known = [rule.name for rule in RULES]
        changes += [BreakerChange(name, TradingState.ACTIVE) for name in snapshot.breakers if name in known and name not in opened]
        return [_event(ControlKind.BREAKER, self._reason(change), breaker=change) for change in changes]

    def _shedding(self, snapshot: ControlSnapshot, shed: ShedLevel) -> list[ControlEvent]:
        if shed == snapshot.shed_level:
            return []
        reason = f"load shedding {shed.name.lower()}: the job is {self.values.get(LAG, 0.0):.3g} s behind the log"
        return [_event(ControlKind.SHED, reason, shed_level=int(shed))]

    def _reason(self, change: BreakerChange) -> str:
        what = "closes" if change.state is TradingState.ACTIVE else f"opens, {change.state.name.lower()}"
        value = self.values.get(change.name)
        return f"breaker {change.name} {what}: {_MEANING[change.name]} is {'not known' if value is None else format(value, '.3g')}"


def _between(old: JobNumbers, new: JobNumbers, seconds: float) -> Interval:
    frames, accepted = (new.counters.get(name, 0) - old.counters.get(name, 0) for name in ("frames", "accepted_events"))
    return Interval(seconds, frames, accepted, _broken(new) - _broken(old), new.pending_frames)


def _broken(job: JobNumbers) -> int:
    """Refused events but those that were seen before: a feed that is sent again is not broken."""
    return sum(count for reason, count in job.refused.items() if reason != _DUPLICATE)


def _event(kind: ControlKind, reason: str, breaker: BreakerChange | None = None, shed_level: int = 0) -> ControlEvent:
    return ControlEvent(0, kind, time.time_ns(), AUTHOR, reason, breaker=breaker, shed_level=shed_level)
