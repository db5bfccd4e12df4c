"""The gateway: items of a source in, frames and rejects to the broker out, in order, at a pace, with everything counted."""

from __future__ import annotations

import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from jobs.gateway.counts import GatewayCounts, Tally, by_topic
from jobs.gateway.event_columns import column_bytes, news_texts
from jobs.gateway.facts import NO_FACTS, Facts
from jobs.gateway.gateway_settings import GatewaySettings
from jobs.gateway.market_event import MarketEvent, RejectedLine
from jobs.gateway.news.news_events import NewsMessage, RefusedNews, read_message
from jobs.gateway.pacing import Pacer
from jobs.gateway.packing import NEVER, PackedFrame, Packer
from jobs.gateway.publisher import Sink
from jobs.gateway.running_source import RunningSource, Source
from udfs.codecs.frames import encode_columns
from udfs.codecs.rejects import encode_rejected
from udfs.codecs.wire import MessageFraming
from udfs.errors import Reason
from udfs.kernels.events import NANOSECONDS_PER_MILLISECOND, NANOSECONDS_PER_SECOND, EventKind
from udfs.records import Position, Rejected

BEHIND_SECONDS = 1.0
SECONDS_A_FRAME_MAY_WAIT_WHEN_BEHIND = 0.25
SECONDS_BETWEEN_SETTLEMENTS = 5
"""While news comes, how often the gateway waits until all that was sent is acknowledged."""
_NEWS = int(EventKind.NEWS)
PAUSE_SECONDS = 0.001
"""Time passes in steps of at least this when paced: one waking serves all the events and frames that became due meanwhile."""


def _no_control() -> int:
    return 0


def _nobody_asks(items: Sequence[NewsMessage]) -> None:
    """Of news that nobody reads from a topic."""


@dataclass(slots=True)
class Gateway:
    """Reads sources one after the other or in stretches; what it knows of each symbol is kept between runs. One thread runs it."""

    sink: Sink
    settings: GatewaySettings = field(default_factory=GatewaySettings)
    pacer: Pacer = field(default_factory=Pacer)
    control_version: Callable[[], int] = _no_control
    """The last entry of the control log that was seen, asked for each frame."""
    facts: Facts = NO_FACTS
    """What is put into the symbols' logs besides their events."""
    news: deque[NewsMessage] = field(default_factory=deque)
    """Where a `NewsFollower` puts what it reads; empty for ever where there is none."""
    settled: Callable[[Sequence[NewsMessage]], None] = _nobody_asks
    """Told of items taken from `news`, in their order, once the broker has all that became of them: they need not be read again."""
    _packer: Packer = field(init=False)
    _tally: Tally = field(init=False, default_factory=Tally)
    _stopped: bool = field(init=False, default=False)
    _reached: int = field(init=False, default=0)
    """Stream time at which the clock was last read."""
    _unsettled: list[NewsMessage] = field(init=False, default_factory=list)
    _settle_due: int = field(init=False, default=0)
    """Stream time from which items are settled again."""
    _framing: dict[str, MessageFraming] = field(init=False)

    def __post_init__(self) -> None:
        self._packer = Packer(self.settings.packing(self.pacer))
        self._framing = {message: self.settings.schema_ids.framing(message) for message in ("MarketFrame", "NewsItem", "Rejected")}

    def run(self, source: Source | RunningSource, *, close_bars: bool = True, until: int | None = None) -> GatewayCounts:
        """Publish the source, or its events available before `until`, and return when everything is acknowledged.

        `close_bars` sends each symbol a last CLOCK at the end of the source, when it was neither stopped nor cut by `until`. Give a
        `RunningSource` to go on with the same source later. Raises PublishError.
        """
        running = source if isinstance(source, RunningSource) else RunningSource(source)
        if not self.pacer.paced:
            self.pacer.start(0)
        with self._signals_stop_it():
            ended = self._publish(running, NEVER if until is None else until)
            self._take_news(running)
            self._send_all(self._packer.finish(close_bars and ended), running)
            self._settle()
        return self.snapshot()

    def change_pace(self, pacer: Pacer) -> None:
        """Go on at another pace, between two runs: after a warm-up stretch at full speed, for instance."""
        self.pacer, self._reached = pacer, 0
        self._packer.change_pace(self.settings.packing(pacer))

    def stop(self) -> None:
        """Ask `run` to end after the event it is at, and every later run to end at once; from any thread or a signal handler."""
        self._stopped = True

    def snapshot(self) -> GatewayCounts:
        """The numbers so far; from any thread."""
        tally, packer, sink = self._tally, self._packer, self.sink
        return GatewayCounts(
            messages=tally.messages,
            events_by_kind=tally.events_by_kind(),
            waiting_events=packer.waiting_events,
            clocks=packer.clocks_added,
            facts=tally.facts,
            frames=tally.frames,
            bytes=tally.bytes,
            rejected_by_reason={reason.name.lower(): count for reason, count in sorted(tally.rejected.items())},
            dropped=0,
            blocked_seconds=sink.blocked_seconds,
            delivered_records=sink.delivered_records,
            last_offsets=by_topic(dict(sink.last_offsets)),
            control_version=tally.control_version,
            stream_time=packer.stream_time,
            symbols=packer.symbols,
            interrupted=tally.interrupted,
        )

    def _publish(self, source: RunningSource, until: int) -> bool:
        """Whether the source's end was reached."""
        packer, tally, facts = self._packer, self._tally, self.facts
        let_time_pass = self._wait_for if self.pacer.paced else self._pass_at_once
        for item in source:
            if self.news:
                self._take_news(source)
            if isinstance(item, MarketEvent):
                if item.available_time < until and not self._stopped:
                    let_time_pass(item.available_time, source)
                if item.available_time >= until or self._stopped:
                    source.put_back(item)
                    tally.interrupted = self._stopped
                    return False
                if item.kind == _NEWS:
                    self._add_news(item, source)
                    tally.messages += 1
                    continue
                if facts.makers:
                    self._add_facts(item, source)
                frame = packer.add(item)
                if frame is not None:
                    self._send(frame, source)
            else:
                self._reject(item)
            tally.messages += 1
        return True

    def _add_facts(self, event: MarketEvent, source: RunningSource) -> None:
        for fact in self.facts.before(event):
            self._tally.facts += 1
            frame = self._packer.add(fact)
            if frame is not None:
                self._send(frame, source)

    def _pass_at_once(self, due: int, source: RunningSource) -> None:
        """At full speed the time is always the next event's."""
        for frame in self._packer.advance(due):
            self._send(frame, source)

    def _wait_for(self, due: int, source: RunningSource) -> None:
        """Let time pass up to the event's: send what becomes due in between."""
        packer, pacer, now = self._packer, self.pacer, self._reached
        pacer.start(due)
        while True:
            packer.hurry(not self._is_behind(now, due))
            frames = packer.advance(min(now, due), self._aging_time(now, due))
            if frames:
                self._send_all(frames, source)
                packer.time_passed(self._aging_time(pacer.now(due), due))
            if now >= due or self._is_stopped():
                return
            pacer.sleep_until(max(min(due, packer.next_deadline()), now + self._pause), self._is_stopped)
            now = self._reached = pacer.now(due)
            self.sink.poll()
            if self.news:
                self._take_news(source)
            if self._unsettled and now >= self._settle_due:
                self._settle_due = now + int(pacer.speed * SECONDS_BETWEEN_SETTLEMENTS * NANOSECONDS_PER_SECOND)
                self._send_all(packer.finish(close_bars=False), source)
                self._settle()

    @property
    def _pause(self) -> int:
        return int(self.pacer.speed * PAUSE_SECONDS * NANOSECONDS_PER_SECOND)

    def _aging_time(self, now: int, due: int) -> int:
        """The time by which frames age: far behind the schedule it goes in steps, so that frames fill up and the gateway catches up."""
        if not self._is_behind(now, due):
            return now
        step = int(self.pacer.speed * NANOSECONDS_PER_SECOND * SECONDS_A_FRAME_MAY_WAIT_WHEN_BEHIND)
        return now - now % step

    def _is_behind(self, now: int, due: int) -> bool:
        return now - due >= BEHIND_SECONDS * self.pacer.speed * NANOSECONDS_PER_SECOND

    def _send_all(self, frames: Iterable[PackedFrame], source: RunningSource) -> None:
        for frame in frames:
            self._send(frame, source)

    def _send(self, frame: PackedFrame, source: RunningSource) -> None:
        version = self.control_version()
        data = self._encoded(frame.symbol, source, version, frame.events)
        self.sink.send(self.settings.frames_topic, frame.symbol.encode(), data, frame.timestamp_milliseconds)
        self._tally.count_frame(frame, len(data), version)

    def _encoded(self, symbol: str, source: RunningSource, version: int, events: Sequence[MarketEvent]) -> bytes:
        framing = self._framing["MarketFrame"]
        return encode_columns(symbol, source.venue, source.name, version, column_bytes(events), news_texts(events), framing)

    def _settle(self) -> None:
        """Wait until all that was sent is acknowledged. Nothing that became of the items taken so far may wait in the packer."""
        self.sink.flush()
        if self._unsettled:
            self.settled(self._unsettled)
            self._unsettled = []

    def _reject(self, line: RejectedLine) -> None:
        self._refuse(RefusedNews("", line.reason, line.detail, 0, line.raw, Position(line.source, 0, line.line_number)))

    def _take_news(self, source: RunningSource) -> None:
        """Give what was read from the topic to the symbols that it names; before the first event there is no time at which it comes."""
        while self.news and self._packer.stream_time:
            message = self.news.popleft()
            self._unsettled.append(message)
            for found in read_message(message, self._packer.stream_time, self._framing["NewsItem"]):
                if isinstance(found, MarketEvent):
                    self._add_news(found, source)
                else:
                    self._refuse(found)
                self._tally.messages += 1

    def _add_news(self, event: MarketEvent, source: RunningSource) -> None:
        """News joins the log of a symbol that has one: it must not begin the log of a symbol that nobody trades, or that is mistyped."""
        if not self._packer.knows(event.symbol) and event.symbol not in self.settings.universe:
            raw = self._encoded(event.symbol, source, 0, [event])
            detail = f"news for {event.symbol!r}, of which no market event has come"
            self._refuse(RefusedNews(event.symbol, Reason.UNKNOWN_SYMBOL, detail, event.event_time, raw, Position(source.name, 0, 0)))
            return
        frame = self._packer.add(event)
        if frame is not None:
            self._send(frame, source)

    def _refuse(self, refused: RefusedNews) -> None:
        rejected = Rejected(
            symbol=refused.symbol,
            reason=refused.reason,
            detail=refused.detail,
            event_time=refused.event_time,
            available_time=self._packer.stream_time,
            raw=refused.raw,
            position=refused.position,
            manifest_id=self.settings.manifest_id,
        )
        time = self._packer.stream_time // NANOSECONDS_PER_MILLISECOND
        self.sink.send(self.settings.rejects_topic, refused.symbol.encode(), encode_rejected(rejected, self._framing["Rejected"]), time)
        self._tally.count_rejected(refused.reason)

    def _is_stopped(self) -> bool:
        return self._stopped

    @contextmanager
    def _signals_stop_it(self) -> Iterator[None]:
        """Let Ctrl-C and SIGTERM end the run between two events, so that nothing taken is lost; a second one ends it at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._stopped:
            raise KeyboardInterrupt
        self.stop()
