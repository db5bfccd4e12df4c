"""Feature rows and bars on the wire."""

from __future__ import annotations

from typing import Final

import numpy as np

from udfs.codecs.generated.bar_pb2 import Bar as BarMessage
from udfs.codecs.generated.feature_row_pb2 import FeatureRow as RowMessage
from udfs.codecs.messages import parse, position_fields, position_of
from udfs.codecs.wire import PINNED, MessageFraming
from udfs.errors import MalformedMessage, Reason
from udfs.records import Bar, FeatureRow

ROW_FRAMING: Final = PINNED.framing("FeatureRow")
BAR_FRAMING: Final = PINNED.framing("Bar")
_F32: Final = np.dtype("<f4")


def encode_feature_row(row: FeatureRow, framing: MessageFraming = ROW_FRAMING) -> bytes:
    """A feature row as bytes. Raises ValueError where `values` and `valid` are not two vectors of one length."""
    if row.values.ndim != 1 or row.values.shape != row.valid.shape:
        raise ValueError(f"feature row of {row.symbol}: values {row.values.shape} and valid {row.valid.shape}; expected (features,) twice")
    message = RowMessage(
        symbol=row.symbol,
        event_time=row.event_time,
        available_time=row.available_time,
        event_number=row.event_number,
        feature_set=row.feature_set,
        values=row.values.astype(_F32, copy=False).tobytes(),
        valid=np.packbits(row.valid, bitorder="little").tobytes(),
        bar_closed=row.bar_closed,
        control_version=row.control_version,
        manifest_id=row.manifest_id,
        **position_fields(row.position),
    )
    return framing.frame(message.SerializeToString())


def decode_feature_row(data: bytes, framing: MessageFraming = ROW_FRAMING) -> FeatureRow:
    """Bytes to a feature row; `values` is a read-only view. Raises MalformedMessage and nothing else, whatever the bytes."""
    message = parse(RowMessage.FromString, data, framing)
    features, rest = divmod(len(message.values), _F32.itemsize)
    if rest or len(message.valid) != (features + 7) // 8:
        raise MalformedMessage(Reason.COLUMN_LENGTH, f"values of {len(message.values)} bytes do not go with valid of {len(message.valid)}")
    return FeatureRow(
        symbol=message.symbol,
        event_time=message.event_time,
        available_time=message.available_time,
        event_number=message.event_number,
        feature_set=message.feature_set,
        values=np.frombuffer(message.values, _F32),
        valid=np.unpackbits(np.frombuffer(message.valid, np.uint8), count=features, bitorder="little").view(np.bool_),
        bar_closed=message.bar_closed,
        control_version=message.control_version,
        position=position_of(message),
        manifest_id=message.manifest_id,
    )


def encode_bar(bar: Bar, framing: MessageFraming = BAR_FRAMING) -> bytes:
    """A bar as bytes."""
    message = BarMessage(
        symbol=bar.symbol,
        start_time=bar.start_time,
        length_seconds=bar.length_seconds,
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        notional=bar.notional,
        trades=bar.trades,
        signed_volume=bar.signed_volume,
        available_time=bar.available_time,
        manifest_id=bar.manifest_id,
        **position_fields(bar.position),
    )
    return framing.frame(message.SerializeToString())


def decode_bar(data: bytes, framing: MessageFraming = BAR_FRAMING) -> Bar:
    """Bytes to a bar. Raises MalformedMessage and nothing else, whatever the bytes."""
    message = parse(BarMessage.FromString, data, framing)
    return Bar(
        symbol=message.symbol,
        start_time=message.start_time,
        length_seconds=message.length_seconds,
        open=message.open,
        high=message.high,
        low=message.low,
        close=message.close,
        volume=message.volume,
        notional=message.notional,
        trades=message.trades,
        signed_volume=message.signed_volume,
        available_time=message.available_time,
        position=position_of(message),
        manifest_id=message.manifest_id,
    )
