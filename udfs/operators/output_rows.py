"""What leaves the market function: one row type for every kind of record, so that the JVM can route without another Python operator.

A row has the message for Kafka (`payload`), the place in the log, and exactly one of the nested parts, whose columns are those of the
lake's table; the others are null. Columns that are the same for the whole job (manifest, feature set, topic) are added in SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from pyflink.common import Row, Types
from pyflink.common.typeinfo import TypeInformation

from udfs.codecs.rejects import encode_rejected
from udfs.codecs.rows import encode_bar, encode_feature_row
from udfs.codecs.signals import encode_alert, encode_signal
from udfs.codecs.wire import SchemaIds
from udfs.operators.symbol_processor import PricedRow, Record
from udfs.records import Alert, Bar, Position, Rejected, Signal

BYTES: Final = Types.PRIMITIVE_ARRAY(Types.BYTE())
_TEXT, _LONG, _INT, _DOUBLE, _BOOLEAN = Types.STRING(), Types.LONG(), Types.INT(), Types.DOUBLE(), Types.BOOLEAN()

PARTS: Final[dict[str, dict[str, TypeInformation]]] = {
    "feature": {
        "event_time_ns": _LONG,
        "available_time_ns": _LONG,
        "event_number": _LONG,
        "feature_values": Types.OBJECT_ARRAY(Types.FLOAT()),
        "feature_valid": BYTES,
        "price": _DOUBLE,
        "bar_closed": _BOOLEAN,
        "control_version": _LONG,
    },
    "bar": {
        "start_time_ns": _LONG,
        "length_seconds": _INT,
        "open": _DOUBLE,
        "high": _DOUBLE,
        "low": _DOUBLE,
        "close": _DOUBLE,
        "volume": _DOUBLE,
        "notional": _DOUBLE,
        "trades": _LONG,
        "signed_volume": _DOUBLE,
        "available_time_ns": _LONG,
    },
    "signal": {
        "signal_id": _TEXT,
        "event_time_ns": _LONG,
        "available_time_ns": _LONG,
        "event_number": _LONG,
        "horizon_ns": _LONG,
        "price": _DOUBLE,
        "direction": _INT,
        "confidence": _DOUBLE,
        "probability_down": _DOUBLE,
        "probability_neutral": _DOUBLE,
        "probability_up": _DOUBLE,
        "expected_return": _DOUBLE,
        "sigma": _DOUBLE,
        "reasons": _TEXT,
        "status": _INT,
        "code": _INT,
        "model_version": _TEXT,
        "model_hash": _TEXT,
        "feature_hash": _TEXT,
        "control_version": _LONG,
    },
    "alert": {
        "alert_id": _TEXT,
        "rule_id": _TEXT,
        "event_time_ns": _LONG,
        "available_time_ns": _LONG,
        "event_number": _LONG,
        "measure": _TEXT,
        "threshold": _DOUBLE,
        "value": _DOUBLE,
        "signal_id": _TEXT,
    },
    "reject": {
        "event_time_ns": _LONG,
        "available_time_ns": _LONG,
        "reason": _INT,
        "reason_name": _TEXT,
        "detail": _TEXT,
        "raw": BYTES,
    },
}
"""Kind of record -> its columns in order."""

_COMMON: Final[dict[str, TypeInformation]] = {
    "symbol": _TEXT,
    "topic": _TEXT,
    "kafka_partition": _INT,
    "kafka_offset": _LONG,
    "event_index": _INT,
    "payload": BYTES,
}


def output_type() -> TypeInformation:
    """Type of the rows."""
    parts = {kind: Types.ROW_NAMED(list(columns), list(columns.values())) for kind, columns in PARTS.items()}
    fields = _COMMON | parts
    return Types.ROW_NAMED(list(fields), list(fields.values()))


class OutputRows:
    """Turns records into rows, with the schema ids of the run."""

    def __init__(self, schema_ids: SchemaIds) -> None:
        framing = schema_ids.framing
        self._feature, self._bar, self._signal = framing("FeatureRow"), framing("Bar"), framing("Signal")
        self._alert, self._rejected = framing("Alert"), framing("Rejected")
        self._of_kind: dict[type, Callable[[Any], Row]] = {
            PricedRow: self._feature_row,
            Bar: self._bar_row,
            Signal: self._signal_row,
            Alert: self._alert_row,
            Rejected: self._reject_row,
        }

    def row(self, record: Record) -> Row:
        """The row of one record."""
        return self._of_kind[type(record)](record)

    def _feature_row(self, priced: PricedRow) -> Row:
        row, price = priced
        valid = np.packbits(row.valid, bitorder="little").tobytes()
        part = Row(
            row.event_time, row.available_time, row.event_number, row.values.tolist(), valid, price, row.bar_closed, row.control_version,
        )  # fmt: skip
        return _row(row.symbol, row.position, encode_feature_row(row, self._feature), feature=part)

    def _bar_row(self, bar: Bar) -> Row:
        part = Row(
            bar.start_time, bar.length_seconds, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.notional, bar.trades,
            bar.signed_volume, bar.available_time,
        )  # fmt: skip
        return _row(bar.symbol, bar.position, encode_bar(bar, self._bar), bar=part)

    def _signal_row(self, signal: Signal) -> Row:
        part = Row(
            signal.signal_id, signal.event_time, signal.available_time, signal.event_number, signal.horizon, signal.price,
            int(signal.direction), signal.confidence, *signal.probabilities, signal.expected_return, signal.sigma, _reasons(signal),
            int(signal.status), int(signal.code), signal.model_version, signal.model_hash, signal.feature_hash, signal.control_version,
        )  # fmt: skip
        return _row(signal.symbol, signal.position, encode_signal(signal, self._signal), signal=part)

    def _alert_row(self, alert: Alert) -> Row:
        part = Row(
            alert.alert_id, alert.rule_id, alert.event_time, alert.available_time, alert.event_number, alert.measure, alert.threshold,
            alert.value, alert.signal_id,
        )  # fmt: skip
        return _row(alert.symbol, alert.position, encode_alert(alert, self._alert), alert=part)

    def _reject_row(self, rejected: Rejected) -> Row:
        reason = rejected.reason
        part = Row(rejected.event_time, rejected.available_time, int(reason), reason.name.lower(), rejected.detail, rejected.raw)
        return _row(rejected.symbol, rejected.position, encode_rejected(rejected, self._rejected), reject=part)


def _row(
    symbol: str,
    position: Position,
    payload: bytes,
    feature: Row | None = None,
    bar: Row | None = None,
    signal: Row | None = None,
    alert: Row | None = None,
    reject: Row | None = None,
) -> Row:
    place = (position.topic, position.partition, position.offset, position.event_index)
    return Row(symbol, *place, payload, feature, bar, signal, alert, reject)


def _reasons(signal: Signal) -> str:
    if not signal.reasons:
        return "[]"
    reasons = [{"feature": reason.feature, "contribution": reason.contribution, "words": reason.words} for reason in signal.reasons]
    return json.dumps(reasons, ensure_ascii=False, separators=(",", ":"))
