"""One item of news as one NEWS event for each symbol that it names."""

from __future__ import annotations

from typing import NamedTuple

from jobs.gateway.market_event import MarketEvent
from udfs.codecs.news import NEWS_FRAMING, decode_news
from udfs.codecs.wire import MessageFraming
from udfs.errors import MalformedMessage, Reason
from udfs.kernels.events import EventKind
from udfs.records import NewsItem, Position
from udfs.scoring.news_text import LONGEST_TEXT_BYTES, text_hash

FURTHEST_AHEAD_NANOSECONDS = 60_000_000_000
"""An item that says that it becomes available more than this later than now is from the future."""


class NewsMessage(NamedTuple):
    """A record of the news topic."""

    topic: str
    partition: int
    offset: int
    raw: bytes


class RefusedNews(NamedTuple):
    """An item that reaches no symbol, or not this one."""

    symbol: str
    reason: Reason
    detail: str
    event_time: int
    raw: bytes
    position: Position


def news_events(item: NewsItem, available_time: int) -> list[MarketEvent]:
    """One event for each symbol, each symbol once, in the order of the item. `available_time` is when the gateway had the item."""
    text, number = text_of(item), item_number(item)
    symbols = dict.fromkeys(symbol.strip() for symbol in item.symbols)
    return [MarketEvent(symbol, int(EventKind.NEWS), item.event_time, available_time, number, 0, text) for symbol in symbols if symbol]


def text_of(item: NewsItem) -> str:
    """Headline and body, cut to what is read of them: an enormous text costs no more than a long one."""
    return f"{item.headline}\n{item.body}".strip()[:LONGEST_TEXT_BYTES]


def item_number(item: NewsItem) -> int:
    """Positive number by which the same item is known again: made of its id, or of its text and time where it has none."""
    name = item.news_id or f"{item.event_time} {item.headline}"
    return text_hash(name) or 1


def read_message(message: NewsMessage, stream_time: int, framing: MessageFraming = NEWS_FRAMING) -> list[MarketEvent | RefusedNews]:
    """What becomes of one record of the topic at a stream time: events available now, or why there are none."""
    position = Position(message.topic, message.partition, message.offset)
    try:
        item = decode_news(message.raw, framing)
    except MalformedMessage as error:
        return [RefusedNews("", error.reason, error.detail, 0, message.raw, position)]
    ahead = item.available_time - stream_time
    if ahead > FURTHEST_AHEAD_NANOSECONDS:
        detail = f"news {item.news_id!r} says that it becomes available {ahead / 1e9:.0f} s from now"
        return [RefusedNews(",".join(item.symbols), Reason.TIME_ABSURD, detail, item.event_time, message.raw, position)]
    events = news_events(item, stream_time)
    if not events:
        return [RefusedNews("", Reason.UNKNOWN_SYMBOL, f"news {item.news_id!r} names no symbol", item.event_time, message.raw, position)]
    return list(events)
