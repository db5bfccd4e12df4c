"""The one Python operator of the stream: frames of a symbol in, rows of features, bars, signals, alerts and rejects out."""

from __future__ import annotations

import time

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ValueStateDescriptor

from udfs.kernels.advance import warm_up
from udfs.operators.control_log import shared_control_log
from udfs.operators.control_state import FetchModel
from udfs.operators.job_counters import JobCounters
from udfs.operators.output_rows import OutputRows
from udfs.operators.symbol_processor import SymbolProcessor
from udfs.operators.worker_settings import WorkerSettings
from udfs.records import Position

STATE_NAME = "symbol-state"
"""Name of the keyed state in savepoints: never change it."""


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
        self._counters = JobCounters(runtime_context.get_metrics_group())

    def process_element(self, value: Row, context: KeyedProcessFunction.Context) -> list[Row]:
        """One frame. The stopwatch of a few of them tells people how long frames take; no result sees it."""
        symbol, frame, topic, partition, offset = value[0], value[1], value[2], value[3], value[4]
        begun = time.perf_counter_ns() if self._counters.is_sampled() else 0
        outcome = self._processor.process(symbol, frame, Position(topic, partition, offset), self._state.value())
        if outcome.state is not None:
            self._state.update(outcome.state)
        rows = self._rows.rows(outcome.records)
        self._counters.count(outcome)
        if begun:
            self._counters.count_time(time.perf_counter_ns() - begun, bool(rows))
        return rows
