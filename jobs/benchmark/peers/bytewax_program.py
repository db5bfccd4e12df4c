"""Bytewax: a stateful map, with recovery."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow

from jobs.benchmark.peers.task import take
from jobs.benchmark.peers.wiring import BROKERS, ROWS, TICKS


def _summarised(state: dict[str, Any] | None, tick: dict[str, Any]) -> tuple[dict[str, Any], Iterable[dict[str, Any]]]:
    state, row = take(state, tick)
    return state, () if row is None else (row,)


flow = Dataflow("ticks")
ticks = kop.input("ticks", flow, brokers=[BROKERS], topics=[TICKS])
parsed = op.map("parse", ticks.oks, lambda message: (message.key.decode(), orjson.loads(message.value)))
rows = op.stateful_flat_map("summarise", parsed, _summarised)
messages = op.map("encode", rows, lambda item: KafkaSinkMessage(item[0].encode(), orjson.dumps(item[1])))
kop.output("rows", messages, brokers=[BROKERS], topic=ROWS)
