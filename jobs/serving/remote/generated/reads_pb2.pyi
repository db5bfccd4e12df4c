from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Nothing(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Watchlist(_message.Message):
    __slots__ = ("symbols",)
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    symbols: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, symbols: _Optional[_Iterable[str]] = ...) -> None: ...

class OneSymbol(_message.Message):
    __slots__ = ("symbol",)
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    def __init__(self, symbol: _Optional[str] = ...) -> None: ...

class Newest(_message.Message):
    __slots__ = ("limit",)
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    limit: int
    def __init__(self, limit: _Optional[int] = ...) -> None: ...

class StoredRows(_message.Message):
    __slots__ = ("symbol", "since", "until", "before", "limit", "length_seconds")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    LENGTH_SECONDS_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    since: str
    until: str
    before: str
    limit: int
    length_seconds: int
    def __init__(self, symbol: _Optional[str] = ..., since: _Optional[str] = ..., until: _Optional[str] = ..., before: _Optional[str] = ..., limit: _Optional[int] = ..., length_seconds: _Optional[int] = ...) -> None: ...

class Probabilities(_message.Message):
    __slots__ = ("down", "neutral", "up")
    DOWN_FIELD_NUMBER: _ClassVar[int]
    NEUTRAL_FIELD_NUMBER: _ClassVar[int]
    UP_FIELD_NUMBER: _ClassVar[int]
    down: float
    neutral: float
    up: float
    def __init__(self, down: _Optional[float] = ..., neutral: _Optional[float] = ..., up: _Optional[float] = ...) -> None: ...

class Reason(_message.Message):
    __slots__ = ("feature", "contribution", "words")
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    feature: str
    contribution: float
    words: str
    def __init__(self, feature: _Optional[str] = ..., contribution: _Optional[float] = ..., words: _Optional[str] = ...) -> None: ...

class Signal(_message.Message):
    __slots__ = ("signal_id", "event_time", "available_time", "event_number", "horizon_seconds", "price", "direction", "confidence", "probabilities", "expected_return", "sigma", "reasons", "status", "code", "model_version")
    SIGNAL_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    HORIZON_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_RETURN_FIELD_NUMBER: _ClassVar[int]
    SIGMA_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    signal_id: str
    event_time: str
    available_time: str
    event_number: int
    horizon_seconds: float
    price: float
    direction: str
    confidence: float
    probabilities: Probabilities
    expected_return: float
    sigma: float
    reasons: _containers.RepeatedCompositeFieldContainer[Reason]
    status: str
    code: str
    model_version: str
    def __init__(self, signal_id: _Optional[str] = ..., event_time: _Optional[str] = ..., available_time: _Optional[str] = ..., event_number: _Optional[int] = ..., horizon_seconds: _Optional[float] = ..., price: _Optional[float] = ..., direction: _Optional[str] = ..., confidence: _Optional[float] = ..., probabilities: _Optional[_Union[Probabilities, _Mapping[str, object]]] = ..., expected_return: _Optional[float] = ..., sigma: _Optional[float] = ..., reasons: _Optional[_Iterable[_Union[Reason, _Mapping[str, object]]]] = ..., status: _Optional[str] = ..., code: _Optional[str] = ..., model_version: _Optional[str] = ...) -> None: ...

class SignalAnswer(_message.Message):
    __slots__ = ("symbol", "status", "why", "event_time", "age_seconds", "signal")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    status: str
    why: str
    event_time: str
    age_seconds: float
    signal: Signal
    def __init__(self, symbol: _Optional[str] = ..., status: _Optional[str] = ..., why: _Optional[str] = ..., event_time: _Optional[str] = ..., age_seconds: _Optional[float] = ..., signal: _Optional[_Union[Signal, _Mapping[str, object]]] = ...) -> None: ...

class SignalAnswers(_message.Message):
    __slots__ = ("answers",)
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    answers: _containers.RepeatedCompositeFieldContainer[SignalAnswer]
    def __init__(self, answers: _Optional[_Iterable[_Union[SignalAnswer, _Mapping[str, object]]]] = ...) -> None: ...

class FeatureValues(_message.Message):
    __slots__ = ("event_time", "available_time", "event_number", "feature_set", "values")
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FEATURE_SET_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    event_time: str
    available_time: str
    event_number: int
    feature_set: str
    values: _struct_pb2.Struct
    def __init__(self, event_time: _Optional[str] = ..., available_time: _Optional[str] = ..., event_number: _Optional[int] = ..., feature_set: _Optional[str] = ..., values: _Optional[_Union[_struct_pb2.Struct, _Mapping[str, object]]] = ...) -> None: ...

class FeaturesAnswer(_message.Message):
    __slots__ = ("symbol", "status", "why", "event_time", "age_seconds", "features")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    status: str
    why: str
    event_time: str
    age_seconds: float
    features: FeatureValues
    def __init__(self, symbol: _Optional[str] = ..., status: _Optional[str] = ..., why: _Optional[str] = ..., event_time: _Optional[str] = ..., age_seconds: _Optional[float] = ..., features: _Optional[_Union[FeatureValues, _Mapping[str, object]]] = ...) -> None: ...

class BookAnswer(_message.Message):
    __slots__ = ("symbol", "status", "why", "event_time", "age_seconds", "book")
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BOOK_FIELD_NUMBER: _ClassVar[int]
    symbol: str
    status: str
    why: str
    event_time: str
    age_seconds: float
    book: _struct_pb2.Struct
    def __init__(self, symbol: _Optional[str] = ..., status: _Optional[str] = ..., why: _Optional[str] = ..., event_time: _Optional[str] = ..., age_seconds: _Optional[float] = ..., book: _Optional[_Union[_struct_pb2.Struct, _Mapping[str, object]]] = ...) -> None: ...

class Page(_message.Message):
    __slots__ = ("status", "why", "event_time", "age_seconds", "rows", "next")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    status: str
    why: str
    event_time: str
    age_seconds: float
    rows: _containers.RepeatedCompositeFieldContainer[_struct_pb2.Struct]
    next: str
    def __init__(self, status: _Optional[str] = ..., why: _Optional[str] = ..., event_time: _Optional[str] = ..., age_seconds: _Optional[float] = ..., rows: _Optional[_Iterable[_Union[_struct_pb2.Struct, _Mapping[str, object]]]] = ..., next: _Optional[str] = ...) -> None: ...

class Alert(_message.Message):
    __slots__ = ("alert_id", "rule_id", "symbol", "event_time", "measure", "threshold", "value", "signal_id")
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOL_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    SIGNAL_ID_FIELD_NUMBER: _ClassVar[int]
    alert_id: str
    rule_id: str
    symbol: str
    event_time: str
    measure: str
    threshold: float
    value: float
    signal_id: str
    def __init__(self, alert_id: _Optional[str] = ..., rule_id: _Optional[str] = ..., symbol: _Optional[str] = ..., event_time: _Optional[str] = ..., measure: _Optional[str] = ..., threshold: _Optional[float] = ..., value: _Optional[float] = ..., signal_id: _Optional[str] = ...) -> None: ...

class AlertAnswers(_message.Message):
    __slots__ = ("status", "why", "event_time", "age_seconds", "alerts")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    status: str
    why: str
    event_time: str
    age_seconds: float
    alerts: _containers.RepeatedCompositeFieldContainer[Alert]
    def __init__(self, status: _Optional[str] = ..., why: _Optional[str] = ..., event_time: _Optional[str] = ..., age_seconds: _Optional[float] = ..., alerts: _Optional[_Iterable[_Union[Alert, _Mapping[str, object]]]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("version", "kind", "event_time", "author", "reason", "model_version", "sha256", "in_force")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    version: int
    kind: str
    event_time: str
    author: str
    reason: str
    model_version: str
    sha256: str
    in_force: bool
    def __init__(self, version: _Optional[int] = ..., kind: _Optional[str] = ..., event_time: _Optional[str] = ..., author: _Optional[str] = ..., reason: _Optional[str] = ..., model_version: _Optional[str] = ..., sha256: _Optional[str] = ..., in_force: bool = ...) -> None: ...

class ModelAnswers(_message.Message):
    __slots__ = ("status", "why", "models")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    status: str
    why: str
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, status: _Optional[str] = ..., why: _Optional[str] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping[str, object]]]] = ...) -> None: ...

class Part(_message.Message):
    __slots__ = ("status", "why")
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    status: str
    why: str
    def __init__(self, status: _Optional[str] = ..., why: _Optional[str] = ...) -> None: ...

class FreshnessAnswer(_message.Message):
    __slots__ = ("status", "why", "event_time", "age_seconds", "now", "symbols", "records", "malformed", "subscribers", "parts")
    class PartsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Part
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Part, _Mapping[str, object]]] = ...) -> None: ...
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AGE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    MALFORMED_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBERS_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    status: str
    why: str
    event_time: str
    age_seconds: float
    now: str
    symbols: int
    records: int
    malformed: int
    subscribers: int
    parts: _containers.MessageMap[str, Part]
    def __init__(self, status: _Optional[str] = ..., why: _Optional[str] = ..., event_time: _Optional[str] = ..., age_seconds: _Optional[float] = ..., now: _Optional[str] = ..., symbols: _Optional[int] = ..., records: _Optional[int] = ..., malformed: _Optional[int] = ..., subscribers: _Optional[int] = ..., parts: _Optional[_Mapping[str, Part]] = ...) -> None: ...

class Alive(_message.Message):
    __slots__ = ("status",)
    STATUS_FIELD_NUMBER: _ClassVar[int]
    status: str
    def __init__(self, status: _Optional[str] = ...) -> None: ...
