"""Whatever the bytes of a frame, it is taken or rejected with a reason, and the state stays as small as it is."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.control_memory import SYMBOL, frame_of, processor
from tests.support.kernel_events import wild_streams
from tests.support.strategies import damaged, frames
from udfs.codecs.frames import encode_frame
from udfs.codecs.rejects import encode_rejected
from udfs.codecs.signals import encode_signal
from udfs.codecs.state_blob import unpack_state
from udfs.errors import Reason
from udfs.kernels.symbol_state import SYMBOL_STATE
from udfs.records import Position, Rejected, Signal

SOUND = wild_streams(12).map(frame_of)
hostile = st.one_of(
    st.binary(max_size=120),
    damaged(SOUND),
    frames().map(lambda frame: encode_frame(SYMBOL, *frame[1:])),
    damaged(frames().map(lambda frame: encode_frame(SYMBOL, *frame[1:]))),
    SOUND,
)


@given(st.lists(hostile, min_size=1, max_size=8))
@settings(max_examples=120, deadline=None)
def test_whatever_the_bytes_they_are_taken_or_rejected_with_a_reason(stream: list[bytes]) -> None:
    """Law: no exception; a frame that is not taken leaves the state alone; every record that comes out can be written."""
    worker, blob = processor(), None
    for offset, data in enumerate(stream):
        outcome = worker.process(SYMBOL, data, Position("market.frames", 0, offset), blob)
        rejected = [record for record in outcome.records if isinstance(record, Rejected)]
        assert all(record.reason is not Reason.ACCEPTED and record.position.offset == offset for record in rejected)
        for record in outcome.records:
            if isinstance(record, Rejected):
                encode_rejected(record)
            elif isinstance(record, Signal):
                encode_signal(record)
        if outcome.state is None:
            assert outcome.accepted == 0
            assert [record.raw for record in rejected] == [data]
            continue
        blob = outcome.state
        assert len(blob) <= SYMBOL_STATE.itemsize + 16
        assert len(unpack_state(blob, SYMBOL_STATE)[0]) == 1


@given(st.lists(hostile, min_size=1, max_size=4), wild_streams(10))
@settings(max_examples=40, deadline=None)
def test_frames_that_are_not_taken_change_nothing_for_those_that_are(bad: list[bytes], events: list) -> None:  # type: ignore[type-arg]
    """Law: with the refused frames left out, the sound ones give the same bits."""
    worker, other = processor(), processor()
    blob = clean = None
    for offset, data in enumerate([*bad, frame_of(events)]):
        outcome = worker.process(SYMBOL, data, Position("market.frames", 0, offset), blob)
        if outcome.state is not None:
            blob = outcome.state
            clean = other.process(SYMBOL, data, Position("market.frames", 0, offset), clean).state
    assert blob == clean
