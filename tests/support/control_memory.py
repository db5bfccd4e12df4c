"""A control log in memory, the frames that refer to it, and a processor of symbols over it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.support.kernel_events import Event, columns_of
from udfs.codecs.control import encode_control
from udfs.codecs.frames import encode_frame
from udfs.errors import SourceError
from udfs.kernels.events import EventKind
from udfs.operators.control_log import ControlLog, ControlLogSettings
from udfs.operators.control_state import FetchModel
from udfs.operators.symbol_processor import Outcome, SymbolProcessor
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import (
    AlertRule,
    BreakerChange,
    ChallengerChange,
    ControlEvent,
    ControlKind,
    ModelReference,
    Position,
    ShedLevel,
    TradingState,
)

SYMBOL = "BTCUSDT"


class MemoryReader:
    """A `ControlReader` over a list that may grow; counts what was asked of it."""

    def __init__(self, entries: Iterable[bytes] = ()) -> None:
        self.stored = list(entries)
        self.asked: list[tuple[int, int]] = []

    def end(self) -> int:
        return len(self.stored)

    def entries(self, first: int, count: int) -> list[bytes]:
        self.asked.append((first, count))
        return self.stored[first : first + count]


def model_entry(reference: ModelReference) -> bytes:
    return encode_control(ControlEvent(0, ControlKind.MODEL, 1, "desk", "", model=reference))


def news_model_entry(reference: ModelReference) -> bytes:
    return encode_control(ControlEvent(0, ControlKind.NEWS_MODEL, 1, "desk", "", model=reference))


def rule_entry(rule: AlertRule) -> bytes:
    return encode_control(ControlEvent(0, ControlKind.ALERT_RULE, 1, "desk", "", rule=rule))


def remove_entry(rule_id: str) -> bytes:
    return encode_control(ControlEvent(0, ControlKind.REMOVE_ALERT_RULE, 1, "desk", "", rule_id=rule_id))


def halt_entry(*symbols: str) -> bytes:
    return encode_control(ControlEvent(0, ControlKind.HALT, 1, "desk", "", symbols=symbols))


def resume_entry(*symbols: str) -> bytes:
    return encode_control(ControlEvent(0, ControlKind.RESUME, 1, "desk", "", symbols=symbols))


def reduce_entry(*symbols: str) -> bytes:
    return encode_control(ControlEvent(0, ControlKind.REDUCE, 1, "desk", "", symbols=symbols))


def breaker_entry(name: str, state: TradingState) -> bytes:
    return encode_control(ControlEvent(0, ControlKind.BREAKER, 1, "monitor", "", breaker=BreakerChange(name, state)))


def shed_entry(level: ShedLevel) -> bytes:
    return encode_control(ControlEvent(0, ControlKind.SHED, 1, "monitor", "", shed_level=int(level)))


def challenger_entry(alias: str, reference: ModelReference | None) -> bytes:
    return encode_control(ControlEvent(0, ControlKind.CHALLENGER, 1, "desk", "", challenger=ChallengerChange(alias, reference)))


def fetch_from(models: Mapping[str, bytes]) -> FetchModel:
    """Models by their uri."""

    def fetch(reference: ModelReference) -> bytes:
        if reference.uri not in models:
            raise SourceError(f"no model at {reference.uri}")
        return models[reference.uri]

    return fetch


def processor(entries: Sequence[bytes] = (), models: Mapping[str, bytes] | None = None, **settings: Any) -> SymbolProcessor:
    """A processor over a control log of these entries; `settings` are those of `WorkerSettings`."""
    control = ControlLog(MemoryReader(entries), fetch_from(models or {}))
    return SymbolProcessor(WorkerSettings("manifest", ControlLogSettings("memory"), **settings), control)


def frame_of(events: Sequence[Event], control_version: int = 0, symbol: str = SYMBOL) -> bytes:
    texts = [f"Profit of number {event.sequence} rises" for event in events if event.kind == EventKind.NEWS]
    return encode_frame(symbol, "venue", "source", control_version, columns_of(events), texts)


def process(
    worker: SymbolProcessor, frames: Sequence[bytes], blob: bytes | None = None, symbol: str = SYMBOL
) -> tuple[list[Outcome], bytes | None]:
    """Frames of one symbol one after the other, each at its own offset; the outcomes and the last state."""
    outcomes = []
    for offset, frame in enumerate(frames):
        outcome = worker.process(symbol, frame, Position("market.frames", 2, offset), blob)
        blob = outcome.state if outcome.state is not None else blob
        outcomes.append(outcome)
    return outcomes, blob
