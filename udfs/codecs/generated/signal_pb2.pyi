from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Signal(_message.Message):
    __slots__ = ("signal_id", "symbol", "event_time", "available_time", "event_number", "horizon", "price", "direction", "confidence", "probability_down", "probability_neutral", "probability_up", "expected_return", "sigma", "reasons", "status", "code", "model_version", "model_hash", "feature_hash", "control_version", "topic", "partition", "offset", "event_index", "manifest_id")
    class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NEUTRAL: _ClassVar[Signal.Direction]
        UP: _ClassVar[Signal.Direction]
        DOWN: _ClassVar[Signal.Direction]
    NEUTRAL: Signal.Direction
    UP: Signal.Direction
    DOWN: Signal.Direction
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[Signal.Status]
        OK: _ClassVar[Signal.Status]
        ABSTAINED: _ClassVar[Signal.Status]
        HALTED: _ClassVar[Signal.Status]
        FALLBACK: _ClassVar[Signal.Status]
        REDUCING: _ClassVar[Signal.Status]
    STATUS_UNSPECIFIED: Signal.Status
    OK: Signal.Status
    ABSTAINED: Signal.Status
    HALTED: Signal.Status
    FALLBACK: Signal.Status
    REDUCING: Signal.Status
    class Code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        NONE: _ClassVar[Signal.Code]
        NO_MODEL: _ClassVar[Signal.Code]
        WARMING_UP: _ClassVar[Signal.Code]
        LOW_CONFIDENCE: _ClassVar[Signal.Code]
        BOOK_QUARANTINED: _ClassVar[Signal.Code]
        STALE_INPUT: _ClassVar[Signal.Code]
        TRADING_HALTED: _ClassVar[Signal.Code]
        NOT_FINITE: _ClassVar[Signal.Code]
        HALTED_BY_CONTROL: _ClassVar[Signal.Code]
        OUT_OF_RANGE: _ClassVar[Signal.Code]
        FLASH_CRASH: _ClassVar[Signal.Code]
        ONE_SIDED: _ClassVar[Signal.Code]
        MODEL_EXPIRED: _ClassVar[Signal.Code]
        REDUCE_ONLY: _ClassVar[Signal.Code]
        BREAKER_OPEN: _ClassVar[Signal.Code]
    NONE: Signal.Code
    NO_MODEL: Signal.Code
    WARMING_UP: Signal.Code
    LOW_CONFIDENCE: Signal.Code
    BOOK_QUARANTINED: Signal.Code
    STALE_INPUT: Signal.Code
    TRADING_HALTED: Signal.Code
    NOT_FINITE: Signal.Code
    HALTED_BY_CONTROL: Signal.Code
    OUT_OF_RANGE: Signal.Code
    FLASH_CRASH: Signal.Code
    ONE_SIDED: Signal.Code
    MODEL_EXPIRED: Signal.Code
    REDUCE_ONLY: Signal.Code
    BREAKER_OPEN: Signal.Code
    class Attribution(_message.Message):
        __slots__ = ("feature", "contribution", "words")
        FEATURE_FIELD_NUMBER: _ClassVar[int]
        CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
        WORDS_FIELD_NUMBER: _ClassVar[int]
        feature: str
        contribution: float
        words: str
        def __init__(self, feature: _Optional[str] = ..., contribution: _Optional[float] = ..., words: _Optional[str] = ...) -> None: ...
    SIGNAL_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_DOWN_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_NEUTRAL_FIELD_NUMBER: _ClassVar[int]
    PROBABILITY_UP_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_RETURN_FIELD_NUMBER: _ClassVar[int]
    SIGMA_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    MODEL_HASH_FIELD_NUMBER: _ClassVar[int]
    FEATURE_HASH_FIELD_NUMBER: _ClassVar[int]
    CONTROL_VERSION_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    PARTITION_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    EVENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_ID_FIELD_NUMBER: _ClassVar[int]
    signal_id: str
    symbol: str
    event_time: int
    available_time: int
    event_number: int
    horizon: int
    price: float
    direction: Signal.Direction
    confidence: float
    probability_down: float
    probability_neutral: float
    probability_up: float
    expected_return: float
    sigma: float
    reasons: _containers.RepeatedCompositeFieldContainer[Signal.Attribution]
    status: Signal.Status
    code: Signal.Code
    model_version: str
    model_hash: str
    feature_hash: str
    control_version: int
    topic: str
    partition: int
    offset: int
    event_index: int
    manifest_id: str
    def __init__(self, signal_id: _Optional[str] = ..., symbol: _Optional[str] = ..., event_time: _Optional[int] = ..., available_time: _Optional[int] = ..., event_number: _Optional[int] = ..., horizon: _Optional[int] = ..., price: _Optional[float] = ..., direction: _Optional[_Union[Signal.Direction, str]] = ..., confidence: _Optional[float] = ..., probability_down: _Optional[float] = ..., probability_neutral: _Optional[float] = ..., probability_up: _Optional[float] = ..., expected_return: _Optional[float] = ..., sigma: _Optional[float] = ..., reasons: _Optional[_Iterable[_Union[Signal.Attribution, _Mapping[str, object]]]] = ..., status: _Optional[_Union[Signal.Status, str]] = ..., code: _Optional[_Union[Signal.Code, str]] = ..., model_version: _Optional[str] = ..., model_hash: _Optional[str] = ..., feature_hash: _Optional[str] = ..., control_version: _Optional[int] = ..., topic: _Optional[str] = ..., partition: _Optional[int] = ..., offset: _Optional[int] = ..., event_index: _Optional[int] = ..., manifest_id: _Optional[str] = ...) -> None: ...
