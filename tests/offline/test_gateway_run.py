"""Laws of the gateway: all that a source yields arrives, in order, at its time, stamped and counted, whatever interrupts it."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.gateway.gateway import Gateway
from jobs.gateway.gateway_settings import PACED_AGE_NANOSECONDS, GatewaySettings
from jobs.gateway.market_event import Item, MarketEvent, RejectedLine
from jobs.gateway.pacing import Pacer
from jobs.gateway.publisher import MemorySink
from jobs.gateway.running_source import RunningSource, prepared
from jobs.simulator.source import SimulatedSource
from tests.support.fake_broker import FakeClock, TimedSink
from tests.support.frame_events import by_symbol, events_of
from tests.support.market_events import START, market_events, same_event, without_early_news
from tests.support.quiet_market import MANY_DEFECTS, small_market
from udfs.codecs.frames import MarketFrame, decode_frame
from udfs.codecs.rejects import decode_rejected
from udfs.errors import Reason
from udfs.kernels.events import EventKind

SECOND = 1_000_000_000
MILLISECOND = 1_000_000


@dataclass
class ListSource:
    """Items that a test wrote down."""

    items: Iterable[Item]
    name: str = "list"
    venue: str = "TEST"

    def events(self) -> Iterator[Item]:
        return iter(self.items)


def trade(symbol: str, seconds: float) -> MarketEvent:
    time = START + round(seconds * SECOND)
    return MarketEvent(symbol, EventKind.TRADE, time, time, 0, 0, (1.0, 2.0, 1.0))


def frames(sink: MemorySink) -> list[MarketFrame]:
    return [decode_frame(value) for topic, _, value, _ in sink.records if topic == "market.frames"]


def arrived(sink: MemorySink) -> dict[str, list[MarketEvent]]:
    """Each symbol's events in the order of the log, CLOCK events left out."""
    every = (event for frame in frames(sink) for event in events_of(frame.symbol, frame.columns, frame.news_texts))
    return by_symbol(event for event in every if event.kind != EventKind.CLOCK)


def assert_same(found: dict[str, list[MarketEvent]], wanted: dict[str, list[MarketEvent]]) -> None:
    assert found.keys() == wanted.keys()
    for symbol, events in wanted.items():
        assert len(found[symbol]) == len(events)
        assert all(map(same_event, found[symbol], events))


def real(items: Iterable[Item]) -> list[MarketEvent]:
    return [item for item in items if isinstance(item, MarketEvent)]


@given(
    market_events(maximum_delay_nanoseconds=3 * SECOND, longest_silence_seconds=0.5),
    st.sampled_from((1.0, 10.0, float("inf"))),
    st.integers(1, 40),
)
@settings(max_examples=50)
def test_everything_arrives_in_order_at_every_speed(events: list[MarketEvent], speed: float, size: int) -> None:
    """Through packing, encoding and pacing, each symbol's events come out as they went in."""
    sink = MemorySink()
    gateway = Gateway(sink, GatewaySettings(maximum_events=size), Pacer(speed, clock=FakeClock()))
    counts = gateway.run(ListSource(events))
    assert_same(arrived(sink), by_symbol(without_early_news(events)))
    assert counts.messages == len(events) == counts.events - counts.clocks + counts.rejected
    assert counts.waiting_events == counts.dropped == 0
    assert counts.frames + counts.rejected == len(sink.records) == counts.delivered_records


def test_a_broken_market_is_accounted_for_to_the_last_message() -> None:
    """messages = events without CLOCK + rejected lines, and the lines arrive as rejects with their place and bytes."""
    source = SimulatedSource(small_market(defects=MANY_DEFECTS))
    items = list(source.events())
    sink = MemorySink()
    counts = Gateway(sink, GatewaySettings(manifest_id="m1")).run(source)
    assert_same(arrived(sink), by_symbol(real(items)))
    assert counts.messages == len(items) == counts.events - counts.clocks + counts.rejected
    lines = [item for item in items if isinstance(item, RejectedLine)]
    assert counts.rejected_by_reason == {"malformed_input_line": len(lines)}
    rejects = [decode_rejected(value) for topic, _, value, _ in sink.records if topic == "rejects"]
    assert [(one.position.topic, one.position.offset, one.raw) for one in rejects] == [
        (one.source, one.line_number, one.raw) for one in lines
    ]
    assert {(one.reason, one.manifest_id) for one in rejects} == {(Reason.MALFORMED_INPUT_LINE, "m1")}
    assert counts.last_offsets["market.frames"] == {0: counts.frames - 1}


def test_records_carry_key_time_venue_and_source() -> None:
    """Key = symbol, time = the last event's in milliseconds."""
    sink = MemorySink()
    Gateway(sink).run(ListSource([trade("A", 0.0), trade("A", 0.25)]), close_bars=False)
    ((topic, key, value, timestamp),) = sink.records
    assert (topic, key, timestamp) == ("market.frames", b"A", (START + SECOND // 4) // MILLISECOND)
    frame = decode_frame(value)
    assert (frame.symbol, frame.venue, frame.source, frame.control_version) == ("A", "TEST", "list", 0)


def test_frames_are_stamped_with_the_version_in_force_when_they_leave() -> None:
    """Each frame asks anew."""
    sink, versions = MemorySink(), itertools.count(5)
    gateway = Gateway(sink, GatewaySettings(maximum_events=1), control_version=lambda: next(versions))
    counts = gateway.run(ListSource([trade("A", second) for second in range(4)]), close_bars=False)
    stamped = [frame.control_version for frame in frames(sink)]
    assert stamped == list(range(5, 5 + len(stamped)))
    assert counts.control_version == stamped[-1]


@pytest.mark.parametrize("speed", [0.5, 1.0, 10.0])
def test_events_are_sent_at_their_time(speed: float) -> None:
    """Never before the intended time, and no later than the age that a frame may reach."""
    clock = FakeClock(77)
    sink = TimedSink(clock)
    Gateway(sink, pacer=Pacer(speed, clock=clock)).run(ListSource([trade("A", second / 5) for second in range(30)]), close_bars=False)
    trades = [(time, frame) for time, frame in zip(sink.times, frames(sink), strict=True) if (frame.columns.kind == EventKind.TRADE).any()]
    assert len(trades) == 30
    for number, (time, _) in enumerate(trades):
        intended = 77 + round(number / 5 / speed * SECOND)
        assert intended <= time <= intended + PACED_AGE_NANOSECONDS + 1000


def test_a_slow_receiver_does_not_move_the_schedule() -> None:
    """Behind the schedule the gateway sends at once, in fuller frames, until it has caught up; intended times stay those of the data."""
    clock = FakeClock()
    sink = TimedSink(clock, nanoseconds_a_record=50 * MILLISECOND)
    pacer = Pacer(1.0, clock=clock)
    counts = Gateway(sink, pacer=pacer).run(ListSource([trade("A", number / 100) for number in range(500)]), close_bars=False)
    assert counts.events == 500
    assert counts.frames <= 100, "5 s at 50 ms a frame"
    assert clock.time < 5.2 * SECOND
    assert pacer.intended_wall_time(START + 3 * SECOND) == 1_000_000_000_000 + 3 * SECOND


def test_a_warm_up_before_the_start_goes_at_once() -> None:
    """What lies before `starts_at` takes no time; what comes after is paced from there."""
    clock = FakeClock()
    sink = TimedSink(clock)
    pacer = Pacer(1.0, starts_at=START + 3600 * SECOND, clock=clock)
    Gateway(sink, pacer=pacer).run(ListSource([trade("A", 0.0), trade("A", 3599.0), trade("A", 3602.0)]), close_bars=False)
    times = [time for time, frame in zip(sink.times, frames(sink), strict=True) if (frame.columns.kind == EventKind.TRADE).any()]
    assert max(times[:-1]) < SECOND
    assert 2 * SECOND <= times[-1] < 2.1 * SECOND


def test_a_quiet_market_closes_its_bars_while_the_gateway_waits() -> None:
    """The second's CLOCK leaves when its time has come, not with the next event."""
    clock = FakeClock()
    sink = TimedSink(clock)
    Gateway(sink, pacer=Pacer(1.0, clock=clock)).run(ListSource([trade("A", 0.0), trade("B", 30.0)]), close_bars=False)
    first = next(time for time, frame in zip(sink.times, frames(sink), strict=True) if (frame.columns.kind == EventKind.CLOCK).any())
    second_ends = (START // SECOND + 1) * SECOND - START
    assert second_ends + 2 * SECOND <= first <= second_ends + 2 * SECOND + 60 * MILLISECOND


@pytest.mark.parametrize("stop_at", [0, 1, 57, 400])
def test_a_stopped_run_goes_on_without_loss(stop_at: int) -> None:
    """What was taken before the stop is sent, what was not comes with the next run, and nothing twice."""
    source = SimulatedSource(small_market(seconds=10))
    running = RunningSource(source)
    sink = MemorySink()
    gateway = Gateway(sink)
    count = itertools.count()

    def stopping() -> Iterator[Item]:
        for item in source.events():
            if next(count) == stop_at:
                gateway.stop()
            yield item

    running._items = stopping()
    first = gateway.run(running)
    assert first.interrupted
    assert first.messages == stop_at
    assert first.waiting_events == 0
    rest = Gateway(sink).run(running)
    assert not rest.interrupted
    assert_same(arrived(sink), by_symbol(real(SimulatedSource(source.settings).events())))


def test_control_c_ends_the_run_between_two_events() -> None:
    """The signal's handler loses nothing, and the handler from before is put back."""
    before = signal.getsignal(signal.SIGINT)
    events = [trade("A", number / 100) for number in range(100)]

    def interrupted() -> Iterator[Item]:
        for number, event in enumerate(events):
            if number == 40:
                signal.raise_signal(signal.SIGINT)
            yield event

    sink = MemorySink()
    counts = Gateway(sink).run(ListSource(interrupted()))
    assert counts.interrupted
    assert_same(arrived(sink), by_symbol(events[: counts.messages]))
    assert counts.messages == 40
    assert signal.getsignal(signal.SIGINT) is before


def test_stretches_make_the_same_log_as_one_run() -> None:
    """Cut by `until`, published in two runs of one gateway: symbol by symbol the same events and the same CLOCKs."""
    settings_ = small_market(seconds=40, quiet_symbols=2)
    whole, halves = MemorySink(), MemorySink()
    Gateway(whole).run(SimulatedSource(settings_))
    running, gateway = RunningSource(SimulatedSource(settings_)), Gateway(halves)
    first = gateway.run(running, until=settings_.start_time + 17 * SECOND)
    second = gateway.run(running)
    assert 0 < first.messages < second.messages
    everything = [
        by_symbol(e for frame in frames(sink) for e in events_of(frame.symbol, frame.columns, frame.news_texts)) for sink in (whole, halves)
    ]
    assert_same(everything[0], everything[1])


def test_times_can_be_moved_to_now() -> None:
    """All times shift by the same amount; what was wrong stays wrong."""
    shift = 5 * SECOND
    items = [trade("A", 0.0), trade("A", 1.0)._replace(event_time=-3), trade("A", 2.0)._replace(event_time=(1 << 63) - 1)]
    moved = RunningSource(ListSource(items), shift)
    assert moved.first_available_time() == START
    found = real(moved)
    assert [one.available_time - START for one in found] == [shift, SECOND + shift, 2 * SECOND + shift]
    assert [one.event_time for one in found] == [START + shift, -3, (1 << 63) - 1]
    assert moved.first_available_time() is None


def test_a_snapshot_is_a_moment_of_the_run() -> None:
    """While it runs, the numbers add up: what was taken is in frames or waits."""
    sink = MemorySink()
    gateway = Gateway(sink)
    seen = []

    def watched() -> Iterator[Item]:
        for event in [trade("AB"[number % 2], number / 7) for number in range(200)]:
            seen.append(gateway.snapshot())
            yield event

    final = gateway.run(ListSource(watched()))
    assert all(one.messages + one.clocks == one.events + one.waiting_events for one in [*seen, final])
    assert final.as_json()["events"] == 200 + final.clocks
    assert final.symbols == 2


def test_far_behind_frames_fill_up() -> None:
    """A warm-up at the receiver's speed goes in full frames, although it takes far longer than a frame may wait when on time."""
    clock = FakeClock()
    sink = TimedSink(clock, nanoseconds_a_record=3 * MILLISECOND)
    pacer = Pacer(1.0, starts_at=START + 3600 * SECOND, clock=clock)
    warm_up = [trade("ABCD"[number % 4], number * 0.1) for number in range(20_000)]
    counts = Gateway(sink, pacer=pacer).run(ListSource(warm_up), close_bars=False)
    assert counts.events_by_kind["trade"] == 20_000
    assert counts.frames < 1.5 * 20_000 / 32


def test_a_prepared_source_is_the_same_source() -> None:
    """Items, name and venue stay; it can be read again."""
    source = SimulatedSource(small_market(seconds=3, defects=MANY_DEFECTS))
    ready = prepared(source)
    assert (ready.name, ready.venue) == (source.name, source.venue)
    assert len(ready.items) == len(list(source.events())) > 100
    assert list(ready.events()) == list(ready.items)


def test_stream_time_can_be_wall_time() -> None:
    """Moved to a wall time to come, each event leaves when its available time is the wall time, however late the run begins."""
    clock = FakeClock()
    begin = clock.wall() + 3 * SECOND
    source = ListSource([trade("A", number / 10) for number in range(10)])
    running = RunningSource(source, begin - START)
    pacer = Pacer(1.0, starts_at=begin, starts_at_wall=begin, clock=clock)
    sink = TimedSink(clock)
    clock.time += SECOND
    Gateway(sink, pacer=pacer).run(running, close_bars=False)
    for time, frame in zip(sink.times, frames(sink), strict=True):
        available = int(frame.columns.available_time[0])
        assert pacer.intended_wall_time(available) == available
        assert 0 <= time + 1_000_000_000_000 - available <= PACED_AGE_NANOSECONDS + 1000
