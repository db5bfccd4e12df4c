"""Bytewax over Tickflow's own frames and kernels: the same wire and the same work, without scoring, lake and online store."""

from __future__ import annotations

from collections.abc import Iterable

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow

from jobs.benchmark.peers.wiring import BROKERS, ROWS, TICKS
from udfs.codecs.frames import PINNED_FRAMING
from udfs.codecs.plain_frames import PlainFrameReader
from udfs.codecs.state_blob import pack_state, unpack_state
from udfs.kernels.advance import advance, warm_up
from udfs.kernels.kernel_settings import KernelSettings
from udfs.kernels.symbol_state import SYMBOL_STATE, new_state

_SETTINGS = KernelSettings()
_READER = PlainFrameReader(PINNED_FRAMING)
warm_up()


def _advanced(blob: bytes | None, item: tuple[bytes, bytes]) -> tuple[bytes, Iterable[bytes]]:
    frame = _READER.read(*item)
    if frame is None:
        raise ValueError("the frame is not plain")
    state = unpack_state(blob, SYMBOL_STATE)[0] if blob else new_state()
    result = advance(state, frame.columns, _SETTINGS, frame.events)
    return pack_state(state), [values.tobytes() for values in result.row_values]


flow = Dataflow("frames")
frames = kop.input("frames", flow, brokers=[BROKERS], topics=[TICKS])
keyed = op.map("key", frames.oks, lambda message: (message.key.decode(), (message.key, message.value)))
rows = op.stateful_flat_map("advance", keyed, _advanced)
messages = op.map("encode", rows, lambda item: KafkaSinkMessage(item[0].encode(), item[1]))
kop.output("rows", messages, brokers=[BROKERS], topic=ROWS)
