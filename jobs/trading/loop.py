"""The loop of paper trading: control before everything else, then one record of the market after the other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from jobs.trading.broker import MarketRow
from jobs.trading.engine import PaperTrader
from udfs.codecs.control import decode_control
from udfs.codecs.rows import decode_feature_row
from udfs.codecs.signals import decode_signal
from udfs.codecs.wire import SchemaIds
from udfs.errors import MalformedMessage, TickflowError
from udfs.kernels.feature_vector import FEATURE_SET, Feature
from udfs.operators.control_state import ControlState
from udfs.records import ControlKind, FeatureRow, ModelReference


@dataclass(frozen=True, slots=True)
class MarketRecord:
    """A record of the topics of features or signals."""

    is_signal: bool
    value: bytes


class ControlSource(Protocol):
    """The control log."""

    def fresh(self) -> Sequence[bytes]:
        """Entries that came since the last call, in their order; returns at once. Raises when the log cannot be followed."""


class MarketSource(Protocol):
    """The topics of features and signals."""

    def next(self, seconds: float) -> MarketRecord | None:
        """The next record, awaited for so long."""


class PaperLoop:
    """Feeds a trader. What cannot be read is counted and left out."""

    def __init__(self, trader: PaperTrader, control: ControlSource, market: MarketSource, schema_ids: SchemaIds) -> None:
        self.trader = trader
        self.malformed = 0
        self._control, self._market = control, market
        self._state = ControlState(_no_model)
        self._rows, self._signals = schema_ids.framing("FeatureRow"), schema_ids.framing("Signal")

    @property
    def control_version(self) -> int:
        """The last entry of the control log that is in force here."""
        return self._state.version

    def begin(self, entries: Sequence[bytes]) -> None:
        """Put the log up to now into force. What was resumed in the past lifts no loss limit: the journal tells of those that stand."""
        for raw in entries:
            self._state.read(raw)
        self.trader.on_control(self._state.at(self._state.version))

    def follow_control(self) -> None:
        """Put into force what people said, before anything else happens."""
        for raw in self._control.fresh():
            self._state.read(raw)
            self.trader.on_control(self._state.at(self._state.version), self._resumes_everything(raw))

    def step(self, wait_seconds: float) -> bool:
        """Control, then at most one record; whether there was one."""
        self.follow_control()
        record = self._market.next(wait_seconds)
        if record is None:
            return False
        self.follow_control()
        try:
            self._take(record)
        except MalformedMessage:
            self.malformed += 1
        return True

    def run(self, stopped: Callable[[], bool], wait_seconds: float, after_each: Callable[[bool], None]) -> None:
        """Go on until `stopped`; `after_each` hears whether there was a record."""
        while not stopped():
            after_each(self.step(wait_seconds))

    def _take(self, record: MarketRecord) -> None:
        if record.is_signal:
            self.trader.on_signal(decode_signal(record.value, self._signals))
            return
        row = decode_feature_row(record.value, self._rows)
        if row.feature_set == FEATURE_SET and len(row.values) == len(Feature):
            self.trader.on_row(market_row(row))
        else:
            self.malformed += 1

    def _resumes_everything(self, raw: bytes) -> bool:
        try:
            event = decode_control(raw)  # the control log has the pinned schema id, with a registry too
        except MalformedMessage:
            return False
        return event.kind is ControlKind.RESUME and not event.symbols


def market_row(row: FeatureRow) -> MarketRow:
    """What a feature row tells of the market. Without a usable book there is no spread, and so no fill, but a price to count with."""
    values = row.values
    mid, last = float(values[Feature.MID_PRICE]), float(values[Feature.LAST_PRICE])
    return MarketRow(
        symbol=row.symbol,
        time=row.event_time,
        mid=last if math.isnan(mid) else mid,
        spread=float(values[Feature.SPREAD]),
        volume_of_a_minute=float(values[Feature.VOLUME_1_MINUTE]),
        sigma_of_a_minute=float(values[Feature.REALISED_VOLATILITY_1_MINUTE]),
        halted=bool(values[Feature.HALTED] > 0),
    )


def _no_model(model: ModelReference) -> bytes:
    raise TickflowError(f"model {model.version} is not loaded here")
