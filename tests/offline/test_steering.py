"""Breakers for everything open for their reason alone, hold, close again, and are written into the control log once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.audit.control import audited
from jobs.audit.log import AuditLog
from jobs.gateway.publisher import PublishError
from jobs.monitoring.breakers import (
    CRASH,
    DRIFT,
    ERRORS,
    FEWEST_DIRECTIONS,
    FEWEST_SYMBOLS,
    LAG,
    ONE_WAY,
    RESTORE_AFTER_SECONDS,
    RULES,
    SHED_AFTER_SECONDS,
    Breakers,
    Interval,
    Latch,
    share_of,
)
from jobs.monitoring.flink_numbers import JobNumbers
from jobs.monitoring.signal_mix import Newest, SignalMix
from jobs.monitoring.steering import AUTHOR, Steering
from udfs.codecs.control import encode_control
from udfs.errors import TickflowError
from udfs.operators.control_state import ControlSnapshot, ControlState
from udfs.records import BreakerChange, ControlEvent, ControlKind, ShedLevel, SignalCode, TradingState

RULE = {rule.name: rule for rule in RULES}
SECOND = 1_000_000_000


class Market:
    """A watch in time that is told, over a control log in memory that is read at once."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[ControlEvent] = []
        self.control = ControlState(lambda model: b"")
        self.mix = SignalMix()
        self.job = JobNumbers("x", "RUNNING", counters={"frames": 0, "accepted_events": 0})
        self.steering = self.fresh()

    def fresh(self) -> Steering:
        return Steering(self.publish, now=lambda: self.now)

    def publish(self, events: Sequence[ControlEvent]) -> None:
        self.log += events
        for event in events:
            self.control.read(encode_control(event))

    def signals(self, crashed: int, others: int = 0, code: SignalCode = SignalCode.FLASH_CRASH) -> None:
        codes = [code] * crashed + [SignalCode.NONE] * others
        self.mix.event_time += SECOND
        self.mix.newest = {f"S{place}": Newest(self.mix.event_time, int(found)) for place, found in enumerate(codes)}

    def work(self, frames: int, accepted: int = 0, refused: int = 0, pending: int = 0) -> None:
        old = self.job
        counters = {"frames": old.counters["frames"] + frames, "accepted_events": old.counters["accepted_events"] + accepted}
        self.job = replace(old, counters=counters, refused={"late": sum(old.refused.values()) + refused}, pending_frames=pending)

    def look(self, seconds: float = 5.0) -> list[ControlEvent]:
        self.now += seconds
        return self.steering.look(self.job, self.mix, self.snapshot)

    @property
    def snapshot(self) -> ControlSnapshot:
        return self.control.at(self.control.version)


def test_a_crash_of_many_symbols_halts_everything_until_it_has_been_calm() -> None:
    market = Market()
    market.signals(1, 9)
    assert market.look() == []
    market.signals(2, 8)
    (event,) = market.look()
    assert event.breaker is not None
    assert (event.breaker.name, event.breaker.state, event.author) == (CRASH, TradingState.HALTED, AUTHOR)
    assert market.snapshot.trading_state("ANY") is TradingState.HALTED
    market.signals(1, 9)
    assert [market.look() for _ in range(100)] == [[]] * 100, "a tenth is below what opens and above what closes"
    market.signals(0, 10)
    calm = RULE[CRASH].closes_after_seconds
    assert [market.look() for _ in range(int(calm / 5))] == [[]] * int(calm / 5)
    (event,) = market.look()
    assert event.breaker is not None
    assert event.breaker.state is TradingState.ACTIVE
    assert market.snapshot.trading_state("ANY") is TradingState.ACTIVE


def test_one_bad_look_neither_halts_nor_releases() -> None:
    market = Market()
    market.signals(8, 2, SignalCode.OUT_OF_RANGE)
    assert market.look() == []
    market.signals(0, 10)
    assert [market.look() for _ in range(50)] == [[]] * 50
    market.signals(8, 2, SignalCode.OUT_OF_RANGE)
    assert sum(len(market.look()) for _ in range(14)) == 1
    assert market.snapshot.breakers == {DRIFT: TradingState.REDUCING}
    market.signals(0, 10)
    market.look()
    market.signals(8, 2, SignalCode.OUT_OF_RANGE)
    market.look()
    market.signals(0, 10)
    assert [market.look() for _ in range(60)] == [[]] * 60, "the calm began anew"


def test_a_model_that_says_one_thing_of_everything_may_only_reduce() -> None:
    market = Market()

    def say(ups: int, downs: int, neutral: int = 5) -> None:
        market.mix.event_time += SECOND
        said = [1] * ups + [-1] * downs + [0] * neutral
        market.mix.newest = {f"S{place}": Newest(market.mix.event_time, 0, direction) for place, direction in enumerate(said)}

    say(0, FEWEST_DIRECTIONS - 1)
    assert [market.look() for _ in range(400)] == [[]] * 400, "so few may agree"
    say(0, 20)
    opens = int(RULE[ONE_WAY].opens_after_seconds / 5)
    assert [market.look() for _ in range(opens)] == [[]] * opens
    (event,) = market.look()
    assert event.breaker == BreakerChange(ONE_WAY, TradingState.REDUCING)
    assert "the signals that have one is 1" in event.reason
    say(2, 18)
    assert sum(len(market.look()) for _ in range(100)) == 0, "above what closes"
    say(8, 12)
    assert sum(len(market.look()) for _ in range(100)) == 1
    assert market.snapshot.breakers == {}


def test_few_symbols_say_nothing_of_the_market() -> None:
    newest = dict.fromkeys([str(place) for place in range(FEWEST_SYMBOLS - 1)], int(SignalCode.FLASH_CRASH))
    assert share_of(SignalCode.FLASH_CRASH, newest) is None
    assert share_of(SignalCode.FLASH_CRASH, {**newest, "more": 0}) == pytest.approx(1 - 1 / FEWEST_SYMBOLS)


def test_errors_let_positions_only_become_smaller() -> None:
    market = Market()
    market.look()
    for _ in range(5):
        market.work(100, accepted=700, refused=300)
        market.look(10.0)
    assert market.snapshot.breakers == {ERRORS: TradingState.REDUCING}
    assert "duplicates aside is 0.3" in market.log[0].reason


def test_a_lag_sheds_the_least_valuable_work_first_and_gives_it_back() -> None:
    market = Market()
    market.look()
    levels = []
    for pending in (0, 200, 200, 400, 400, 2_000, 2_000, 2_000):
        market.work(1_000, pending=pending)
        market.look(10.0)
        levels.append(market.snapshot.shed_level)
    assert levels == sorted(levels)
    assert set(levels) == set(map(int, ShedLevel))
    assert [event.shed_level for event in market.log if event.kind is ControlKind.SHED] == [1, 2]
    assert market.snapshot.breakers == {LAG: TradingState.REDUCING}
    for _ in range(20):
        market.work(1_000)
        market.look(10.0)
    assert (market.snapshot.shed_level, dict(market.snapshot.breakers)) == (0, {})


def test_a_job_that_stands_still_lags_for_ever() -> None:
    assert Interval(10.0, 0, 0, 0, 5).lag_seconds == float("inf")
    assert Interval(10.0, 0, 0, 0, 0).lag_seconds == 0.0
    assert Interval(10.0, 100, 0, 0, 50).lag_seconds == 5.0


def test_what_is_not_known_turns_nothing() -> None:
    market = Market()
    market.signals(10)
    market.look()
    market.mix, market.job = SignalMix(), None  # type: ignore[assignment]
    assert [market.look(60.0) for _ in range(20)] == [[]] * 20
    assert market.snapshot.breakers == {CRASH: TradingState.HALTED}


def test_what_was_seen_before_is_no_error() -> None:
    market = Market()
    market.look()
    for _ in range(5):
        market.work(100, accepted=10)
        market.job = replace(market.job, refused={"duplicate": market.job.counters["frames"] * 90})
        assert market.look(10.0) == []


def test_counters_that_begin_anew_are_no_errors() -> None:
    market = Market()
    market.look()
    market.work(100, accepted=1_000, refused=900)
    market.job = replace(market.job, restarts=1)
    assert [market.look(10.0) for _ in range(5)] == [[]] * 5


def test_a_restart_goes_on_from_the_control_log() -> None:
    market = Market()
    market.signals(10)
    market.look()
    market.steering = market.fresh()
    assert market.look() == []
    market.signals(0, 10)
    assert sum(len(market.look(10.0)) for _ in range(40)) == 1
    assert market.snapshot.breakers == {}


def test_a_person_who_lets_everything_go_closes_it_and_it_opens_again_where_the_reason_stays() -> None:
    market = Market()
    market.signals(10)
    market.look()
    market.publish([ControlEvent(0, ControlKind.RESUME, 1, "desk", "go")])
    assert market.snapshot.trading_state("A") is TradingState.ACTIVE
    (event,) = market.look()
    assert event.breaker is not None


def test_a_breaker_of_somebody_else_is_left_alone() -> None:
    market = Market()
    market.publish([ControlEvent(0, ControlKind.BREAKER, 1, "desk", "own", breaker=BreakerChange("own-breaker", TradingState.HALTED))])
    assert [market.look(100.0) for _ in range(10)] == [[]] * 10
    assert market.snapshot.breakers == {"own-breaker": TradingState.HALTED}


def test_what_cannot_be_published_is_decided_again() -> None:
    market, said = Market(), list[str]()

    def away(_: Sequence[ControlEvent]) -> None:
        raise PublishError("no broker")

    market.steering = Steering(away, said.append, lambda: market.now)
    market.signals(10)
    assert market.look() == []
    assert said == ["monitor: no broker"]
    market.steering._publish = market.publish
    assert len(market.look()) == 1


def test_opening_needs_no_audit_log_and_closing_does(tmp_path: Path) -> None:
    """As a halt: what makes things safer is not kept back by a disk that is full."""
    (tmp_path / "no-folder").write_text("")
    log = AuditLog(tmp_path / "no-folder" / "audit")
    opens, closes = (
        ControlEvent(0, ControlKind.BREAKER, 1, "monitor", "why", breaker=BreakerChange("lag", state))
        for state in (TradingState.REDUCING, TradingState.ACTIVE)
    )
    assert audited([opens], lambda _: 1, log) == [1]
    with pytest.raises(TickflowError):
        audited([closes], lambda _: 1, log)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 5.0)), max_size=40), st.floats(0.5, 10.0))
def test_a_latch_turns_only_after_its_condition_held_that_long(looks: list[tuple[bool, float]], after: float) -> None:
    latch, now, held = Latch(), 0.0, None
    for turns, seconds in looks:
        now += seconds
        before = latch.is_on
        held = (now if held is None else held) if turns else None
        latch.look(turns, after, now)
        assert latch.is_on is (not before if held is not None and now - held >= after else before)
        held = None if latch.is_on is not before else held


def test_the_lower_level_is_shed_before_the_higher() -> None:
    breakers = Breakers()
    found = [breakers.look({LAG: 1.5}, now)[1] for now in (0.0, SHED_AFTER_SECONDS)]
    assert found == [ShedLevel.NOTHING, ShedLevel.ONLINE_FEATURES]
    found = [breakers.look({LAG: 0.0}, now)[1] for now in (10.0, 10.0 + RESTORE_AFTER_SECONDS)]
    assert found == [ShedLevel.ONLINE_FEATURES, ShedLevel.NOTHING]
