"""Laws that hold for every record's codec; a codec joins by standing in the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import strategies
from tests.support.bits import bits
from udfs.codecs.control import decode_control, encode_control
from udfs.codecs.generated.feature_row_pb2 import FeatureRow as RowMessage
from udfs.codecs.generated.signal_pb2 import Signal as SignalMessage
from udfs.codecs.messages import LARGEST_MESSAGE_BYTES
from udfs.codecs.news import decode_news, encode_news
from udfs.codecs.rejects import decode_rejected, encode_rejected
from udfs.codecs.rows import decode_bar, decode_feature_row, encode_bar, encode_feature_row
from udfs.codecs.signals import decode_alert, decode_signal, encode_alert, encode_signal
from udfs.codecs.wire import PINNED_IDS, prefix
from udfs.errors import MalformedMessage, Reason
from udfs.records import FeatureRow, Position, Rejected


class Codec(NamedTuple):
    """A record's codec and what to try it on."""

    records: st.SearchStrategy[Any]
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]


CODECS = {
    "FeatureRow": Codec(strategies.feature_rows(), encode_feature_row, decode_feature_row),
    "Bar": Codec(strategies.BARS, encode_bar, decode_bar),
    "Signal": Codec(strategies.SIGNALS, encode_signal, decode_signal),
    "Alert": Codec(strategies.ALERTS, encode_alert, decode_alert),
    "Rejected": Codec(strategies.REJECTED, encode_rejected, decode_rejected),
    "NewsItem": Codec(strategies.NEWS, encode_news, decode_news),
    "ControlEvent": Codec(strategies.control_events(), encode_control, decode_control),
}
every_codec = pytest.mark.parametrize("name", list(CODECS))


def refusal(decode: Callable[[bytes], Any], data: bytes) -> MalformedMessage:
    with pytest.raises(MalformedMessage) as caught:
        decode(data)
    return caught.value


def test_every_message_has_a_codec() -> None:
    assert {"MarketFrame", *CODECS} == set(PINNED_IDS)


@every_codec
@given(data=st.data())
def test_decoding_gives_back_every_bit(name: str, data: st.DataObject) -> None:
    """decode(encode(record)) == record, NaN payloads and the sign of zero included; equal records are equal bytes."""
    codec = CODECS[name]
    record = data.draw(codec.records)
    encoded = codec.encode(record)
    decoded = codec.decode(encoded)
    assert bits(decoded) == bits(record)
    assert codec.encode(decoded) == encoded


@every_codec
@given(data=st.data())
def test_damaged_bytes_are_refused_or_decoded_to_a_sound_record(name: str, data: st.DataObject) -> None:
    """Nothing but MalformedMessage comes out, and what passes can be encoded."""
    codec = CODECS[name]
    damaged = data.draw(strategies.damaged(codec.records.map(codec.encode)))
    try:
        record = codec.decode(damaged)
    except MalformedMessage:
        return
    assert bits(codec.decode(codec.encode(record))) == bits(record)


@every_codec
@given(body=st.binary(max_size=120), framed=st.booleans())
def test_random_bytes_raise_nothing_else(name: str, body: bytes, framed: bool) -> None:
    """The decoders are total."""
    try:
        CODECS[name].decode(prefix(PINNED_IDS[name]) + body if framed else body)
    except MalformedMessage:
        return


@every_codec
def test_another_message_or_size_is_refused(name: str) -> None:
    decode = CODECS[name].decode
    assert refusal(decode, prefix(1)).reason == Reason.UNKNOWN_SCHEMA
    assert refusal(decode, prefix(PINNED_IDS[name]) + bytes(LARGEST_MESSAGE_BYTES)).reason == Reason.FRAME_TOO_LARGE


ROW = FeatureRow("A", 1, 2, 3, "set", np.zeros(9, np.float32), np.ones(9, np.bool_), True, 0, Position("t", 0, 0), "m")


def test_a_feature_row_needs_as_many_marks_as_values() -> None:
    for values, valid in ((bytes(36), bytes(1)), (bytes(36), bytes(3)), (bytes(35), bytes(2)), (b"", bytes(1))):
        data = prefix(PINNED_IDS["FeatureRow"]) + RowMessage(values=values, valid=valid).SerializeToString()
        assert refusal(decode_feature_row, data).reason == Reason.COLUMN_LENGTH
    with pytest.raises(ValueError, match="expected"):
        encode_feature_row(FeatureRow("A", 1, 2, 3, "", np.zeros(9, np.float32), np.ones(8, np.bool_), True, 0, Position("", 0, 0), ""))


def test_a_feature_row_takes_bits_not_bytes_for_its_marks() -> None:
    """88 features cost 352 bytes of values and 11 of marks."""
    message = RowMessage.FromString(encode_feature_row(ROW)[6:])
    assert (len(message.values), message.valid) == (36, b"\xff\x01")


@pytest.mark.parametrize(("field", "number"), [("direction", 7), ("status", 0), ("code", 200)])
def test_numbers_that_nobody_knows_are_refused(field: str, number: int) -> None:
    message = SignalMessage(status=SignalMessage.OK)
    setattr(message, field, number)
    error = refusal(decode_signal, prefix(PINNED_IDS["Signal"]) + message.SerializeToString())
    assert f"{field} is {number}" in error.detail


def test_rejects_name_their_reason_for_readers_without_this_code() -> None:
    data = encode_rejected(Rejected("A", Reason.CROSSED_BOOK, "", 0, 0, b"", Position("t", 0, 0), "m"))
    assert b"crossed_book" in data
