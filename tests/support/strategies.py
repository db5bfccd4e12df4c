"""Hypothesis strategies for the records and frames: their one home. Floats take every bit pattern, NaN payloads included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from udfs.codecs.frame_columns import ROW_TYPES, expected_rows
from udfs.codecs.frames import MarketFrame
from udfs.errors import Reason
from udfs.kernels.events import EventKind, FrameColumns
from udfs.records import (
    Alert,
    AlertRule,
    Attribution,
    Bar,
    BreakerChange,
    ChallengerChange,
    ControlEvent,
    ControlKind,
    Direction,
    FeatureRow,
    Measure,
    ModelReference,
    NewsItem,
    Position,
    Rejected,
    ShedLevel,
    Signal,
    SignalCode,
    SignalStatus,
    TradingState,
)

INT64 = st.integers(-(2**63), 2**63 - 1)
COUNTS = st.integers(0, 2**63 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)
NAMES = st.text(max_size=12)
DOUBLES = st.binary(min_size=8, max_size=8).map(lambda raw: float(np.frombuffer(raw, "<f8")[0])) | st.floats()


def arrays_of_bits(row_type: np.dtype[Any], rows: int) -> st.SearchStrategy[npt.NDArray[Any]]:
    """(rows, ...) of any bit pattern."""
    size = rows * row_type.itemsize
    return st.binary(min_size=size, max_size=size).map(lambda raw: np.frombuffer(raw, row_type))


@st.composite
def columns_of_kinds(draw: st.DrawFn, kinds: st.SearchStrategy[list[int]]) -> FrameColumns:
    """Columns that fit the kinds drawn; flags, sequence and available_time are now and then as the encoder leaves them out."""
    kind = np.array(draw(kinds), np.uint8)
    rows = expected_rows(kind)
    drawn = [draw(arrays_of_bits(row_type, count)) for row_type, count in zip(ROW_TYPES.values(), rows, strict=True)]
    columns = FrameColumns(*drawn)._replace(kind=kind)
    if draw(st.booleans()):
        columns = columns._replace(flags=np.zeros(len(kind), np.uint8), sequence=np.zeros(len(kind), np.int64))
    return columns._replace(available_time=columns.event_time) if draw(st.booleans()) else columns


def frame_columns(largest: int = 12, any_kind: bool = True) -> st.SearchStrategy[FrameColumns]:
    """Columns of 1 to `largest` events; with `any_kind` also kinds that nobody knows."""
    known = st.sampled_from([int(kind) for kind in EventKind])
    kinds = st.one_of(known, st.integers(0, 255)) if any_kind else known
    return columns_of_kinds(st.lists(kinds, min_size=1, max_size=largest))


@st.composite
def frames(draw: st.DrawFn, largest: int = 12) -> MarketFrame:
    """Frames that the encoder takes."""
    columns = draw(frame_columns(largest))
    news = int((columns.kind == EventKind.NEWS).sum())
    texts = draw(st.lists(NAMES, min_size=news, max_size=news).map(tuple))
    return MarketFrame(draw(NAMES), draw(NAMES), draw(NAMES), draw(COUNTS), columns, texts)


POSITIONS = st.builds(Position, NAMES, INT32, INT64, INT32)


@st.composite
def feature_rows(draw: st.DrawFn) -> FeatureRow:
    """Feature rows of 0 to 40 features."""
    features = draw(st.integers(0, 40))
    return FeatureRow(
        symbol=draw(NAMES),
        event_time=draw(INT64),
        available_time=draw(INT64),
        event_number=draw(INT64),
        feature_set=draw(NAMES),
        values=draw(arrays_of_bits(np.dtype("<f4"), features)),
        valid=np.array(draw(st.lists(st.booleans(), min_size=features, max_size=features)), np.bool_),
        bar_closed=draw(st.booleans()),
        control_version=draw(INT64),
        position=draw(POSITIONS),
        manifest_id=draw(NAMES),
    )


BARS = st.builds(
    Bar,
    symbol=NAMES,
    start_time=INT64,
    length_seconds=INT32,
    open=DOUBLES,
    high=DOUBLES,
    low=DOUBLES,
    close=DOUBLES,
    volume=DOUBLES,
    notional=DOUBLES,
    trades=INT64,
    signed_volume=DOUBLES,
    available_time=INT64,
    position=POSITIONS,
    manifest_id=NAMES,
)

SIGNALS = st.builds(
    Signal,
    signal_id=NAMES,
    symbol=NAMES,
    event_time=INT64,
    available_time=INT64,
    event_number=INT64,
    horizon=INT64,
    price=DOUBLES,
    direction=st.sampled_from(Direction),
    confidence=DOUBLES,
    probabilities=st.tuples(DOUBLES, DOUBLES, DOUBLES),
    expected_return=DOUBLES,
    sigma=DOUBLES,
    reasons=st.lists(st.builds(Attribution, NAMES, DOUBLES, NAMES), max_size=4).map(tuple),
    status=st.sampled_from(SignalStatus),
    code=st.sampled_from(SignalCode),
    model_version=NAMES,
    model_hash=NAMES,
    feature_hash=NAMES,
    control_version=INT64,
    position=POSITIONS,
    manifest_id=NAMES,
)

ALERTS = st.builds(
    Alert,
    alert_id=NAMES,
    rule_id=NAMES,
    symbol=NAMES,
    event_time=INT64,
    available_time=INT64,
    event_number=INT64,
    measure=NAMES,
    threshold=DOUBLES,
    value=DOUBLES,
    signal_id=NAMES,
    position=POSITIONS,
    manifest_id=NAMES,
)

REJECTED = st.builds(
    Rejected,
    symbol=NAMES,
    reason=st.sampled_from(Reason),
    detail=NAMES,
    event_time=INT64,
    available_time=INT64,
    raw=st.binary(max_size=40),
    position=POSITIONS,
    manifest_id=NAMES,
)

NEWS = st.builds(
    NewsItem,
    news_id=NAMES,
    event_time=INT64,
    available_time=INT64,
    symbols=st.lists(NAMES, max_size=4).map(tuple),
    headline=NAMES,
    body=NAMES,
    source=NAMES,
)

WATCHLISTS = st.lists(st.text(min_size=1, max_size=6), max_size=4, unique=True).map(tuple)
RULE_IDS = st.text(min_size=1, max_size=12).filter(lambda text: "\n" not in text)


@st.composite
def alert_rules(draw: st.DrawFn) -> AlertRule:
    """Rules that can be applied."""
    threshold = draw(st.floats(1e-9, 1.0))
    return AlertRule(
        rule_id=draw(RULE_IDS),
        measure=draw(st.sampled_from(Measure)),
        threshold=threshold,
        rearm_below=threshold * draw(st.floats(0.1, 1.0)),
        cool_down=draw(COUNTS),
        symbols=draw(WATCHLISTS),
    )


MODELS = st.builds(ModelReference, st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=20), st.from_regex(r"\A[0-9a-f]{64}\Z"))


def control_events() -> st.SearchStrategy[ControlEvent]:
    """Control events that can be applied, of every kind."""

    def of(kind: ControlKind, **part: st.SearchStrategy[Any]) -> st.SearchStrategy[ControlEvent]:
        return st.builds(ControlEvent, version=COUNTS, kind=st.just(kind), event_time=COUNTS, author=NAMES, reason=NAMES, **part)

    return st.one_of(
        of(ControlKind.MODEL, model=MODELS),
        of(ControlKind.ALERT_RULE, rule=alert_rules()),
        of(ControlKind.REMOVE_ALERT_RULE, rule_id=RULE_IDS),
        of(ControlKind.HALT, symbols=WATCHLISTS),
        of(ControlKind.RESUME, symbols=WATCHLISTS),
        of(ControlKind.REDUCE, symbols=WATCHLISTS),
        of(ControlKind.BREAKER, breaker=st.builds(BreakerChange, st.from_regex(r"\A[a-z][a-z0-9-]{0,8}\Z"), st.sampled_from(TradingState))),
        of(
            ControlKind.CHALLENGER,
            challenger=st.builds(ChallengerChange, st.from_regex(r"\Achallenger-[a-z0-9][a-z0-9-]{0,8}\Z"), st.none() | MODELS),
        ),
        of(ControlKind.SHED, shed_level=st.sampled_from(ShedLevel).map(int)),
    )


@st.composite
def damaged(draw: st.DrawFn, encoded: st.SearchStrategy[bytes]) -> bytes:
    """An encoded message that was cut, had bytes changed, dropped or put in; now and then random bytes behind an intact prefix."""
    data = bytearray(draw(encoded))
    for _ in range(draw(st.integers(1, 4))):
        edit: Callable[[st.DrawFn, bytearray], None] = draw(st.sampled_from((_change, _drop, _insert, _cut, _replace_body)))
        edit(draw, data)
    return bytes(data)


def _change(draw: st.DrawFn, data: bytearray) -> None:
    if data:
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))


def _drop(draw: st.DrawFn, data: bytearray) -> None:
    start = draw(st.integers(0, len(data)))
    del data[start : start + draw(st.integers(1, 9))]


def _insert(draw: st.DrawFn, data: bytearray) -> None:
    place = draw(st.integers(0, len(data)))
    data[place:place] = draw(st.binary(max_size=9))


def _cut(draw: st.DrawFn, data: bytearray) -> None:
    del data[draw(st.integers(0, len(data))) :]


def _replace_body(draw: st.DrawFn, data: bytearray) -> None:
    data[6:] = draw(st.binary(max_size=60))
