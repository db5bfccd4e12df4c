"""How a demo divides its source: what warms the windows up and trains the model, and what is watched."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from jobs.gateway.detect import open_source
from jobs.gateway.facts import Facts
from jobs.gateway.known_facts import facts_of
from jobs.gateway.market_event import MarketEvent
from jobs.gateway.running_source import Source
from jobs.settings import FactsSection
from jobs.simulator.instruments import simulated_instruments
from jobs.simulator.settings import SimulationSettings
from jobs.simulator.source import SimulatedSource
from udfs.errors import SourceError

SECOND = 1_000_000_000
HORIZONS_SECONDS = (300, 120, 60, 30, 10)
"""Horizons that are tried, the usual one first: short captures hold too few spans of five minutes to learn from."""
HORIZONS_IN_WARM_UP = 20
"""Spans of the horizon that training, calibration and their gaps need."""
WARM_UP_SHARE = 0.6
SIMULATED_WARM_UP_SECONDS = 100 * 60
NEWS_PER_HOUR = 6.0
"""By symbol of the simulated market."""
SAMPLED_EVERY = 100


@dataclass(frozen=True)
class Stretches:
    """A source cut in two by available time."""

    source: Source
    live_from: int
    """Nanoseconds: events available before it are the warm-up."""
    live_until: int | None
    """None: until the source ends."""
    horizon_seconds: int
    facts: Facts | None = None
    """What is put into the log besides; None: what the settings ask for."""
    has_news: bool = False
    """Whether there is something to read, so that a sentiment model is worth its training."""


def simulated(symbols: int, ticks_per_second: float, seconds: float, seed: int) -> Stretches:
    """A simulated market: its past at full speed, then `seconds` of it live. Its most active symbol stands for the index."""
    settings = SimulationSettings(
        symbols=symbols,
        seconds=SIMULATED_WARM_UP_SECONDS + seconds,
        ticks_per_second=ticks_per_second,
        seed=seed,
        news_per_hour=NEWS_PER_HOUR,
    )
    live_from = settings.start_time + SIMULATED_WARM_UP_SECONDS * SECOND
    wanted = FactsSection(calendar="24/7", index_symbol=settings.names()[0])
    facts = facts_of(wanted, simulated_instruments(settings))
    return Stretches(SimulatedSource(settings), live_from, None, HORIZONS_SECONDS[0], facts, has_news=True)


def recorded(path: Path, seconds: float | None, speed: float) -> Stretches:
    """A recorded source: most of its messages train the model. `seconds` of wall time at `speed` limit what is watched."""
    source = open_source(path)
    times = _available_times(source)
    live_from = times[int(len(times) * WARM_UP_SHARE)]
    live_until = live_from + int(seconds * speed * SECOND) if seconds and math.isfinite(speed) else None
    return Stretches(source, live_from, live_until, _horizon((live_from - times[0]) / SECOND))


def _available_times(source: Source) -> list[int]:
    """Available time of every so-many-th event: one pass over the source. Raises SourceError when it holds no event."""
    events = (item.available_time for item in source.events() if isinstance(item, MarketEvent))
    times = list(islice(events, 0, None, SAMPLED_EVERY))
    if not times:
        raise SourceError(f"{source.name} holds no market event")
    return times


def _horizon(warm_up_seconds: float) -> int:
    fitting = [seconds for seconds in HORIZONS_SECONDS if seconds * HORIZONS_IN_WARM_UP <= warm_up_seconds]
    return fitting[0] if fitting else HORIZONS_SECONDS[-1]
