"""Streams of market events for Hypothesis: several symbols, every kind, by available time, with disorder and absurd times among them."""

from __future__ import annotations

import math
from itertools import accumulate

import numpy as np
from hypothesis import strategies as st

from jobs.gateway.market_event import MarketEvent, Payload
from udfs.kernels.events import BOOK_DEPTH, FACT_NUMBERS, NANOSECONDS_PER_SECOND, EventKind

START = 1_700_000_000 * NANOSECONDS_PER_SECOND
SYMBOLS = ("AAA", "BB", "C.D")

_numbers = st.floats(allow_nan=True, allow_infinity=True, width=64)


def _payload(kind: EventKind) -> st.SearchStrategy[Payload]:
    match kind:
        case EventKind.TRADE:
            return st.tuples(_numbers, _numbers, st.sampled_from((-1.0, 0.0, 1.0)))
        case EventKind.QUOTE:
            return st.tuples(_numbers, _numbers, _numbers, _numbers)
        case EventKind.BOOK:
            return _numbers.map(lambda number: np.full((4, BOOK_DEPTH), number))
        case EventKind.BAR:
            return st.tuples(*[_numbers] * 6)
        case EventKind.STATUS:
            return st.tuples(st.sampled_from((1.0, 2.0, 3.0, 4.0)))
        case EventKind.CLOCK:
            return st.just(())
        case EventKind.NEWS:
            return st.text(max_size=12)
    return st.tuples(*[_numbers] * FACT_NUMBERS)


def market_events(maximum_delay_nanoseconds: int, longest_silence_seconds: float = 30.0) -> st.SearchStrategy[list[MarketEvent]]:
    """Events by available time; each happened at most `maximum_delay_nanoseconds` before it was available."""
    silence = st.integers(0, int(longest_silence_seconds * NANOSECONDS_PER_SECOND))
    steps = st.one_of(st.integers(0, 10_000_000), silence)
    kinds = st.sampled_from([kind for kind in EventKind if kind is not EventKind.CLOCK])
    one = kinds.flatmap(
        lambda kind: st.tuples(
            st.sampled_from(SYMBOLS),
            st.just(int(kind)),
            steps,
            st.integers(0, maximum_delay_nanoseconds),
            st.integers(0, 255),
            _payload(kind),
        )
    )
    return st.lists(one, max_size=60).map(_stream)


def _stream(drawn: list[tuple[str, int, int, int, int, Payload]]) -> list[MarketEvent]:
    times = accumulate((step for _, _, step, _, _, _ in drawn), initial=START)
    return [
        MarketEvent(symbol, kind, time - delay, time, number, flags, payload)
        for number, ((symbol, kind, _, delay, flags, payload), time) in enumerate(zip(drawn, times, strict=False), start=1)
    ]


def same_event(left: MarketEvent, right: MarketEvent) -> bool:
    """Equal in every field, NaN equal to NaN."""
    if isinstance(left.payload, str) or isinstance(right.payload, str):
        return left == right
    numbers = zip(np.ravel(left.payload), np.ravel(right.payload), strict=True)
    return left[:6] == right[:6] and all(a == b or (math.isnan(a) and math.isnan(b)) for a, b in numbers)


def without_early_news(events: list[MarketEvent]) -> list[MarketEvent]:
    """The events that a gateway sends on: news only of symbols of which it has had an event of the market."""
    known: list[str] = []
    kept = []
    for event in events:
        if event.kind < EventKind.CONTEXT:
            known.append(event.symbol)
        if event.kind != EventKind.NEWS or event.symbol in known:
            kept.append(event)
    return kept
