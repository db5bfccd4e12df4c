"""Stored signals made again: their symbol's frames up to their own through the operator's processor, in this process."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import EqualTo

from jobs.lake.reading import StoredFrame, condition, scan_batches
from jobs.lake.tables import NAMESPACE
from jobs.recomputation.frames import StoredControl, processed, stored_control
from jobs.replaying import Range, checked_frames
from jobs.settings import Settings
from udfs.codecs.wire import PINNED, SchemaIds
from udfs.errors import TickflowError
from udfs.operators.control_log import ControlLog, ControlReader
from udfs.operators.control_state import ControlSnapshot, FetchModel
from udfs.operators.symbol_processor import PricedRow
from udfs.records import Position, ShedLevel, Signal


class UnknownSignal(TickflowError):
    """No stored signal has this id."""


class MadeAgain(NamedTuple):
    """A signal as it comes out now, with everything that it was made of."""

    signal: Signal
    row: PricedRow
    frame: StoredFrame
    control: ControlSnapshot
    frames_read: int


def stored_signal(catalog: Catalog, signal_id: str) -> dict[str, Any]:
    """The row of table `signals`. Raises UnknownSignal."""
    table = catalog.load_table((NAMESPACE, "signals"))
    for found in scan_batches(table, (), condition(EqualTo, "signal_id", signal_id)):
        if found.num_rows:
            return dict(found.to_pylist()[0])
    raise UnknownSignal(f"no stored signal has the id {signal_id!r}; signals appear in the lake with the job's next checkpoint")


def make_again(
    catalog: Catalog, stored: dict[str, Any], settings: Settings, fetch: FetchModel, schema_ids: SchemaIds = PINNED
) -> MadeAgain:
    """Process the symbol's frames from the first to the signal's own. Raises TickflowError when they make no such row."""
    ((_, found),) = made_again_together(catalog, [stored], settings, fetch, schema_ids)
    return found


def made_again_together(
    catalog: Catalog, stored: Sequence[dict[str, Any]], settings: Settings, fetch: FetchModel, schema_ids: SchemaIds = PINNED
) -> Iterator[tuple[dict[str, Any], MadeAgain]]:
    """Signals of one symbol, each with what is made of it, in one pass over the symbol's frames and in their order.

    Raises TickflowError when a frame of theirs is not stored any more, or makes no such row.
    """
    wanted: dict[Position, list[dict[str, Any]]] = {}
    for row in stored:
        wanted.setdefault(Position(row["topic"], row["kafka_partition"], row["kafka_offset"]), []).append(row)
    log = _SparingLog(StoredControl(stored_control(catalog)), fetch)
    frames = checked_frames(catalog, Range(symbols=(stored[0]["symbol"],), last=max(wanted, key=_order)))
    for number, (frame, outcome) in enumerate(processed(log.sparing(frames, wanted), settings, log, schema_ids), 1):
        for row in wanted.pop(frame.position, ()):
            control = log.at(row["control_version"]) or ControlSnapshot()
            yield row, _found(outcome.records, row["event_number"], frame, control, number)
        if not wanted:
            return
    topic, partition, offset = min(map(_order, wanted))
    raise TickflowError(f"the frame of the signal, {topic}/{partition}/{offset}, is not stored any more")


def _order(position: Position) -> tuple[str, int, int]:
    return position.topic, position.partition, position.offset


class _SparingLog(ControlLog):
    """The control log; the reasons of frames that nobody asked for are left out: they cost the most, and nothing later depends on them."""

    def __init__(self, reader: ControlReader, fetch: FetchModel) -> None:
        super().__init__(reader, fetch)
        self._explains = True
        self._spared: dict[int, ControlSnapshot] = {}

    def sparing(self, frames: Iterable[StoredFrame], wanted: Container[Position]) -> Iterator[StoredFrame]:
        """The frames; from when each is given until the next, the log is that of a wanted or another one."""
        for frame in frames:
            self._explains = frame.position in wanted
            yield frame
        self._explains = True

    def at(self, version: int) -> ControlSnapshot | None:
        """See `ControlLog`."""
        found = super().at(version)
        if self._explains or found is None:
            return found
        if version not in self._spared:
            self._spared[version] = replace(found, shed_level=max(found.shed_level, ShedLevel.REASONS))
        return self._spared[version]


def _found(records: list[Any], event_number: int, frame: StoredFrame, control: ControlSnapshot, frames: int) -> MadeAgain:
    rows = [record for record in records if isinstance(record, PricedRow) and record.row.event_number == event_number]
    signals = [record for record in records if isinstance(record, Signal) and record.event_number == event_number]
    if not rows or not signals:
        raise TickflowError("the frame of the signal makes no row at its event any more: other code or settings made it")
    return MadeAgain(signals[-1], rows[-1], frame, control, frames)


def differences(stored: dict[str, Any], signal: Signal) -> list[dict[str, Any]]:
    """Fields of the stored signal that did not come out to the bit; the manifest, which names the code, is not compared."""
    down, neutral, up = signal.probabilities
    again = {
        "signal_id": signal.signal_id,
        "direction": int(signal.direction),
        "confidence": signal.confidence,
        "probability_down": down,
        "probability_neutral": neutral,
        "probability_up": up,
        "expected_return": signal.expected_return,
        "sigma": signal.sigma,
        "price": signal.price,
        "status": int(signal.status),
        "code": int(signal.code),
        "model_version": signal.model_version,
        "model_hash": signal.model_hash,
        "feature_hash": signal.feature_hash,
        "control_version": signal.control_version,
    }
    return [{"field": name, "stored": stored[name], "again": value} for name, value in again.items() if not _same(stored[name], value)]


def _same(stored: Any, again: Any) -> bool:
    if isinstance(again, float):
        return np.float64(stored).tobytes() == np.float64(again).tobytes() or (np.isnan(stored) and np.isnan(again))
    return bool(stored == again)


def reasons_of(stored: dict[str, Any]) -> list[dict[str, Any]]:
    """The stored reasons: feature, contribution, words."""
    return list(json.loads(stored["reasons"] or "[]"))
