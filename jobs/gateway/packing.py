"""Packing: consecutive events of one symbol become frames, and quiet symbols get the CLOCK events that close their bars. Facts open none.

The packer knows no wall clock. Its caller tells it two times, both nanoseconds on the axis of `available_time`: the stream time, which is
never beyond the available time of the next event to come and decides when a quiet symbol's bar is over; and the time by which frames age,
which runs ahead of the stream time when the gateway is behind its schedule.

Only some events make the job write a row: the first one a row interval after the last row, and those that move the watermark past the end
of a bar. Their frame leaves at once, so that nothing a reader waits for waits here; all others wait for such an event. Where the forecast
is wrong (the job rejects the event, say) a row comes later by at most the frames' age.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final, NamedTuple

from jobs.gateway.event_columns import columns_of
from jobs.gateway.market_event import MarketEvent
from udfs.errors import InvalidSettings
from udfs.kernels.events import FACT_KINDS, NANOSECONDS_PER_SECOND, EventKind, FrameColumns

NEVER = 1 << 63
"""A stream time that is never reached."""

_STATUS: Final = int(EventKind.STATUS)
_FIRST_FACT: Final = int(min(FACT_KINDS))


@dataclass(frozen=True, slots=True)
class PackingSettings:
    """How frames are cut. Results never depend on it; cost and latency do."""

    maximum_events: int = 64
    maximum_age_nanoseconds: int = 5_000_000
    """Frames leave together at the multiples of this, in stream time: many symbols share one waking and one request to the broker, and an
    event waits half of it on average. 0: at once."""
    out_of_order_nanoseconds: int = 2 * NANOSECONDS_PER_SECOND
    """How long after a bar's end an event of that bar may still arrive: the job's own tolerance."""
    maximum_clock_skew_nanoseconds: int = 60 * NANOSECONDS_PER_SECOND
    """How far an event's time may be ahead of its available time and still be believed: the job's own limit."""
    bar_seconds: tuple[int, ...] = (1, 60, 300, 3600)
    """Lengths of the bars that CLOCK events close, shortest first."""
    row_interval_nanoseconds: int | None = None
    """The job's own shortest distance of rows: a frame leaves with the event that makes a row. None: no frame leaves for that."""

    def __post_init__(self) -> None:
        problems = list(self._problems())
        if problems:
            raise InvalidSettings("packing: " + "; ".join(problems))

    def _problems(self) -> Iterator[str]:
        if self.maximum_events < 1:
            yield f"maximum_events is {self.maximum_events}, expected at least 1"
        if self.maximum_age_nanoseconds < 0:
            yield f"maximum_age_nanoseconds is {self.maximum_age_nanoseconds}, expected 0 or more"
        if self.row_interval_nanoseconds is not None and self.row_interval_nanoseconds < 0:
            yield f"row_interval_nanoseconds is {self.row_interval_nanoseconds}, expected 0 or more"
        if self.out_of_order_nanoseconds < 0:
            yield f"out_of_order_nanoseconds is {self.out_of_order_nanoseconds}, expected 0 or more"
        if not self.bar_seconds or min(self.bar_seconds) < 1 or list(self.bar_seconds) != sorted(set(self.bar_seconds)):
            yield f"bar_seconds is {self.bar_seconds}, expected different positive lengths, shortest first"


class PackedFrame(NamedTuple):
    """Consecutive events of one symbol, ready to be encoded."""

    symbol: str
    events: list[MarketEvent]
    timestamp_milliseconds: int
    """Kafka's time of the record: the last event's time, or when it was available where that time cannot be true."""

    @property
    def columns(self) -> FrameColumns:
        """The events as columns."""
        return columns_of(self.events)


class _Symbol:
    """What the packer keeps of one symbol."""

    __slots__ = ("bar_end", "clock", "deadline", "name", "pending_end", "row_due", "waiting")

    def __init__(self, name: str) -> None:
        self.name = name
        self.waiting: list[MarketEvent] = []
        self.deadline = NEVER
        """Time at which `waiting` must leave."""
        self.clock = 0
        """Newest believable event time."""
        self.bar_end = 0
        """An event from here on opens a bar: end of the shortest bar around `clock`, or of the last bar that a CLOCK closed."""
        self.pending_end = NEVER
        """End of the next bar to close by a CLOCK event; NEVER when all are closed."""
        self.row_due = 0
        """Event time from which on an event makes a row."""


class Packer:
    """Buffers events by symbol and hands out frames; the order within a symbol is the order of `add`."""

    def __init__(self, settings: PackingSettings | None = None) -> None:
        self.settings = settings or PackingSettings()
        self.stream_time = 0
        """Largest stream time told so far."""
        self._now = 0
        self.clocks_added = 0
        self._symbols: dict[str, _Symbol] = {}
        self._deadlines: deque[tuple[int, _Symbol]] = deque()
        self._closings: list[tuple[int, str]] = []
        self._lengths = [seconds * NANOSECONDS_PER_SECOND for seconds in self.settings.bar_seconds]
        self._shortest = self._lengths[0]
        self._full = self.settings.maximum_events
        self._age = self.settings.maximum_age_nanoseconds
        self._row_interval = self.settings.row_interval_nanoseconds
        self._in_haste = self._row_interval is not None
        self._patience = self.settings.out_of_order_nanoseconds + 1
        self._skew = self.settings.maximum_clock_skew_nanoseconds

    @property
    def waiting_events(self) -> int:
        """Events that were added and have not left in a frame."""
        return sum(len(symbol.waiting) for symbol in list(self._symbols.values()))

    @property
    def symbols(self) -> int:
        """Different symbols seen."""
        return len(self._symbols)

    def knows(self, name: str) -> bool:
        """Whether an event of the market came of this symbol, and not only facts."""
        symbol = self._symbols.get(name)
        return symbol is not None and symbol.clock > 0

    def change_pace(self, settings: PackingSettings) -> None:
        """From now on frames leave by the age and the row interval of these settings."""
        self._age, self._row_interval = settings.maximum_age_nanoseconds, settings.row_interval_nanoseconds
        self.hurry(True)

    def hurry(self, may_hurry: bool) -> None:
        """Whether frames leave with the event that makes a row: not while the gateway is behind and full frames help it to catch up."""
        self._in_haste = may_hurry and self._row_interval is not None

    def add(self, event: MarketEvent) -> PackedFrame | None:
        """Take one event; its symbol's frame if that is full now. The caller has called `advance` with the event's available time."""
        symbol = self._symbols.get(event[0])
        if symbol is None:
            symbol = self._symbols[event[0]] = _Symbol(event[0])
        event_time, cannot_wait = event[2], event[1] == _STATUS
        if event_time > symbol.clock and event_time <= event[3] + self._skew and event[1] < _FIRST_FACT:
            symbol.clock = event_time
            if event_time >= symbol.bar_end:
                self._open_bar(symbol, event_time)
            if event_time >= symbol.row_due and not cannot_wait:
                symbol.row_due, cannot_wait = self._next_row(event_time), True
        return self._append(symbol, event, cannot_wait and self._in_haste)

    def next_deadline(self) -> int:
        """Time at which `advance` will next have something to do; NEVER when nothing waits."""
        self._forget_left_frames()
        age = self._deadlines[0][0] if self._deadlines else NEVER
        return min(age, self._closings[0][0]) if self._closings else age

    def advance(self, stream_time: int, now: int | None = None) -> list[PackedFrame]:
        """Let time pass: frames that became too old, and those filled by the CLOCK events of quiet symbols.

        `now` is the time by which frames age, the stream time when not given. Times that go back count for nothing.
        """
        if stream_time > self.stream_time:
            self.stream_time = stream_time
        if now is None:
            now = stream_time
        if now > self._now:
            self._now = now
        frames: list[PackedFrame] = []
        if self._closings and self._closings[0][0] <= stream_time:
            self._close_quiet_bars(frames)
        if self._deadlines and self._deadlines[0][0] <= now:
            self._flush_old(frames)
        return frames

    def time_passed(self, now: int) -> None:
        """Sending took until `now`: frames that begin from here on age from there."""
        self._now = max(self._now, now)

    def finish(self, close_bars: bool) -> list[PackedFrame]:
        """Hand out everything that waits.

        With `close_bars` each symbol first gets one last CLOCK that closes all its bars: only at the real end of a source, since it makes
        later events from before the end of the longest bar late.
        """
        frames: list[PackedFrame] = []
        for symbol in self._symbols.values():
            if close_bars and symbol.pending_end != NEVER:
                last_end = _bar_end(symbol.clock, self._lengths[-1])
                self._add_clock(symbol, last_end, max(last_end, self.stream_time), frames)
                symbol.bar_end, symbol.pending_end = last_end, NEVER
            if symbol.waiting:
                frames.append(self._flush(symbol))
        self._deadlines.clear()
        return frames

    def _append(self, symbol: _Symbol, event: MarketEvent, at_once: bool) -> PackedFrame | None:
        waiting = symbol.waiting
        waiting.append(event)
        if at_once or len(waiting) >= self._full:
            return self._flush(symbol)
        if len(waiting) == 1:
            symbol.deadline = self._now - self._now % self._age + self._age if self._age else self._now
            self._deadlines.append((symbol.deadline, symbol))
        return None

    def _next_row(self, clock: int) -> int:
        """Event time at which the next row is made: an interval later, or when the watermark passes the end of the shortest bar."""
        out_of_order = self.settings.out_of_order_nanoseconds
        bar_closes = _bar_end(clock - out_of_order, self._shortest) + out_of_order
        return min(clock + (self._row_interval or 0), bar_closes)

    def _flush(self, symbol: _Symbol) -> PackedFrame:
        events = symbol.waiting
        symbol.waiting = []
        symbol.deadline = NEVER
        return PackedFrame(symbol.name, events, record_time_milliseconds(events[-1], self._skew))

    def _open_bar(self, symbol: _Symbol, event_time: int) -> None:
        symbol.bar_end = symbol.pending_end = _bar_end(event_time, self._shortest)
        heappush(self._closings, (symbol.pending_end + self._patience, symbol.name))

    def _close_quiet_bars(self, frames: list[PackedFrame]) -> None:
        while self._closings and self._closings[0][0] <= self.stream_time:
            due, name = heappop(self._closings)
            symbol = self._symbols[name]
            if symbol.pending_end + self._patience != due:
                continue
            self._add_clock(symbol, symbol.pending_end, self.stream_time, frames)
            symbol.bar_end = symbol.pending_end
            symbol.pending_end = self._next_end(symbol.clock, symbol.pending_end)
            if symbol.pending_end != NEVER:
                heappush(self._closings, (symbol.pending_end + self._patience, name))

    def _next_end(self, clock: int, closed: int) -> int:
        """End of the shortest bar around `clock` that is not closed yet."""
        for length in self._lengths:
            end = _bar_end(clock, length)
            if end > closed:
                return end
        return NEVER

    def _add_clock(self, symbol: _Symbol, event_time: int, available_time: int, frames: list[PackedFrame]) -> None:
        self.clocks_added += 1
        clock = MarketEvent(symbol.name, int(EventKind.CLOCK), event_time, available_time, 0, 0, ())
        frame = self._append(symbol, clock, self._in_haste)
        if frame is not None:
            frames.append(frame)

    def _flush_old(self, frames: list[PackedFrame]) -> None:
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= self._now:
            deadline, symbol = deadlines.popleft()
            if symbol.deadline == deadline and symbol.waiting:
                frames.append(self._flush(symbol))

    def _forget_left_frames(self) -> None:
        while self._deadlines and self._deadlines[0][1].deadline != self._deadlines[0][0]:
            self._deadlines.popleft()


def _bar_end(time: int, length: int) -> int:
    """End of the bar [start, start + length) that holds `time`."""
    return (time // length + 1) * length


def record_time_milliseconds(event: MarketEvent, skew: int) -> int:
    """Kafka's time for a record that ends with `event`: its event time, or its available time where the event time is not believable.

    For a fact, too, when it was available: news may be old.

    A broker refuses times far in the future, so one absurd time must not stop the whole stream: the event itself keeps it.
    """
    believable = 0 <= event.event_time <= event.available_time + skew and event.kind < _FIRST_FACT
    return max(event.event_time if believable else event.available_time, 0) // 1_000_000
