"""What the gateway puts into a symbol's log: at the right place, from what had been available, and nothing twice."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.demonstration.stretches import SIMULATED_WARM_UP_SECONDS, simulated
from jobs.gateway.context_facts import ContextFacts, ContextSettings
from jobs.gateway.facts import FactMaker, Facts
from jobs.gateway.gateway import Gateway
from jobs.gateway.known_facts import facts_of
from jobs.gateway.market_event import MarketEvent, numbers_of
from jobs.gateway.publisher import MemorySink
from jobs.gateway.reference_facts import AdjustmentFacts, ReferenceFacts
from jobs.gateway.running_source import PreparedSource
from jobs.gateway.session_facts import SessionFacts
from jobs.reference.corporate_actions import CorporateAction
from jobs.reference.instruments import Instrument, Instruments
from jobs.settings import FactsSection
from tests.support.market_events import market_events
from udfs.codecs.frames import decode_frame
from udfs.errors import InvalidSettings
from udfs.kernels.advance import KernelSettings, advance
from udfs.kernels.events import NANOSECONDS_PER_SECOND as SECOND
from udfs.kernels.events import EventKind
from udfs.kernels.feature_vector import Feature
from udfs.kernels.symbol_state import new_state

NAN = math.nan


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def trade(symbol: str, second: float, price: float = 100.0) -> MarketEvent:
    time = round(second * SECOND)
    return MarketEvent(symbol, int(EventKind.TRADE), time, time, 0, 0, (price, 1.0, 1.0))


def said(maker: FactMaker, *events: MarketEvent) -> list[tuple[float, ...]]:
    return [numbers_of(fact) for event in events for fact in maker.before(event)]


def new_york() -> SessionFacts:
    return SessionFacts(lambda symbol, second: "XNYS")


def test_a_session_is_told_before_the_first_event_and_with_each_further_day() -> None:
    """Friday 5 and Monday 8 July 2024; the weekend is Friday's."""
    times = ["2024-07-05T12:00", "2024-07-05T15:00", "2024-07-05T23:00", "2024-07-06T12:00", "2024-07-08T05:00", "2024-07-08T13:30"]
    facts = said(new_york(), *(trade("A", at(time)) for time in times))
    friday, monday = facts
    assert friday[:5] == tuple(
        map(at, ("2024-07-05T04:00", "2024-07-05T13:30", "2024-07-05T20:00", "2024-07-08T13:30", "2024-07-03T17:00"))
    )
    assert friday[5:] == (0.0, -4 * 3600.0, at("2024-07-05T00:00") / 86_400)
    assert monday[:2] == (at("2024-07-08T04:00"), at("2024-07-08T13:30"))


def test_a_short_day_is_marked_and_winter_has_another_offset() -> None:
    ((*_, close, _, _, early, offset, _),) = said(new_york(), trade("A", at("2024-11-29T15:00")))
    assert (close, early, offset) == (at("2024-11-29T18:00"), 1.0, -5 * 3600.0)


def test_a_session_that_opens_the_evening_before_begins_there() -> None:
    """Futures of Chicago: Monday's session opens on Sunday evening."""
    ((start, opens, *_, day),) = said(SessionFacts(lambda symbol, second: "CMES"), trade("A", at("2024-07-07T23:00")))
    assert (start, opens, day) == (at("2024-07-07T22:00"), at("2024-07-07T22:00"), at("2024-07-08T00:00") / 86_400)


def test_a_market_that_never_closes_has_a_session_a_day() -> None:
    maker = SessionFacts(lambda symbol, second: "24/7")
    times = [at("2024-07-06T00:00") + hour * 3600 for hour in range(0, 72, 5)]
    facts = said(maker, *(trade("A", time) for time in times))
    assert [number[0] for number in facts] == [at(f"2024-07-0{day}T00:00") for day in (6, 7, 8)]
    assert all(number[2] == number[3] for number in facts)


def test_absurd_times_and_the_years_before_1990_are_told_nothing() -> None:
    maker = new_york()
    future = trade("A", at("2024-07-05T12:00"))._replace(event_time=1 << 62)
    assert len(said(maker, trade("A", 5), future, trade("A", at("2024-07-05T12:01")))) == 1
    assert len(said(new_york(), trade("A", at("1998-01-05T15:00")))) == 1


def test_an_unknown_calendar_is_an_error_before_the_first_event() -> None:
    with pytest.raises(InvalidSettings, match="'XXXX' is not known"):
        facts_of(FactsSection(calendar="XXXX"))
    with pytest.raises(InvalidSettings, match="'YYYY' is not known"):
        facts_of(FactsSection(), Instruments([replace(instrument("A", 1), calendar="YYYY")]))


def instrument(symbol: str, sector: int, valid_from: float = -math.inf, known: float = -math.inf) -> Instrument:
    return Instrument(symbol, valid_from, known, float(sector), 4.0, "", NAN, NAN)


def test_reference_data_is_told_from_when_it_held_and_was_known() -> None:
    """A change that was announced late is not known before, however early it held."""
    late = instrument("A", 9, valid_from=100.0, known=300.0)
    maker = ReferenceFacts(Instruments([instrument("A", 3), late]))
    facts = [said(maker, trade("A", second)) for second in (50, 150, 250, 300, 400)]
    assert [[numbers[0] for numbers in found] for found in facts] == [[3.0], [3.0], [], [9.0], []]
    assert said(maker, trade("B", 500)) == []


def test_an_action_is_told_once_from_its_time_on() -> None:
    actions = {"A": [CorporateAction("A", 1000.0, 0.0, 2.0, NAN), CorporateAction("A", 2000.0, 2500.0, NAN, 0.5)]}
    maker = AdjustmentFacts(actions)
    facts = [said(maker, trade("A", second)) for second in (999, 1000, 1001, 2100, 2500, 2600)]
    assert [[numbers[0] for numbers in found] for found in facts] == [[], [1000.0], [], [], [2000.0], []]


def test_an_action_is_not_told_by_an_event_of_the_last_nanoseconds_before_it() -> None:
    """Which a float64 of seconds does not tell from the action's own second."""
    maker = AdjustmentFacts({"A": [CorporateAction("A", 1_700_006_400.0, 0.0, 2.0, NAN)]})
    event = trade("A", 1_700_006_400)
    assert said(maker, event._replace(event_time=event.event_time - 50)) == []
    assert len(said(maker, event)) == 1


def context(*members: str, **names: str) -> ContextFacts:
    return ContextFacts(ContextSettings(**names), Instruments([instrument(name, 1) for name in members]))


def test_context_is_what_had_been_available_and_rides_with_the_symbols_own_events() -> None:
    maker = context(index="I")
    events = [trade("I", second, 1000.0 * math.exp(second * 1e-5)) for second in range(1, 400)]
    for event in events:
        list(maker.before(event))
    (numbers,) = said(maker, trade("A", 399.9))
    assert numbers[:3] == pytest.approx((2e-5, 69e-5 + 1e-5, 309e-5 + 1e-5))
    assert said(maker, trade("A", 400.5)) == []
    assert len(said(maker, trade("A", 400.9))) == 1


def test_a_stale_index_is_not_told() -> None:
    maker = context("A", index="I")
    list(maker.before(trade("I", 1.0)))
    list(maker.before(trade("I", 61.0)))
    assert said(maker, trade("A", 302.0))[0][0] == 0.0
    assert said(maker, trade("A", 400.0)) == []


def test_one_wild_price_moves_no_context() -> None:
    maker = context(index="I")
    for second in range(1, 70):
        list(maker.before(trade("I", second, 1000.0 if second == 40 else 100.0)))
    assert said(maker, trade("A", 70))[0][:2] == (0.0, 0.0)


@settings(deadline=None)
@given(st.lists(st.integers(50, 150).map(float), min_size=2, max_size=6))
def test_ranks_are_those_of_a_sort(prices: list[float]) -> None:
    names = [f"S{number}" for number in range(len(prices))]
    maker = context(*names)
    for name in names:
        list(maker.before(trade(name, 1.0)))
    for name, price in zip(names, prices):
        list(maker.before(trade(name, 320.0, price)))
        list(maker.before(trade(name, 320.1, price)))
    found = [said(maker, trade(name, 321.2, price))[0] for name, price in zip(names, prices)]
    returns = np.log(np.array(prices) / 100.0)
    for own, numbers in zip(returns, found):
        others = len(prices) - 1
        expected = ((returns < own - 1e-12).sum() + 0.5 * ((abs(returns - own) < 1e-12).sum() - 1)) / others
        assert numbers[3:6] == pytest.approx((returns.mean(), math.sqrt((returns**2).mean()), expected))


@given(market_events(maximum_delay_nanoseconds=SECOND))
def test_context_knows_nothing_of_what_comes_later(events: list[MarketEvent]) -> None:
    """Whatever events there are: what was told up to a place is the same when the stream ends there."""

    def told(some: list[MarketEvent]) -> list[str]:
        maker = context("AAA", "BB", index="BB", volatility_index="C.D")
        return [repr(fact) for event in some for fact in maker.before(event)]

    whole = told(events)
    for end in (len(events) // 3, len(events) // 2):
        known = told(events[:end])
        assert whole[: len(known)] == known


def test_the_job_makes_features_of_what_the_gateway_puts_into_the_log() -> None:
    """From the source to the rows: a split, a session, a sector, an index."""
    begin = at("2024-07-05T14:00")
    actions = AdjustmentFacts({"A": [CorporateAction("A", begin + 400.0, 0.0, 2.0, NAN)]})
    instruments = Instruments([instrument("A", 7), instrument("B", 7)])
    facts = Facts((actions, new_york(), ReferenceFacts(instruments), ContextFacts(ContextSettings(index="I"), instruments)))
    prices = [(second, 100.0 if second < 400 else 50.0) for second in range(800)]
    events = [trade(name, begin + second + 0.1, price if name == "A" else 80.0) for second, price in prices for name in ("I", "B", "A")]
    sink = MemorySink()
    counts = Gateway(sink, facts=facts).run(PreparedSource("test", "V", tuple(events)))
    assert counts.messages == len(events)
    frames = [decode_frame(value) for _, key, value, _ in sink.records if key == b"A"]
    state = new_state()
    results = [advance(state, frame.columns, KernelSettings()) for frame in frames]
    assert not any(result.verdicts.any() for result in results)
    row = np.concatenate([result.row_values for result in results])[-2]
    assert row[[Feature.SECTOR_CODE, Feature.SESSION_PHASE, Feature.RETURN_1_HOUR]].tolist()[:2] == [7.0, 2.0]
    assert row[Feature.RETURN_5_MINUTES] == 0.0
    assert row[Feature.INDEX_RETURN_5_MINUTES] == 0.0
    assert 0.0 < row[Feature.SECONDS_TO_CLOSE] < 6 * 3600


def test_the_simulated_market_tells_of_its_sectors_and_its_index() -> None:
    """What a demo shows: every fact is believed, counted, and valid in the rows after the first minutes."""
    stretches = simulated(symbols=6, ticks_per_second=30.0, seconds=1.0, seed=7)
    assert stretches.facts is not None
    sink = MemorySink()
    begin = stretches.live_from - SIMULATED_WARM_UP_SECONDS * SECOND
    counts = Gateway(sink, facts=stretches.facts).run(stretches.source, until=begin + 400 * SECOND)  # type: ignore[arg-type]
    assert counts.messages + counts.facts + counts.clocks == counts.events + counts.rejected
    frames = [decode_frame(value) for topic, key, value, _ in sink.records if key == b"SIM02"]
    state = new_state()
    results = [advance(state, frame.columns, KernelSettings()) for frame in frames]
    kinds = np.concatenate([frame.columns.kind for frame in frames])
    verdicts = np.concatenate([result.verdicts for result in results])
    assert (verdicts[kinds > EventKind.CLOCK] == 0).all()
    assert 250 < (kinds == EventKind.CONTEXT).sum() <= 400
    valid = np.concatenate([result.row_valid for result in results])[-200:]
    told = (Feature.INDEX_RETURN_5_MINUTES, Feature.SECTOR_RANK, Feature.SECTOR_RELATIVE_RETURN_5_MINUTES, Feature.SESSION_PHASE)
    assert valid[:, told].mean() > 0.9
