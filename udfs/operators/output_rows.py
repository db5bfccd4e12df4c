"""What leaves the market function: one row type for every kind of record, so that the JVM can route without another Python operator.

A row has the place in the log and one of the nested parts, the others are null; only a signal shares the row of the features that it was
made from, since each row costs the way from Python to the JVM. A part is the message for Kafka (`payload`) and the columns of the lake's
table. Columns that are the same for the whole job (manifest, feature set) are added in SQL.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
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

PAYLOAD: Final = "payload"
"""Column of a part that is the message for Kafka."""
PARTS: Final[dict[str, dict[str, TypeInformation]]] = {
    "feature": {
        PAYLOAD: BYTES,
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
        PAYLOAD: BYTES,
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
        PAYLOAD: BYTES,
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
        PAYLOAD: BYTES,
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
        PAYLOAD: BYTES,
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
}
_PLACE_OF_PART: Final = {kind: len(_COMMON) + number for number, kind in enumerate(PARTS)}
_FEATURE, _SIGNAL = _PLACE_OF_PART["feature"], _PLACE_OF_PART["signal"]


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
        self._of_kind: dict[type, tuple[int, Callable[[Any], Row]]] = {
            Bar: (_PLACE_OF_PART["bar"], self._bar_part),
            Signal: (_SIGNAL, self._signal_part),
            Alert: (_PLACE_OF_PART["alert"], self._alert_part),
            Rejected: (_PLACE_OF_PART["reject"], self._reject_part),
        }

    def rows(self, records: Iterable[Record]) -> list[Row]:
        """The rows of records in their order; a signal follows the feature row that it was made from, and is put into its row."""
        rows: list[Row] = []
        for record in records:
            if isinstance(record, PricedRow):
                rows.append(_row(record.row.symbol, record.row.position, _FEATURE, self._feature_part(record)))
                continue
            place, part = self._of_kind[type(record)]
            if place == _SIGNAL and rows and rows[-1][_FEATURE] is not None:
                rows[-1][_SIGNAL] = part(record)
            else:
                rows.append(_row(record.symbol, record.position, place, part(record)))
        return rows

    def _feature_part(self, priced: PricedRow) -> Row:
        row, price = priced
        valid = np.packbits(row.valid, bitorder="little").tobytes()
        return Row(
            encode_feature_row(row, self._feature), row.event_time, row.available_time, row.event_number, row.values.tolist(), valid, price,
            row.bar_closed, row.control_version,
        )  # fmt: skip

    def _bar_part(self, bar: Bar) -> Row:
        return Row(
            encode_bar(bar, self._bar), bar.start_time, bar.length_seconds, bar.open, bar.high, bar.low, bar.close, bar.volume,
            bar.notional, bar.trades, bar.signed_volume, bar.available_time,
        )  # fmt: skip

    def _signal_part(self, signal: Signal) -> Row:
        return Row(
            encode_signal(signal, self._signal), signal.signal_id, signal.event_time, signal.available_time, signal.event_number,
            signal.horizon, signal.price, int(signal.direction), signal.confidence, *signal.probabilities, signal.expected_return,
            signal.sigma, _reasons(signal), int(signal.status), int(signal.code), signal.model_version, signal.model_hash,
            signal.feature_hash, signal.control_version,
        )  # fmt: skip

    def _alert_part(self, alert: Alert) -> Row:
        return Row(
            encode_alert(alert, self._alert), alert.alert_id, alert.rule_id, alert.event_time, alert.available_time, alert.event_number,
            alert.measure, alert.threshold, alert.value, alert.signal_id,
        )  # fmt: skip

    def _reject_part(self, rejected: Rejected) -> Row:
        reason, payload = rejected.reason, encode_rejected(rejected, self._rejected)
        return Row(payload, rejected.event_time, rejected.available_time, int(reason), reason.name.lower(), rejected.detail, rejected.raw)


_NO_PARTS: Final = (None,) * len(PARTS)


def _row(symbol: str, position: Position, place: int, part: Row) -> Row:
    row = Row(symbol, position.topic, position.partition, position.offset, position.event_index, *_NO_PARTS)
    row[place] = part
    return row


def _reasons(signal: Signal) -> str:
    if not signal.reasons:
        return "[]"
    reasons = [{"feature": reason.feature, "contribution": reason.contribution, "words": reason.words} for reason in signal.reasons]
    return json.dumps(reasons, ensure_ascii=False, separators=(",", ":"))
