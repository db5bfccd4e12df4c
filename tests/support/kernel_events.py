"""Events of one symbol for the kernels: how to write them down, how to make columns of them, and Hypothesis streams of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from tests.support.fact_streams import possible_facts, with_facts
from tests.support.news_streams import BELIEVABLE_NEWS, with_news
from tests.support.written_events import MIDNIGHT, SECOND, Event, fact
from udfs.kernels.events import BOOK_DEPTH, FACT_KINDS, FACT_NUMBERS, EventFlag, EventKind, FrameColumns

__all__ = ["MIDNIGHT", "SECOND", "Event", "fact"]


def trade(event_time: int, price: float, size: float = 1.0, side: int = 1, flags: int = 0, sequence: int = 0) -> Event:
    """A TRADE."""
    return Event(EventKind.TRADE, event_time, (price, size, float(side)), flags, sequence)


def quote(event_time: int, bid: float, ask: float, bid_size: float = 1.0, ask_size: float = 1.0, sequence: int = 0) -> Event:
    """A QUOTE."""
    return Event(EventKind.QUOTE, event_time, (bid, bid_size, ask, ask_size), 0, sequence)


def book(event_time: int, bids: Sequence[float], asks: Sequence[float], flags: int = 0, sequence: int = 0, size: float = 1.0) -> Event:
    """A BOOK whose levels all have one size; levels that are not given are empty."""
    return Event(EventKind.BOOK, event_time, (*_side(bids, size), *_side(asks, size)), flags, sequence)


def _side(prices: Sequence[float], size: float) -> tuple[float, ...]:
    empty = [math.nan] * (BOOK_DEPTH - len(prices))
    return (*prices, *empty, *[size] * len(prices), *empty)


def bar(end_time: int, numbers: tuple[float, float, float, float], volume: float, length_seconds: float = 60.0) -> Event:
    """A vendor BAR: open, high, low, close."""
    return Event(EventKind.BAR, end_time, (*numbers, volume, length_seconds))


def status(event_time: int, value: int) -> Event:
    """A STATUS."""
    return Event(EventKind.STATUS, event_time, (float(value),))


def clock(event_time: int) -> Event:
    """A CLOCK."""
    return Event(EventKind.CLOCK, event_time)


def columns_of(events: Sequence[Event]) -> FrameColumns:
    """Read-only columns, as they lie over received bytes."""

    def table(kind: EventKind, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
        return np.array([event.numbers for event in events if event.kind == kind], np.float64).reshape(-1, *shape)

    trades = table(EventKind.TRADE, (3,))
    kind, flags, event_time, available_time, sequence = (
        _frozen([getattr(event, name) for event in events], dtype) for name, dtype in _HEAD
    )
    return FrameColumns(
        kind,
        flags,
        event_time,
        available_time,
        sequence,
        _frozen(trades[:, :2], np.float64),
        _frozen(trades[:, 2], np.int8),
        _frozen(table(EventKind.QUOTE, (4,)), np.float64),
        _frozen(table(EventKind.BOOK, (4, BOOK_DEPTH)), np.float64),
        _frozen(table(EventKind.BAR, (6,)), np.float64),
        _frozen(table(EventKind.STATUS, (1,))[:, 0], np.uint8),
        _frozen(np.array([event.numbers for event in events if event.kind in FACT_KINDS]).reshape(-1, FACT_NUMBERS), np.float64),
    )


_HEAD = (("kind", np.uint8), ("flags", np.uint8), ("event_time", np.int64), ("available_time", np.int64), ("sequence", np.int64))


def _frozen(values: object, dtype: type) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.ascontiguousarray(np.asarray(values), dtype)
    return np.frombuffer(array.tobytes(), dtype).reshape(array.shape)


_prices = st.integers(900, 1100).map(lambda ticks: ticks / 10)
_sizes = st.integers(0, 20).map(float)
_steps = st.one_of(
    st.integers(0, 50_000_000),
    st.integers(0, 3 * SECOND),
    st.integers(0, 90 * SECOND),
    st.sampled_from((0, SECOND, 10 * SECOND, 60 * SECOND, 300 * SECOND)),
    st.integers(0, 7200 * SECOND),
)
_lags = st.one_of(st.just(0), st.just(0), st.integers(0, 2_500_000_000))


def _book_numbers(levels: list[float], sizes: list[float]) -> tuple[float, ...]:
    bids, asks = sorted((100 - level for level in set(levels)), reverse=True), sorted(100 + level for level in set(levels))
    empty = [math.nan] * (BOOK_DEPTH - len(bids))
    bid_sizes, ask_sizes = [*sizes[: len(bids)], *empty], [*sizes[::-1][: len(asks)], *empty]
    return (*bids, *empty, *bid_sizes, *asks, *empty, *ask_sizes)


_books = st.builds(
    _book_numbers,
    st.lists(st.integers(1, 30).map(lambda level: level / 10), min_size=1, max_size=BOOK_DEPTH),
    st.lists(_sizes, min_size=BOOK_DEPTH, max_size=BOOK_DEPTH),
)
_quotes = st.builds(
    lambda bid, width, sizes: (bid, sizes[0], bid + width / 10, sizes[1]), _prices, st.integers(0, 5), st.tuples(_sizes, _sizes)
)
_trades = st.tuples(_prices, _sizes, st.sampled_from((-1.0, 0.0, 1.0)))
_kinds = (EventKind.TRADE,) * 4 + (EventKind.QUOTE, EventKind.QUOTE, EventKind.BOOK, EventKind.CLOCK)
_VALID = {EventKind.TRADE: _trades, EventKind.QUOTE: _quotes, EventKind.BOOK: _books, EventKind.CLOCK: st.just(())}


def _valid_event(kind: EventKind) -> st.SearchStrategy[tuple[Event, int, int]]:
    volume_only = st.sampled_from((0, 0, 0, int(EventFlag.VOLUME_ONLY))) if kind == EventKind.TRADE else st.just(0)
    event = st.builds(lambda numbers, flags: Event(kind, 0, numbers, flags), _VALID[kind], volume_only)
    return st.tuples(event, _steps, _lags)


def _placed(drawn: list[tuple[Event, int, int]], start: int) -> list[Event]:
    times = accumulate((step for _, step, _ in drawn), initial=start)
    return [event._replace(event_time=time - lag) for (event, _, lag), time in zip(drawn, times, strict=False)]


_starts = st.sampled_from((MIDNIGHT - 90 * SECOND, MIDNIGHT + 3599 * SECOND, MIDNIGHT + 12_345_678_901_234))


_BELIEVABLE = st.one_of([*[_valid_event(kind) for kind in _kinds], st.tuples(BELIEVABLE_NEWS, _steps, _lags)])


def believable_streams(largest: int = 40) -> st.SearchStrategy[list[Event]]:
    """Trades, quotes, books and clocks whose numbers are right; some come out of order or late."""
    placed = st.builds(_placed, st.lists(_BELIEVABLE, min_size=8, max_size=largest), _starts)
    return st.builds(with_facts, placed, st.integers(0, 20), st.sampled_from((0.0, 0.3, 1.0)))


_anything = st.floats(allow_nan=True, allow_infinity=True) | _prices
_WIDTHS = {EventKind.QUOTE: 4, EventKind.BOOK: 4 * BOOK_DEPTH, EventKind.BAR: 6}


def _any_event(kind: EventKind) -> st.SearchStrategy[tuple[Event, int, int]]:
    width = FACT_NUMBERS if kind in FACT_KINDS else _WIDTHS.get(kind, 0)
    numbers: st.SearchStrategy[tuple[float, ...]] = st.lists(_anything, min_size=width, max_size=width).map(tuple)
    if kind == EventKind.TRADE:
        numbers = st.tuples(_anything, _anything, st.sampled_from((-1.0, 0.0, 1.0)))
    if kind == EventKind.STATUS:
        numbers = st.tuples(st.integers(0, 5).map(float))
    if kind in FACT_KINDS:
        numbers = numbers | possible_facts(kind)
    event = st.builds(lambda row, flags, sequence: Event(kind, 0, row, flags, sequence), numbers, st.integers(0, 15), st.integers(0, 30))
    return st.tuples(event, _steps, _lags)


def _vendor_bars() -> st.SearchStrategy[tuple[Event, int, int]]:
    rows = st.tuples(_prices, _prices, _sizes, st.sampled_from((1.0, 5.0, 60.0, 300.0, 1800.0, 86_400.0)))
    events = rows.map(lambda row: Event(EventKind.BAR, 0, (row[0], max(row[:2]), min(row[:2]), *row[1:])))
    return st.tuples(events, _steps, _lags)


_WILD = st.one_of(_BELIEVABLE, _BELIEVABLE, _vendor_bars(), *[_any_event(kind) for kind in EventKind])


def wild_streams(largest: int = 40) -> st.SearchStrategy[list[Event]]:
    """Believable events, vendor bars, and events of every kind with any numbers, flags and sequence."""
    return st.builds(_placed, st.lists(_WILD, min_size=8, max_size=largest), _starts)


def random_walk(seed: int, events: int, mean_step_nanoseconds: int, start: int = MIDNIGHT - 90 * SECOND) -> list[Event]:
    """A long stream at a steady pace, with facts, whose windows fill: what short drawn streams do not reach."""
    generator = np.random.default_rng(seed)
    steps = generator.exponential(mean_step_nanoseconds, events).astype(np.int64)
    lags = np.where(generator.random(events) < 0.3, generator.integers(0, 2_200_000_000, events), 0)
    times = (start + np.cumsum(steps) - lags).tolist()
    prices = np.round(100 * np.exp(np.cumsum(generator.normal(0, 1e-3, events))), 2).tolist()
    walk = [_random_event(generator, time, price) for time, price in zip(times, prices, strict=True)]
    return with_news(with_facts(walk, seed, 1.0), seed)


def _random_event(generator: np.random.Generator, time: int, price: float) -> Event:
    kind, size, other = generator.integers(0, 10), float(generator.integers(0, 50)), float(generator.integers(1, 50))
    if kind < 6:
        return trade(time, price, size, int(generator.integers(-1, 2)), int(EventFlag.VOLUME_ONLY) if kind == 0 else 0)
    half_spread = generator.integers(0, 4) / 100
    if kind < 8:
        return quote(time, price - half_spread, price + half_spread, size, other)
    if kind == 8:
        return book(
            time,
            [price - half_spread - level / 100 for level in range(7)],
            [price + half_spread + level / 50 for level in range(4)],
            size=other,
        )
    return clock(time)


def sound(events: list[Event]) -> list[Event]:
    """The same as a venue would send it: no best level is locked, trades lie inside it, and their sides are named."""
    bid, ask, result = 0.0, math.inf, []
    for event in events:
        numbers = event.numbers
        if event.kind in (EventKind.QUOTE, EventKind.BOOK):
            place = len(numbers) // 2
            bid, ask = numbers[0], max(numbers[place], numbers[0] + 0.01)
            numbers = (*numbers[:place], ask, *numbers[place + 1 :])
        elif event.kind == EventKind.TRADE:
            numbers = (min(max(numbers[0], bid), ask), numbers[1], numbers[2] or 1.0)
        result.append(event._replace(numbers=numbers))
    return result


def spoilt(events: list[Event], seed: int) -> list[Event]:
    """The same with prices that jump, for one event or for good, best levels that stand still, and some that stay locked."""
    generator, level, result = np.random.default_rng(seed), 1.0, []
    best: tuple[float, ...] = (100.0, 5.0, 100.1, 5.0)
    for place, event in enumerate(events):
        draw = generator.random()
        level *= float(generator.choice([0.8, 1.3])) if draw < 0.02 else 1.0
        factor = level * (float(generator.choice([0.1, 0.9, 1.2, 10.0])) if 0.02 <= draw < 0.06 else 1.0)
        if event.kind == EventKind.QUOTE:
            best = event.numbers if place % 100 < 50 else (best[0], best[1], best[0] if place % 100 >= 90 else best[2], best[3])
            result.append(event._replace(numbers=(best[0] * factor, best[1], best[2] * factor, best[3])))
        elif event.kind in (EventKind.TRADE, EventKind.BOOK):
            prices = range(1) if event.kind == EventKind.TRADE else (*range(BOOK_DEPTH), *range(2 * BOOK_DEPTH, 3 * BOOK_DEPTH))
            numbers = tuple(number * factor if at in prices else number for at, number in enumerate(event.numbers))
            result.append(event._replace(numbers=numbers))
        else:
            result.append(event)
    return result
