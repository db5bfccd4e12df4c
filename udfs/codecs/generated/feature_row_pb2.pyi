from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class FeatureRow(_message.Message):
    __slots__ = ("symbol", "event_time", "available_time", "event_number", "feature_set", "values", "valid", "bar_closed", "control_version", "topic", "partition", "offset", "event_index", "manifest_id")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FEATURE_SET_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    VALID_FIELD_NUMBER: _ClassVar[int]
    BAR_CLOSED_FIELD_NUMBER: _ClassVar[int]
    CONTROL_VERSION_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    EVENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_ID_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    event_time: int
    available_time: int
    event_number: int
    feature_set: str
    values: bytes
    valid: bytes
    bar_closed: bool
    control_version: int
    topic: str
    partition: int
    offset: int
    event_index: int
    manifest_id: str
    def __init__(self, symbol: _Optional[str] = ..., event_time: _Optional[int] = ..., available_time: _Optional[int] = ..., event_number: _Optional[int] = ..., feature_set: _Optional[str] = ..., values: _Optional[bytes] = ..., valid: _Optional[bytes] = ..., bar_closed: bool = ..., control_version: _Optional[int] = ..., topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., event_index: _Optional[int] = ..., manifest_id: _Optional[str] = ...) -> None: ...
