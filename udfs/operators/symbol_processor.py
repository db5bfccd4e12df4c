"""One frame of one symbol through the whole of Tickflow: decode, firewall and kernels, score, alert rules. Knows nothing of Flink."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from udfs.codecs.frames import MarketFrame, decode_frame, frame_of_one
from udfs.codecs.plain_frames import PlainFrameReader
from udfs.codecs.state_blob import pack_state, unpack_state
from udfs.errors import MalformedMessage, Reason
from udfs.kernels.advance import Advance, advance
from udfs.kernels.events import FrameColumns
from udfs.kernels.feature_vector import FEATURE_SET
from udfs.kernels.symbol_state import SYMBOL_STATE, SymbolState, new_state
from udfs.operators.control_log import ControlLog
from udfs.operators.control_state import ControlSnapshot, RefusedControl
from udfs.operators.news_reading import with_news_read
from udfs.operators.row_scoring import RowScoring
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import Alert, Bar, FeatureRow, Position, Rejected, Signal


class PricedRow(NamedTuple):
    """A feature row and the price that it was made at."""

    row: FeatureRow
    price: float


Record: TypeAlias = PricedRow | Bar | Signal | Alert | Rejected


class Outcome(NamedTuple):
    """What one frame gave, in the order in which it is emitted, and the symbol's state after it (None: unchanged)."""

    records: list[Record]
    state: bytes | None
    accepted: int


class OpenedFrame(NamedTuple):
    """A frame as the kernels take it, valid until the next one is opened."""

    control: ControlSnapshot
    """What is in force at it."""
    events: int
    columns: FrameColumns
    """As many rows as events, or more where they are room that is used again."""
    decoded: MarketFrame | None
    """None where it was plain enough to be read without decoding all of it."""


class SymbolProcessor:
    """Processes frames of any symbol, given the symbol's state. The result depends on the arguments and the control log alone."""

    def __init__(self, settings: WorkerSettings, control: ControlLog) -> None:
        self._settings = settings
        self._control = control
        self._scoring = RowScoring(settings)
        self._framing = settings.schema_ids.framing("MarketFrame")
        self._reader = PlainFrameReader(self._framing, settings.largest_frame_bytes)
        self._reported_refusals = 0

    def process(self, symbol: str, data: bytes, position: Position, blob: bytes | None) -> Outcome:
        """Take one frame. Whatever its bytes, it is processed or rejected: data never raises."""
        try:
            control, events, columns, frame = self.opened(symbol, data)
        except MalformedMessage as error:
            return Outcome([self._refused(symbol, error, data, position)], None, 0)
        state, alert_state = unpack_state(blob, SYMBOL_STATE) if blob else (new_state(), b"")
        result = advance(state, columns, self._settings.kernel, events)
        records: list[Record] = self._control_refusals()
        if result.is_quiet:
            return Outcome(records, pack_state(state, alert_state), events)
        records += self._bars(symbol, result, position)
        alert_state = self._add_rows(records, symbol, result, control, position, alert_state, state)
        rejected = np.flatnonzero(result.verdicts)
        if len(rejected):
            records += self._rejected_events(frame or self._decode(symbol, data), rejected, result.verdicts, position)
        return Outcome(records, pack_state(state, alert_state), events - len(rejected))

    def opened(self, symbol: str, data: bytes) -> OpenedFrame:
        """A frame's events and what is in force at it. Raises MalformedMessage, and what a control log raises that cannot be read."""
        plain = self._reader.read(symbol.encode("utf-8", "surrogatepass"), data)
        if plain:
            return OpenedFrame(self._control_of(symbol, plain.control_version), plain.events, plain.columns, None)
        frame = self._decode(symbol, data)
        control = self._control_of(symbol, frame.control_version)
        return OpenedFrame(control, len(frame.columns.kind), with_news_read(frame, control.news_scorer), frame)

    def _decode(self, symbol: str, data: bytes) -> MarketFrame:
        frame = decode_frame(data, self._framing, self._settings.largest_frame_bytes)
        if frame.symbol != symbol:
            raise MalformedMessage(Reason.SYMBOL_MISMATCH, f"the record's key is {symbol!r}, the frame's symbol {frame.symbol!r}")
        return frame

    def _control_of(self, symbol: str, version: int) -> ControlSnapshot:
        if self._settings.universe and symbol not in self._settings.universe:
            raise MalformedMessage(Reason.UNKNOWN_SYMBOL, f"{symbol!r} is not in the universe of {len(self._settings.universe)} symbols")
        snapshot = self._control.at(version)
        if snapshot is None:
            raise MalformedMessage(Reason.MALFORMED_FRAME, f"control version {version} is not in the control log")
        return snapshot

    def _bars(self, symbol: str, result: Advance, position: Position) -> list[Bar]:
        return [self._bar(symbol, values, position) for values in result.bars.tolist()]

    def _bar(self, symbol: str, values: tuple[float, ...], position: Position) -> Bar:
        start, length, opened, high, low, close, volume, notional, trades, signed, event_index, available = values
        return Bar(
            symbol=symbol,
            start_time=int(start),
            length_seconds=int(length),
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=volume,
            notional=notional,
            trades=int(trades),
            signed_volume=signed,
            available_time=int(available),
            position=_at_event(position, int(event_index)),
            manifest_id=self._settings.manifest_id,
        )

    def _add_rows(
        self,
        records: list[Record],
        symbol: str,
        result: Advance,
        control: ControlSnapshot,
        position: Position,
        alert_state: bytes,
        state: SymbolState,
    ) -> bytes:
        """Append each row, its signal and its alerts; the alert rules' state after them. What breakers count goes into `state`."""
        count = len(result.row_event_time)
        if not count:
            return alert_state
        scores = control.scorer.score(result.row_values, result.row_valid) if control.scorer else None
        for index in range(count):
            row = self._row(symbol, result, index, control.version, position)
            price = float(result.row_price[index])
            signal = self._scoring.signal(row, price, int(result.row_flags[index]), control, scores, index, state)
            alerts, alert_state = self._scoring.alerts(row, signal, control, alert_state)
            records += (PricedRow(row, price), signal, *alerts)
        return alert_state

    def _row(self, symbol: str, result: Advance, index: int, control_version: int, position: Position) -> FeatureRow:
        return FeatureRow(
            symbol=symbol,
            event_time=int(result.row_event_time[index]),
            available_time=int(result.row_available_time[index]),
            event_number=int(result.row_event_number[index]),
            feature_set=FEATURE_SET,
            values=result.row_values[index],
            valid=result.row_valid[index],
            bar_closed=bool(result.row_bar_closed[index]),
            control_version=control_version,
            position=_at_event(position, int(result.row_event_index[index])),
            manifest_id=self._settings.manifest_id,
        )

    def _rejected_events(
        self, frame: MarketFrame, rejected: npt.NDArray[np.intp], verdicts: npt.NDArray[np.uint8], position: Position
    ) -> list[Rejected]:
        return [self._rejected(frame, index, Reason(int(verdicts[index])), position) for index in rejected.tolist()]

    def _rejected(self, frame: MarketFrame, index: int, reason: Reason, position: Position) -> Rejected:
        return Rejected(
            symbol=frame.symbol,
            reason=reason,
            detail=reason.name.lower().replace("_", " "),
            event_time=int(frame.columns.event_time[index]),
            available_time=int(frame.columns.available_time[index]),
            raw=frame_of_one(frame, index, self._framing),
            position=_at_event(position, index),
            manifest_id=self._settings.manifest_id,
        )

    def _refused(self, symbol: str, error: MalformedMessage, data: bytes, position: Position) -> Rejected:
        return Rejected(symbol, error.reason, error.detail, 0, 0, data, position, self._settings.manifest_id)

    def _control_refusals(self) -> list[Record]:
        """Control entries that this process refused and has not told of yet."""
        refused = self._control.state.refused
        if len(refused) == self._reported_refusals:
            return []
        fresh, self._reported_refusals = refused[self._reported_refusals :], len(refused)
        return [self._refused_control(entry) for entry in fresh]

    def _refused_control(self, entry: RefusedControl) -> Rejected:
        position = Position(self._settings.control.topic, 0, entry.version - 1)
        return Rejected("", entry.reason, entry.detail, 0, 0, entry.raw, position, self._settings.manifest_id)


def _at_event(position: Position, event_index: int) -> Position:
    return Position(position.topic, position.partition, position.offset, event_index)
