from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ControlEvent(_message.Message):
    __slots__ = ("version", "kind", "event_time", "author", "reason", "model", "rule", "rule_id", "symbols", "breaker", "shed_level", "challenger")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[ControlEvent.Kind]
        MODEL: _ClassVar[ControlEvent.Kind]
        ALERT_RULE: _ClassVar[ControlEvent.Kind]
        REMOVE_ALERT_RULE: _ClassVar[ControlEvent.Kind]
        HALT: _ClassVar[ControlEvent.Kind]
        RESUME: _ClassVar[ControlEvent.Kind]
        NEWS_MODEL: _ClassVar[ControlEvent.Kind]
        REDUCE: _ClassVar[ControlEvent.Kind]
        BREAKER: _ClassVar[ControlEvent.Kind]
        SHED: _ClassVar[ControlEvent.Kind]
        CHALLENGER: _ClassVar[ControlEvent.Kind]
    KIND_UNSPECIFIED: ControlEvent.Kind
    MODEL: ControlEvent.Kind
    ALERT_RULE: ControlEvent.Kind
    REMOVE_ALERT_RULE: ControlEvent.Kind
    HALT: ControlEvent.Kind
    RESUME: ControlEvent.Kind
    NEWS_MODEL: ControlEvent.Kind
    REDUCE: ControlEvent.Kind
    BREAKER: ControlEvent.Kind
    SHED: ControlEvent.Kind
    CHALLENGER: ControlEvent.Kind
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[ControlEvent.State]
        ACTIVE: _ClassVar[ControlEvent.State]
        REDUCING: _ClassVar[ControlEvent.State]
        HALTED: _ClassVar[ControlEvent.State]
    STATE_UNSPECIFIED: ControlEvent.State
    ACTIVE: ControlEvent.State
    REDUCING: ControlEvent.State
    HALTED: ControlEvent.State
    class Measure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MEASURE_UNSPECIFIED: _ClassVar[ControlEvent.Measure]
        PREDICTED_VOLATILITY: _ClassVar[ControlEvent.Measure]
        PRICE_MOVE: _ClassVar[ControlEvent.Measure]
        CONFIDENCE: _ClassVar[ControlEvent.Measure]
        IMBALANCE: _ClassVar[ControlEvent.Measure]
    MEASURE_UNSPECIFIED: ControlEvent.Measure
    PREDICTED_VOLATILITY: ControlEvent.Measure
    PRICE_MOVE: ControlEvent.Measure
    CONFIDENCE: ControlEvent.Measure
    IMBALANCE: ControlEvent.Measure
    class Model(_message.Message):
        __slots__ = ("version", "uri", "sha256")
        VERSION_FIELD_NUMBER: _ClassVar[int]
        URI_FIELD_NUMBER: _ClassVar[int]
        SHA256_FIELD_NUMBER: _ClassVar[int]
        version: str
        uri: str
        sha256: str
        def __init__(self, version: _Optional[str] = ..., uri: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...
    class Rule(_message.Message):
        __slots__ = ("rule_id", "measure", "threshold", "rearm_below", "cool_down", "symbols")
        RULE_ID_FIELD_NUMBER: _ClassVar[int]
        MEASURE_FIELD_NUMBER: _ClassVar[int]
        THRESHOLD_FIELD_NUMBER: _ClassVar[int]
        REARM_BELOW_FIELD_NUMBER: _ClassVar[int]
        COOL_DOWN_FIELD_NUMBER: _ClassVar[int]
        SYMBOLS_FIELD_NUMBER: _ClassVar[int]
        rule_id: str
        measure: ControlEvent.Measure
        threshold: float
        rearm_below: float
        cool_down: int
        symbols: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, rule_id: _Optional[str] = ..., measure: _Optional[_Union[ControlEvent.Measure, str]] = ..., threshold: _Optional[float] = ..., rearm_below: _Optional[float] = ..., cool_down: _Optional[int] = ..., symbols: _Optional[_Iterable[str]] = ...) -> None: ...
    class Breaker(_message.Message):
        __slots__ = ("name", "state")
        NAME_FIELD_NUMBER: _ClassVar[int]
        STATE_FIELD_NUMBER: _ClassVar[int]
        name: str
        state: ControlEvent.State
        def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[ControlEvent.State, str]] = ...) -> None: ...
    class Challenger(_message.Message):
        __slots__ = ("alias", "model")
        ALIAS_FIELD_NUMBER: _ClassVar[int]
        MODEL_FIELD_NUMBER: _ClassVar[int]
        alias: str
        model: ControlEvent.Model
        def __init__(self, alias: _Optional[str] = ..., model: _Optional[_Union[ControlEvent.Model, _Mapping[str, object]]] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    SYMBOLS_FIELD_NUMBER: _ClassVar[int]
    BREAKER_FIELD_NUMBER: _ClassVar[int]
    SHED_LEVEL_FIELD_NUMBER: _ClassVar[int]
    CHALLENGER_FIELD_NUMBER: _ClassVar[int]
    version: int
    kind: ControlEvent.Kind
    event_time: int
    author: str
    reason: str
    model: ControlEvent.Model
    rule: ControlEvent.Rule
    rule_id: str
    symbols: _containers.RepeatedScalarFieldContainer[str]
    breaker: ControlEvent.Breaker
    shed_level: int
    challenger: ControlEvent.Challenger
    def __init__(self, version: _Optional[int] = ..., kind: _Optional[_Union[ControlEvent.Kind, str]] = ..., event_time: _Optional[int] = ..., author: _Optional[str] = ..., reason: _Optional[str] = ..., model: _Optional[_Union[ControlEvent.Model, _Mapping[str, object]]] = ..., rule: _Optional[_Union[ControlEvent.Rule, _Mapping[str, object]]] = ..., rule_id: _Optional[str] = ..., symbols: _Optional[_Iterable[str]] = ..., breaker: _Optional[_Union[ControlEvent.Breaker, _Mapping[str, object]]] = ..., shed_level: _Optional[int] = ..., challenger: _Optional[_Union[ControlEvent.Challenger, _Mapping[str, object]]] = ...) -> None: ...
