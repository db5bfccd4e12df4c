"""What would have been said without one of the last trades, or without the last news item: the frames taken again, one event left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from jobs.explanation.made_again import MadeAgain, Recent
from jobs.explanation.moment import up_to
from jobs.lake.reading import StoredFrame
from udfs.codecs.frame_columns import concatenate, slice_columns
from udfs.codecs.frames import MarketFrame, decode_frame, encode_frame
from udfs.codecs.wire import MessageFraming
from udfs.errors import MalformedMessage
from udfs.kernels.events import EventKind
from udfs.records import Signal

TRADES: Final = 5
"""How many of the last trades are left out, one by one."""


class _Left(NamedTuple):
    """An event that is left out."""

    place: int
    """Of its frame among the recent ones."""
    event: int
    words: dict[str, Any]


def without_each(again: MadeAgain) -> list[dict[str, Any]]:
    """The decision without each of the last trades and without the last news item, the newest first; `row` is false where none is made."""
    recent = _up_to_the_row(again)
    walk, passed, found = recent.walk(), 0, list[dict[str, Any]]()
    for left in sorted(_last_events(recent), key=lambda left: left[:2]):
        for frame in recent.frames[passed : left.place]:
            walk.over(frame)
        passed = left.place
        rest = recent._replace(frames=recent.frames[passed:], state=walk.state())
        found.append(left.words | _decision(again.signal, _without(rest, left.event)))
    return found[::-1]


def _up_to_the_row(again: MadeAgain) -> Recent:
    """The same frames, of the last one what came before the row."""
    framing = again.recent.settings.schema_ids.framing("MarketFrame")
    *before, last = again.recent.frames
    cut = last._replace(frame=up_to(last.frame, again.row.row.position.event_index, framing))
    return again.recent._replace(frames=(*before, cut))


def _last_events(recent: Recent) -> Iterator[_Left]:
    """Trades and the news item, from the newest back."""
    trades, news, framing = 0, 0, recent.settings.schema_ids.framing("MarketFrame")
    for place in range(len(recent.frames) - 1, -1, -1):
        if trades >= TRADES and news:
            return
        try:
            frame = decode_frame(recent.frames[place].frame, framing)
        except MalformedMessage:
            continue
        for event in np.flatnonzero(np.isin(frame.columns.kind, (EventKind.TRADE, EventKind.NEWS)))[::-1].tolist():
            is_news = int(frame.columns.kind[event]) == EventKind.NEWS
            trades, news = trades + (not is_news), news + is_news
            if (news == 1) if is_news else trades <= TRADES:
                yield _Left(place, event, _words(recent.frames[place], frame, event))


def _words(stored: StoredFrame, frame: MarketFrame, event: int) -> dict[str, Any]:
    kind = EventKind(int(frame.columns.kind[event]))
    number = int((frame.columns.kind[:event] == kind).sum())
    where = {
        "without": kind.name.lower(),
        "event_time_ns": int(frame.columns.event_time[event]),
        "kafka_offset": stored.position.offset,
        "event_index": event,
    }
    if kind is EventKind.NEWS:
        return where | {"text": frame.news_texts[number]}
    price, size = frame.columns.trades[number].tolist()
    return where | {"price": price, "size": size, "side": int(frame.columns.trade_sides[number])}


def _without(recent: Recent, event: int) -> Signal | None:
    """The signal at the last event when one of the first frame is left out; None where nothing is made there."""
    framing = recent.settings.schema_ids.framing("MarketFrame")
    walk, shorter = recent.walk(), _shortened(recent.frames[0], event, framing)
    frames = [frame for frame in (shorter, *recent.frames[1:]) if frame is not None]
    if not frames:
        return None
    for frame in frames[:-1]:
        walk.over(frame)
    ends_at = len(decode_frame(frames[-1].frame, framing).columns.kind) - 1
    made = [record for record in walk.process(frames[-1]).records if isinstance(record, Signal) and record.position.event_index == ends_at]
    return made[-1] if made else None


def _shortened(stored: StoredFrame, event: int, framing: MessageFraming) -> StoredFrame | None:
    """The frame without an event; None where it held no other."""
    frame = decode_frame(stored.frame, framing)
    columns = frame.columns
    if len(columns.kind) == 1:
        return None
    texts = list(frame.news_texts)
    if columns.kind[event] == EventKind.NEWS:
        del texts[int((columns.kind[:event] == EventKind.NEWS).sum())]
    rest = concatenate([slice_columns(columns, 0, event), slice_columns(columns, event + 1, len(columns.kind))])
    data = encode_frame(frame.symbol, frame.venue, frame.source, frame.control_version, rest, texts, framing)
    return stored._replace(frame=data)


def _decision(said: Signal, now: Signal | None) -> dict[str, Any]:
    if now is None:
        return {"row": False}
    return {
        "row": True,
        "direction": now.direction.name.lower(),
        "confidence": now.confidence,
        "status": now.status.name.lower(),
        "code": now.code.name.lower(),
        "expected_return": now.expected_return,
        "changes": (now.direction, now.status, now.code) != (said.direction, said.status, said.code),
    }
