"""One symbol's messages, stretch by stretch: its book, its order flow and its halts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from jobs.simulator.efficient_price import STEP_SECONDS, STRETCH_SECONDS
from jobs.simulator.event_rows import EventRows
from jobs.simulator.order_book import empty_book
from jobs.simulator.order_flow import CLOCK_FIELDS, UNIFORMS, Floats, Span, compiled_flow, room_for
from jobs.simulator.settings import SimulationSettings
from udfs.kernels.events import TradingStatus

TICKS_PER_UNIT = 100
_MESSAGES_PER_ARRIVAL, _MORE_WHEN_RARE = 0.66, 0.5
"""Trades and quotes that one arrival brings about, as measured: more where the price moves far in between. BOOK events come on top."""


@dataclass(slots=True)
class Halts:
    """When trading stops and goes on: one halt at a time, seconds since the start."""

    settings: SimulationSettings
    generator: np.random.Generator
    begin: float = -math.inf
    end: float = -math.inf

    def __post_init__(self) -> None:
        self._draw(0.0)

    def within(self, begin: float, end: float) -> list[tuple[float, TradingStatus]]:
        """Changes of status in [begin, end)."""
        changes = []
        if begin <= self.begin < end:
            changes.append((self.begin, TradingStatus.HALTED))
        if begin <= self.end < end:
            changes.append((self.end, TradingStatus.OPEN))
        return changes

    def go_on_after(self, time: float) -> None:
        """Draw the next halt when the present one is over."""
        if self.end < time:
            self._draw(time)

    def _draw(self, time: float) -> None:
        hours, length = self.generator.exponential(size=2)
        rate = self.settings.halts_per_hour
        self.begin = time + hours * 3600 / rate if rate else math.inf
        self.end = self.begin + self.settings.halt_seconds * (0.5 + 0.5 * length)


class SymbolFlow:
    """Makes the clean messages of one symbol."""

    def __init__(self, settings: SimulationSettings, rate: float, generator: np.random.Generator) -> None:
        self._settings = settings
        self._generator = generator
        self._arrivals = arrivals_for(rate, settings.book_interval_milliseconds / 1000)
        self._book = empty_book()
        self._clock = np.zeros(CLOCK_FIELDS)
        self._clock[0] = generator.exponential() / self._arrivals
        self._halts = Halts(settings, generator)
        self._opened = False

    def stretch(self, begin: float, fair: Floats, pressure: Floats) -> EventRows:
        """The messages of [begin, begin + STRETCH_SECONDS); `fair` in ticks and `pressure` (STEPS,)."""
        span = self._span(begin)
        changes = self._halts.within(begin, span.end)
        if not self._opened:
            self._opened = True
            changes.insert(0, (0.0, TradingStatus.OPEN))
        parts: list[EventRows] = []
        ended = False
        while not ended:
            draws = self._generator.random((int(span.base * STRETCH_SECONDS * 1.3) + 20, UNIFORMS))
            out = room_for(len(draws))
            ended = compiled_flow()(out, self._book, self._clock, fair, pressure, draws, span)
            parts.append(EventRows.of_messages(out, TICKS_PER_UNIT))
        self._halts.go_on_after(span.end)
        rows = EventRows.joined(parts)
        return rows.with_statuses(changes) if changes else rows

    def _span(self, begin: float) -> Span:
        settings = self._settings
        return Span(
            begin,
            begin + STRETCH_SECONDS,
            STEP_SECONDS,
            self._arrivals * activity(settings, begin),
            settings.excitation,
            settings.book_interval_milliseconds / 1000,
            self._halts.begin,
            self._halts.end,
        )


def arrivals_for(rate: float, book_interval: float) -> float:
    """Arrivals a second that bring about `rate` messages, where BOOK events come at most every `book_interval` seconds."""
    arrivals = rate
    for _ in range(60):
        each = _MESSAGES_PER_ARRIVAL + _MORE_WHEN_RARE / math.sqrt(arrivals) + 1 / (1 + arrivals * book_interval)
        arrivals = (arrivals + rate / each) / 2
    return arrivals


def activity(settings: SimulationSettings, seconds: float) -> float:
    """How active the market is at that time of the day, 1 on average over a day."""
    day = 86_400.0
    around_noon = 2 * ((settings.start_time / 1e9 + seconds) % day) / day - 1
    return 1 + settings.u_shape * 0.6 * (3 * around_noon * around_noon - 1)
