"""The one Python operator of the stream: frames of a symbol in, rows of features, bars, signals, alerts and rejects out."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ValueStateDescriptor

from udfs.errors import Reason
from udfs.kernels.advance import warm_up
from udfs.operators.control_log import shared_control_log
from udfs.operators.control_state import FetchModel
from udfs.operators.output_rows import OutputRows
from udfs.operators.symbol_processor import Outcome, PricedRow, SymbolProcessor
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import Alert, Bar, Position, Rejected, Signal

STATE_NAME = "symbol-state"
"""Name of the keyed state in savepoints: never change it."""
_COUNTER_OF = {PricedRow: "feature_rows", Bar: "bars", Signal: "signals", Alert: "alerts"}
COUNTERS = ("frames", "accepted_events", "feature_rows", "bars", "signals", "alerts", "late_events", "duplicate_events", "rejected")
"""Names of the operator's counters, in the metric group of the task."""


class MarketFunction(KeyedProcessFunction):
    """Input: ROW(symbol, frame, topic, partition, offset), keyed by symbol in the JVM. State: one versioned blob a symbol, no timers."""

    def __init__(self, settings: WorkerSettings, fetch_model: FetchModel) -> None:
        self._settings = settings
        self._fetch_model = fetch_model

    def open(self, runtime_context: RuntimeContext) -> None:
        """Bind state and counters; compiled kernels and connections belong to the process and survive a restart of the task."""
        warm_up()
        settings = self._settings
        control = shared_control_log(settings.control, settings.manifest_id, self._fetch_model)
        self._processor = SymbolProcessor(settings, control)
        self._rows = OutputRows(settings.schema_ids)
        self._state = runtime_context.get_state(ValueStateDescriptor(STATE_NAME, Types.PICKLED_BYTE_ARRAY()))
        group = runtime_context.get_metrics_group()
        self._counters = {name: group.counter(name) for name in COUNTERS}

    def process_element(self, value: Row, context: KeyedProcessFunction.Context) -> list[Row]:
        """One frame."""
        symbol, frame, topic, partition, offset = value[0], value[1], value[2], value[3], value[4]
        outcome = self._processor.process(symbol, frame, Position(topic, partition, offset), self._state.value())
        if outcome.state is not None:
            self._state.update(outcome.state)
        self._count(outcome)
        return self._rows.rows(outcome.records)

    def _count(self, outcome: Outcome) -> None:
        counters = self._counters
        counters["frames"].inc()
        counters["accepted_events"].inc(outcome.accepted)
        if outcome.records:
            for name, count in Counter(map(_counter_name, outcome.records)).items():
                counters[name].inc(count)


def _counter_name(record: Any) -> str:
    if type(record) is not Rejected:
        return _COUNTER_OF[type(record)]
    return {Reason.LATE: "late_events", Reason.DUPLICATE: "duplicate_events"}.get(record.reason, "rejected")
