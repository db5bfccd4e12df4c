"""News items on the wire."""

from __future__ import annotations

from typing import Final

from udfs.codecs.generated.news_item_pb2 import NewsItem as NewsMessage
from udfs.codecs.messages import parse
from udfs.codecs.wire import PINNED, MessageFraming
from udfs.records import NewsItem

NEWS_FRAMING: Final = PINNED.framing("NewsItem")


def encode_news(news: NewsItem, framing: MessageFraming = NEWS_FRAMING) -> bytes:
    """A news item as bytes."""
    message = NewsMessage(
        news_id=news.news_id,
        event_time=news.event_time,
        available_time=news.available_time,
        symbols=news.symbols,
        headline=news.headline,
        body=news.body,
        source=news.source,
    )
    return framing.frame(message.SerializeToString())


def decode_news(data: bytes, framing: MessageFraming = NEWS_FRAMING) -> NewsItem:
    """Bytes to a news item. Raises MalformedMessage and nothing else, whatever the bytes."""
    message = parse(NewsMessage.FromString, data, framing)
    return NewsItem(
        news_id=message.news_id,
        event_time=message.event_time,
        available_time=message.available_time,
        symbols=tuple(message.symbols),
        headline=message.headline,
        body=message.body,
        source=message.source,
    )
