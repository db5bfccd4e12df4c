from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class NewsItem(_message.Message):
    __slots__ = ("news_id", "event_time", "available_time", "symbols", "headline", "body", "source")
    NEWS_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_TIME_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    HEADLINE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    news_id: str
    event_time: int
    available_time: int
    symbols: _containers.RepeatedScalarFieldContainer[str]
    headline: str
    body: str
    source: str
    def __init__(self, news_id: _Optional[str] = ..., event_time: _Optional[int] = ..., available_time: _Optional[int] = ..., symbols: _Optional[_Iterable[str]] = ..., headline: _Optional[str] = ..., body: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...
