"""Laws of packing: nothing lost, nothing reordered, nothing kept too long, however frames are cut."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.gateway.market_event import MarketEvent
from jobs.gateway.packing import NEVER, PackedFrame, Packer, PackingSettings
from jobs.simulator.source import SimulatedSource
from tests.support.frame_events import by_symbol, unpacked
from tests.support.market_events import START, market_events, same_event
from tests.support.quiet_market import NO_DEFECTS, small_market
from udfs.errors import InvalidSettings
from udfs.kernels.advance import KernelSettings, advance
from udfs.kernels.events import EventKind
from udfs.kernels.symbol_state import SymbolState, new_state

SECOND = 1_000_000_000
settings = st.builds(
    PackingSettings,
    maximum_events=st.integers(1, 40),
    maximum_age_nanoseconds=st.sampled_from((0, 1, 5_000_000, SECOND)),
    row_interval_nanoseconds=st.sampled_from((None, 0, 100_000_000)),
    out_of_order_nanoseconds=st.sampled_from((0, 50_000_000, 2 * SECOND)),
)


def pack(events: Iterable[MarketEvent], packer: Packer, close_bars: bool = False) -> list[PackedFrame]:
    frames: list[PackedFrame] = []
    for event in events:
        frames += packer.advance(event.available_time)
        full = packer.add(event)
        frames += [full] if full else []
    return frames + packer.finish(close_bars)


def trade(symbol: str, seconds: float, delay: float = 0.0) -> MarketEvent:
    time = START + round(seconds * SECOND)
    return MarketEvent(symbol, EventKind.TRADE, time - round(delay * SECOND), time, 0, 0, (1.0, 2.0, 1.0))


def clocks(events: Iterable[MarketEvent]) -> list[MarketEvent]:
    return [event for event in events if event.kind == EventKind.CLOCK]


@given(market_events(maximum_delay_nanoseconds=5 * SECOND), settings, st.booleans())
def test_frames_hold_every_event_in_order(events: list[MarketEvent], how: PackingSettings, close_bars: bool) -> None:
    """The concatenation of a symbol's frames, CLOCK events aside, is the symbol's input: for any settings."""
    packer = Packer(how)
    frames = pack(events, packer, close_bars)
    expected = by_symbol(events)
    found = unpacked(frames)
    assert found.keys() == expected.keys()
    for symbol, wanted in expected.items():
        real = [event for event in found[symbol] if event.kind != EventKind.CLOCK]
        assert len(real) == len(wanted)
        assert all(map(same_event, real, wanted))
    assert all(1 <= len(frame.columns.kind) <= how.maximum_events for frame in frames)
    assert packer.waiting_events == 0
    assert packer.clocks_added == sum(len(clocks(events)) for events in found.values())


@given(market_events(maximum_delay_nanoseconds=5 * SECOND), settings, settings)
def test_the_log_does_not_depend_on_how_frames_are_cut(events: list[MarketEvent], one: PackingSettings, two: PackingSettings) -> None:
    """CLOCK events, too, stand at the same place with the same times, whatever the frames' size and age."""
    same_tolerance = replace(two, out_of_order_nanoseconds=one.out_of_order_nanoseconds)
    first, second = unpacked(pack(events, Packer(one), True)), unpacked(pack(events, Packer(same_tolerance), True))
    assert first.keys() == second.keys()
    assert all(len(first[symbol]) == len(second[symbol]) and all(map(same_event, first[symbol], second[symbol])) for symbol in first)


@given(market_events(maximum_delay_nanoseconds=4 * SECOND), settings)
def test_a_clock_makes_late_only_what_was_delayed_beyond_the_tolerance(events: list[MarketEvent], how: PackingSettings) -> None:
    """An event after a CLOCK of a later time took longer than the tolerance to arrive."""
    for found in unpacked(pack(events, Packer(how))).values():
        closed = 0
        for event in found:
            if event.kind == EventKind.CLOCK:
                assert event.available_time > event.event_time + how.out_of_order_nanoseconds
                assert event.event_time > closed, "a CLOCK must say something new"
                closed = event.event_time
            elif event.event_time <= closed and event.kind < EventKind.CLOCK:
                assert event.available_time - event.event_time > how.out_of_order_nanoseconds


@given(market_events(maximum_delay_nanoseconds=SECOND))
def test_finishing_closes_every_bar_once(events: list[MarketEvent]) -> None:
    """At a real end a CLOCK stands at the end of the longest bar around each symbol's newest event, available no earlier than its time."""
    for found in unpacked(pack(events, Packer(), close_bars=True)).values():
        hour = 3600 * SECOND
        times = [event.event_time for event in found if event.kind < EventKind.CLOCK]
        if not times:
            assert clocks(found) == [], "facts open no bar"
            continue
        newest = max(times)
        assert max(event.event_time for event in clocks(found)) == (newest // hour + 1) * hour
        assert all(event.available_time >= event.event_time for event in clocks(found))


def test_a_quiet_symbol_gets_one_clock_a_length_of_bar() -> None:
    """1 s, 1 min, 5 min and 1 h bars close in turn while another symbol moves time on; then there is silence."""
    packer = Packer()
    others = [trade("B", second) for second in range(1, 3 * 3600, 7)]
    frames = pack([trade("A", 0.0), *others], packer)
    ends = [event.event_time for event in clocks(unpacked(frames)["A"])]
    assert ends == sorted({(START // length + 1) * length for length in (SECOND, 60 * SECOND, 300 * SECOND, 3600 * SECOND)})


def test_an_active_symbol_gets_no_clock() -> None:
    """While events keep coming, the symbol's own time closes its bars."""
    packer = Packer()
    frames = pack([trade("A", second / 4) for second in range(2000)], packer)
    assert clocks(unpacked(frames)["A"]) == []


def test_an_absurd_time_does_not_stop_the_clock() -> None:
    """An event from the far future neither opens a bar there nor keeps the real ones open."""
    packer = Packer()
    absurd = trade("A", 0.5)._replace(event_time=(1 << 62))
    frames = pack([trade("A", 0.1), absurd, trade("B", 10.0)], packer)
    assert clocks(unpacked(frames)["A"])[0].event_time == START + SECOND


def test_a_record_whose_event_time_cannot_be_true_carries_the_available_time() -> None:
    """Brokers refuse records from the future, and one bad time must not stop the stream."""
    packer = Packer(PackingSettings(maximum_events=1))
    for event_time in (1 << 62, -5):
        frame = packer.add(trade("A", 1.0)._replace(event_time=event_time))
        assert frame is not None
        assert frame.timestamp_milliseconds == (START + SECOND) // 1_000_000
        assert frame.columns.event_time.tolist() == [event_time]


def test_a_fact_opens_no_bar_and_a_record_that_ends_with_one_carries_the_available_time() -> None:
    packer = Packer()
    news = MarketEvent("A", int(EventKind.NEWS), START - 3600 * SECOND, START + SECOND, 0, 0, "old news")
    frames = pack([news, trade("B", 30.0)], packer)
    assert [frame.timestamp_milliseconds for frame in frames if frame.symbol == "A"] == [(START + SECOND) // 1_000_000]
    assert [len(clocks(found)) for found in unpacked(frames).values()] == [0, 0]


def test_a_frame_leaves_when_its_oldest_event_is_old() -> None:
    """`next_deadline` says when, and `advance` to it hands the frame out, not before."""
    packer = Packer(PackingSettings(maximum_age_nanoseconds=5_000_000))
    first, second = trade("A", 0.0), trade("A", 0.004)
    packer.advance(first.available_time)
    packer.add(first)
    packer.advance(second.available_time)
    packer.add(second)
    deadline = packer.next_deadline()
    assert deadline == first.available_time + 5_000_000
    assert packer.advance(deadline - 1) == []
    assert [len(frame.columns.kind) for frame in packer.advance(deadline)] == [2]
    assert packer.next_deadline() == START + 3 * SECOND + 1, "then only the bar's end waits"


@pytest.mark.parametrize("seed", range(5))
def test_what_makes_a_row_waits_for_nobody(seed: int) -> None:
    """Held against the kernels: once the first bars have closed, a row follows the last event of its frame."""
    simulation = small_market(seed=seed, seconds=20, ticks_per_second=300, quiet_symbols=1, defects=NO_DEFECTS, feed_delay_microseconds=0)
    kernel = KernelSettings()
    how = PackingSettings(maximum_events=10_000, maximum_age_nanoseconds=SECOND, row_interval_nanoseconds=kernel.row_interval_nanoseconds)
    states: dict[str, SymbolState] = {}
    rows = waited = 0
    for frame in pack((item for item in SimulatedSource(simulation).events() if isinstance(item, MarketEvent)), Packer(how)):
        made = advance(states.setdefault(frame.symbol, new_state()), frame.columns, kernel)
        index = made.row_event_index[made.row_event_time > simulation.start_time + 4 * SECOND]
        rows += len(index)
        waited += int((index < len(frame.events) - 1).sum())
    assert rows > 500
    assert waited <= rows // 100, "only where no event lies in a second or the kernels reject what should have made the row"


def test_a_status_leaves_at_once() -> None:
    """A halt must not wait for the next row."""
    packer = Packer(PackingSettings(row_interval_nanoseconds=100_000_000))
    assert packer.add(trade("A", 0.0)) is not None, "the first event makes a row"
    assert packer.add(trade("A", 0.01)) is None
    frame = packer.add(trade("A", 0.02)._replace(kind=EventKind.STATUS, payload=(2,)))
    assert frame is not None
    assert len(frame.events) == 2


def test_who_is_behind_does_not_hurry() -> None:
    """Then rows wait for full frames, which cost less; afterwards they do not."""
    packer = Packer(PackingSettings(row_interval_nanoseconds=100_000_000))
    packer.hurry(False)
    assert packer.add(trade("A", 0.0)) is None
    packer.hurry(True)
    frame = packer.add(trade("A", 0.5))
    assert frame is not None
    assert len(frame.events) == 2


def test_frames_age_by_their_own_time_when_the_stream_is_behind() -> None:
    """Behind its schedule a gateway fills frames: stream time may run far ahead of the time by which they age."""
    packer = Packer(PackingSettings(maximum_age_nanoseconds=5_000_000))
    frames = []
    for number in range(10):
        event = trade("A", number)
        frames += packer.advance(event.available_time, START + 100 * SECOND + number)
        packer.add(event)
    assert frames == []
    assert [len(frame.columns.kind) for frame in packer.advance(START + 9 * SECOND, START + 100 * SECOND + 5_000_000)] == [10]


def test_stretches_go_on_without_closing() -> None:
    """`finish(close_bars=False)` between two stretches leaves the log as if there had been one."""
    events = [trade("AB"[number % 2], number * 1.7) for number in range(100)]
    packer = Packer()
    halves = pack(events[:50], packer) + pack(events[50:], packer, close_bars=True)
    assert unpacked(halves) == unpacked(pack(events, Packer(), close_bars=True))


def test_nothing_waits_in_an_empty_packer() -> None:
    """No deadline without events."""
    assert Packer().next_deadline() == NEVER
    assert Packer().finish(close_bars=True) == []


def test_settings_report_every_problem() -> None:
    """One error names all that is wrong."""
    with pytest.raises(InvalidSettings, match=r"maximum_events.*maximum_age.*out_of_order.*bar_seconds"):
        PackingSettings(0, -1, -1, bar_seconds=(60, 1))
