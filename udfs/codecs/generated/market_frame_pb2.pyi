from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class MarketFrame(_message.Message):
    __slots__ = ("symbol", "venue", "source", "control_version", "kind", "flags", "event_time", "available_time", "sequence", "trades", "trade_sides", "quotes", "books", "bars", "statuses", "facts", "news_texts")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CONTROL_VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_TIME_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TRADES_FIELD_NUMBER: _ClassVar[int]
    TRADE_SIDES_FIELD_NUMBER: _ClassVar[int]
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    BARS_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    NEWS_TEXTS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    venue: str
    source: str
    control_version: int
    kind: bytes
    flags: bytes
    event_time: bytes
    available_time: bytes
    sequence: bytes
    trades: bytes
    trade_sides: bytes
    quotes: bytes
    books: bytes
    bars: bytes
    statuses: bytes
    facts: bytes
    news_texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, symbol: _Optional[str] = ..., venue: _Optional[str] = ..., source: _Optional[str] = ..., control_version: _Optional[int] = ..., kind: _Optional[bytes] = ..., flags: _Optional[bytes] = ..., event_time: _Optional[bytes] = ..., available_time: _Optional[bytes] = ..., sequence: _Optional[bytes] = ..., trades: _Optional[bytes] = ..., trade_sides: _Optional[bytes] = ..., quotes: _Optional[bytes] = ..., books: _Optional[bytes] = ..., bars: _Optional[bytes] = ..., statuses: _Optional[bytes] = ..., facts: _Optional[bytes] = ..., news_texts: _Optional[_Iterable[str]] = ...) -> None: ...
