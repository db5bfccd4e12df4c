from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Alert(_message.Message):
    __slots__ = ("alert_id", "rule_id", "symbol", "event_time", "available_time", "event_number", "measure", "threshold", "value", "signal_id", "topic", "partition", "offset", "event_index", "manifest_id")
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_ID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    EVENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_ID_FIELD_NUMBER: _ClassVar[int]
    alert_id: str
    rule_id: str
    symbol: str
    event_time: int
    available_time: int
    event_number: int
    measure: str
    threshold: float
    value: float
    signal_id: str
    topic: str
    partition: int
    offset: int
    event_index: int
    manifest_id: str
    def __init__(self, alert_id: _Optional[str] = ..., rule_id: _Optional[str] = ..., symbol: _Optional[str] = ..., event_time: _Optional[int] = ..., available_time: _Optional[int] = ..., event_number: _Optional[int] = ..., measure: _Optional[str] = ..., threshold: _Optional[float] = ..., value: _Optional[float] = ..., signal_id: _Optional[str] = ..., topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., event_index: _Optional[int] = ..., manifest_id: _Optional[str] = ...) -> None: ...
