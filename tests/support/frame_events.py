"""Frames back to events: the slow obvious inverse of packing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from jobs.gateway.event_columns import news_texts
from jobs.gateway.market_event import MarketEvent, Payload
from jobs.gateway.packing import PackedFrame
from udfs.kernels.events import FACT_KINDS, EventKind, FrameColumns


def events_of(symbol: str, columns: FrameColumns, news_texts: Sequence[str] = ()) -> Iterator[MarketEvent]:
    """The frame's events in order."""
    texts = iter(news_texts)
    seen: dict[int, int] = {}
    for row in range(len(columns.kind)):
        kind = int(columns.kind[row])
        table = EventKind.CONTEXT if kind in FACT_KINDS else kind
        index = seen.get(table, 0)
        seen[table] = index + 1
        yield MarketEvent(
            symbol=symbol,
            kind=kind,
            event_time=int(columns.event_time[row]),
            available_time=int(columns.available_time[row]),
            sequence=int(columns.sequence[row]),
            flags=int(columns.flags[row]),
            payload=next(texts) if kind == EventKind.NEWS else _payload(columns, kind, index),
        )


def _payload(columns: FrameColumns, kind: int, index: int) -> Payload:
    match kind:
        case EventKind.TRADE:
            return (*columns.trades[index].tolist(), float(columns.trade_sides[index]))
        case EventKind.QUOTE:
            return tuple(columns.quotes[index].tolist())
        case EventKind.BOOK:
            return np.asarray(columns.books[index], np.float64)
        case EventKind.BAR:
            return tuple(columns.bars[index].tolist())
        case EventKind.STATUS:
            return (float(columns.statuses[index]),)
        case EventKind.CONTEXT | EventKind.REFERENCE | EventKind.SESSION | EventKind.ADJUSTMENT:
            return tuple(columns.facts[index].tolist())
    return ()


def by_symbol(events: Iterable[MarketEvent]) -> dict[str, list[MarketEvent]]:
    """Each symbol's events in their order."""
    symbols: dict[str, list[MarketEvent]] = {}
    for event in events:
        symbols.setdefault(event.symbol, []).append(event)
    return symbols


def unpacked(frames: Iterable[PackedFrame]) -> dict[str, list[MarketEvent]]:
    """Each symbol's events in the order of its frames."""
    return by_symbol(event for frame in frames for event in events_of(frame.symbol, frame.columns, news_texts(frame.events)))
