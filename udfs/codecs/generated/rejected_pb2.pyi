from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Rejected(_message.Message):
    __slots__ = ("symbol", "reason", "reason_name", "detail", "event_time", "available_time", "raw", "topic", "partition", "offset", "event_index", "manifest_id")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REASON_NAME_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_TIME_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    EVENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_ID_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    reason: int
    reason_name: str
    detail: str
    event_time: int
    available_time: int
    raw: bytes
    topic: str
    partition: int
    offset: int
    event_index: int
    manifest_id: str
    def __init__(self, symbol: _Optional[str] = ..., reason: _Optional[int] = ..., reason_name: _Optional[str] = ..., detail: _Optional[str] = ..., event_time: _Optional[int] = ..., available_time: _Optional[int] = ..., raw: _Optional[bytes] = ..., topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., event_index: _Optional[int] = ..., manifest_id: _Optional[str] = ...) -> None: ...
