"""Facts for written streams: put before the events as the gateway does, and Hypothesis strategies of single ones."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from hypothesis import strategies as st

from tests.support.written_events import MIDNIGHT, SECOND, Event, fact
from udfs.kernels.events import FACT_NUMBERS, EventKind

DAY = 86_400
OFFSET = -5 * 3600
OPEN, CLOSE, EARLY_CLOSE = 34_200, 57_600, 46_800
"""Seconds of the local day."""
LISTED = MIDNIGHT // SECOND - 29 * DAY


def session_at(second: int) -> tuple[float, ...]:
    """Numbers of the session of a calendar five hours behind UTC, open on weekdays, every third day of the month a short one."""
    day = (second + OFFSET) // DAY
    while not _is_open(day):
        day -= 1
    before, after = day - 1, day + 1
    while not _is_open(before):
        before -= 1
    while not _is_open(after):
        after += 1
    start = day * DAY - OFFSET
    numbers = (start, start + OPEN, start + _close(day), after * DAY - OFFSET + OPEN, before * DAY - OFFSET + _close(before))
    return (*map(float, numbers), float(_close(day) == EARLY_CLOSE), float(OFFSET), float(day))


def _is_open(day: int) -> bool:
    return (day + 3) % 7 < 5


def _close(day: int) -> int:
    return EARLY_CLOSE if day % 3 == 0 else CLOSE


def with_facts(events: list[Event], seed: int, share: float) -> list[Event]:
    """The events with sessions and reference data, and context before a share of them; none at all for a share of 0."""
    return list(_with_facts(events, np.random.default_rng(1000 + seed), share)) if share and events else events


def _with_facts(events: list[Event], generator: np.random.Generator, share: float) -> Iterator[Event]:
    start, switch = 0.0, int(generator.integers(0, len(events)))
    for place, event in enumerate(events):
        time, delay = event.event_time, event.delay
        session = session_at(time // SECOND)
        if session[0] > start:
            start = session[0]
            yield fact(EventKind.SESSION, time, *session)._replace(delay=delay)
        if place in (0, switch):
            delisted = math.nan if place == 0 else MIDNIGHT / SECOND + DAY
            yield fact(EventKind.REFERENCE, time, 7.0, 2.0 + (place > 0), float(LISTED), delisted)._replace(delay=delay)
        if generator.random() < share:
            yield fact(EventKind.CONTEXT, time, *_context(generator, 0.2 * (share < 1)))._replace(delay=delay)

        yield event


def _context(generator: np.random.Generator, unknown: float) -> tuple[float, ...]:
    """Index returns of 1 s, 1 min, 5 min, the sector's mean, its volatility, rank, volatility index, rate."""
    moves = generator.normal(0, 1e-3, 4)
    others = abs(generator.normal(0, 1e-3)), generator.integers(0, 5) / 4, generator.uniform(10, 40), generator.normal(4, 1)
    return tuple(math.nan if generator.random() < unknown else float(number) for number in (*moves, *others))


_unknown = st.just(math.nan)
_returns = st.floats(-0.1, 0.1) | _unknown
_contexts = st.tuples(_returns, _returns, _returns, _returns, st.floats(0, 0.1), st.floats(0, 1) | _unknown, st.floats(5, 90), _returns)
_seconds = st.integers(MIDNIGHT // SECOND - 4 * DAY, MIDNIGHT // SECOND + 4 * DAY)
_references = st.tuples(st.sampled_from((1.0, math.nan)), st.sampled_from((3.0, math.nan)), _seconds.map(float) | _unknown, _unknown)
_adjustments = st.tuples(_seconds.map(float), st.sampled_from((2.0, 0.1, 3.0, math.nan)), st.sampled_from((0.5, math.nan, math.nan)))
_POSSIBLE = {
    EventKind.CONTEXT: _contexts,
    EventKind.NEWS: st.lists(st.floats(-1, 1) | _unknown, max_size=FACT_NUMBERS).map(tuple),
    EventKind.REFERENCE: _references,
    EventKind.SESSION: _seconds.map(session_at),
    EventKind.ADJUSTMENT: _adjustments,
}


def possible_facts(kind: EventKind) -> st.SearchStrategy[tuple[float, ...]]:
    """Numbers of a fact that can be true, as long as a row."""
    return _POSSIBLE[kind].map(lambda numbers: fact(kind, 0, *numbers).numbers)
