"""The simulated market's news: the same for the same seed, nothing when there is none, and the price follows what it says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from jobs.gateway.market_event import MarketEvent
from jobs.simulator.headlines import SENTIMENTS, TEMPLATES, TEMPLATES_OF_A_MEANING, headline
from jobs.simulator.news_flow import NewsFlow
from jobs.simulator.settings import NEWS_FOLLOWED_SECONDS, SimulationSettings
from jobs.simulator.source import SimulatedSource
from udfs.kernels.events import EventKind

MARKET = SimulationSettings(symbols=3, seconds=120.0, ticks_per_second=30.0, quiet_symbols=0)
WITH_NEWS = SimulationSettings(symbols=3, seconds=120.0, ticks_per_second=30.0, quiet_symbols=0, news_per_hour=120.0)


def events(settings: SimulationSettings) -> list[MarketEvent]:
    return [item for item in SimulatedSource(settings).events() if isinstance(item, MarketEvent)]


def test_news_comes_in_its_place_and_is_the_same_again() -> None:
    found = events(WITH_NEWS)
    news = [event for event in found if event.kind == EventKind.NEWS]
    assert len(news) > 4
    assert {event.symbol for event in news} <= {"SIM01", "SIM02", "SIM03"}
    assert all(one.available_time <= other.available_time for one, other in pairwise(found))
    assert all(event.event_time < event.available_time and event.payload and event.sequence for event in news)
    again = [event for event in events(WITH_NEWS) if event.kind == EventKind.NEWS]
    assert again == news


def test_more_time_only_adds_to_the_end() -> None:
    longer = SimulationSettings(symbols=3, seconds=240.0, ticks_per_second=30.0, quiet_symbols=0, news_per_hour=120.0)
    news = [event for event in events(longer) if event.kind == EventKind.NEWS]
    before = [event for event in news if event.available_time < WITH_NEWS.start_time + 120 * 10**9]
    assert before == [event for event in events(WITH_NEWS) if event.kind == EventKind.NEWS]


def test_without_news_there_is_none() -> None:
    assert not [event for event in events(MARKET) if event.kind == EventKind.NEWS]
    told, moved = NewsFlow(MARKET, "SIM01", np.random.default_rng(1)).stretch(0.0)
    assert not told
    assert not moved.any()


def test_the_price_follows_what_news_says_and_not_before() -> None:
    """In the end by the impact of each item, and by nothing until it is available."""
    settings = SimulationSettings(symbols=1, quiet_symbols=0, news_per_hour=30.0)
    flow = NewsFlow(settings, "SIM01", np.random.default_rng(5))
    stretches = [flow.stretch(10.0 * number) for number in range(600)]
    times = [(event.available_time - settings.start_time) / 1e9 for told, _ in stretches for event in told]
    move = np.concatenate([moved for _, moved in stretches])
    steps = 0.1 * np.arange(1, len(move) + 1)
    assert not move[steps < times[0]].any()
    quiet = [time for time, later in pairwise(times) if later - time > NEWS_FOLLOWED_SECONDS + 1]
    assert len(quiet) > 5
    jumps = np.interp([time + NEWS_FOLLOWED_SECONDS for time in quiet], steps, move) / settings.news_impact
    assert jumps == pytest.approx(np.round(jumps), abs=1e-3)
    assert len({round(jump) for jump in jumps}) > 1


def test_every_template_makes_a_sentence_of_its_meaning() -> None:
    generator = np.random.default_rng(3)
    sentences = [headline(number, generator, "Norwes") for number in range(len(TEMPLATES))]
    assert len({*sentences}) == len(TEMPLATES) == TEMPLATES_OF_A_MEANING * len(SENTIMENTS)
    assert all("{" not in sentence and "Norwes" in sentence for sentence in sentences)
