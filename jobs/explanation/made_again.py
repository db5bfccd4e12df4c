"""Stored signals made again: their symbol's frames up to their own through the kernels, theirs through the operator's own processor."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from pyiceberg.catalog import Catalog
from pyiceberg.expressions import EqualTo

from jobs.explanation.fast_forward import FastForward
from jobs.lake.reading import StoredFrame, condition, scan_batches
from jobs.lake.tables import NAMESPACE
from jobs.recomputation.frames import REMADE, StoredControl, stored_control
from jobs.recomputation.stored import Range, checked_frames
from jobs.settings import Settings
from jobs.worker import worker_settings
from udfs.codecs.wire import PINNED, SchemaIds
from udfs.errors import TickflowError
from udfs.operators.control_log import ControlLog, ControlLogSettings
from udfs.operators.control_state import ControlSnapshot, FetchModel
from udfs.operators.symbol_processor import PricedRow, Record
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import Position, Signal

RECENT_FRAMES: Final = 1024
"""How many frames before a signal's own can be taken again in another way."""


class UnknownSignal(TickflowError):
    """No stored signal has this id."""


class Recent(NamedTuple):
    """The last frames up to the signal's own, and how to take them again."""

    frames: tuple[StoredFrame, ...]
    state: bytes
    """Of the symbol before the first of them."""
    settings: WorkerSettings
    log: ControlLog

    @property
    def frame(self) -> StoredFrame:
        """The signal's own."""
        return self.frames[-1]

    def walk(self) -> FastForward:
        """From before the first of the frames."""
        return FastForward(self.frame.symbol, self.settings, self.log, self.state)


class MadeAgain(NamedTuple):
    """A signal as it comes out now, with everything that it was made of."""

    signal: Signal
    row: PricedRow
    control: ControlSnapshot
    frames_read: int
    recent: Recent


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
    symbol, log = stored[0]["symbol"], ControlLog(StoredControl(stored_control(catalog)), fetch)
    worker = worker_settings(settings, REMADE, ControlLogSettings(""), schema_ids)
    walk, waiting = FastForward(symbol, worker, log), deque[StoredFrame]()
    for number, frame in enumerate(checked_frames(catalog, Range(symbols=(symbol,), last=max(wanted, key=_order))), 1):
        waiting.append(frame)
        rows = wanted.pop(frame.position, None)
        if rows is None:
            if len(waiting) > RECENT_FRAMES:
                walk.over(waiting.popleft())
            continue
        recent = Recent(tuple(waiting), walk.state(), worker, log)
        records = _after_all(walk, waiting)
        for row in rows:
            control = log.at(row["control_version"]) or ControlSnapshot()
            yield row, _found(records, row["event_number"], control, number, recent)
        if not wanted:
            return
    topic, partition, offset = min(map(_order, wanted))
    raise TickflowError(f"the frame of the signal, {topic}/{partition}/{offset}, is not stored any more")


def _order(position: Position) -> tuple[str, int, int]:
    return position.topic, position.partition, position.offset


def _after_all(walk: FastForward, waiting: deque[StoredFrame]) -> list[Record]:
    """What the last of the frames makes after the others, all of which are used up."""
    last = waiting.pop()
    for frame in waiting:
        walk.over(frame)
    waiting.clear()
    return walk.process(last).records


def _found(records: list[Record], event_number: int, control: ControlSnapshot, frames: int, recent: Recent) -> MadeAgain:
    rows = [record for record in records if isinstance(record, PricedRow) and record.row.event_number == event_number]
    signals = [record for record in records if isinstance(record, Signal) and record.event_number == event_number]
    if not rows or not signals:
        raise TickflowError("the frame of the signal makes no row at its event any more: other code or settings made it")
    return MadeAgain(signals[-1], rows[-1], control, frames, recent)


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
