"""Keeps an eye on the job: asks its sources in turns, and has the numbers ready when Prometheus asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from jobs.control_log import no_model
from jobs.gateway.control_follower import ControlLogUnreadable
from jobs.monitoring.exposition import Samples
from jobs.monitoring.flink_numbers import JobNumbers, read_job
from jobs.monitoring.gathering import put_control, put_job, put_signals
from jobs.monitoring.signal_tail import SignalTail
from jobs.monitoring.steering import Steering
from jobs.settings import Settings
from jobs.trading.kafka_sources import KafkaControl
from udfs.codecs.wire import SchemaIds
from udfs.errors import Reason
from udfs.operators.control_state import ControlState

FLINK, SIGNALS, CONTROL = "flink", "signals", "control"
SOURCES: Final = (FLINK, SIGNALS, CONTROL)


class Watch:
    """Reads the job, the signals and the control log. `look` is called by one thread, `samples` by any."""

    def __init__(
        self, settings: Settings, ids: SchemaIds, say: Callable[[str], None] = lambda _: None, steering: Steering | None = None
    ) -> None:
        self._settings, self._say, self._steering = settings, say, steering
        self._tail = SignalTail(settings, ids)
        self._control = KafkaControl(settings)
        self._lock = threading.Lock()
        self.control = ControlState(no_model)
        self.job: JobNumbers | None = None
        self._failed: dict[str, str] = {}
        self._looked_at = time.monotonic()

    def __enter__(self) -> Watch:
        """Raises SignalsUnreadable, ControlLogUnreadable: what was never there is a mistake of whoever starts this."""
        self._tail.__enter__()
        for raw in self._control.begin():
            self.control.read(raw)
        return self

    def __exit__(self, *_: object) -> None:
        self._tail.__exit__()
        self._control.close()

    @property
    def tail(self) -> SignalTail:
        """The signals."""
        return self._tail

    @property
    def failed(self) -> dict[str, str]:
        """Sources that could not be read the last time, and why."""
        return dict(self._failed)

    def look(self) -> None:
        """Read everything once. What cannot be read is said once, and shown as away."""
        self._try(FLINK, self._look_at_job)
        self._try(CONTROL, self._look_at_control)
        self._note(SIGNALS, self._tail.failure)
        if self._steering is not None and CONTROL not in self._failed:
            self._steering.look(self.job, self._tail.mix, self.control.at(self.control.version))
        self._looked_at = time.monotonic()

    def samples(self) -> Samples:
        """The numbers of the last look, and the signals up to now."""
        now = time.time_ns()
        samples = Samples()
        with self._lock:
            job, snapshot = self.job, self.control.at(self.control.version)
            refused = sum(entry.reason is not Reason.MODEL_REFUSED for entry in self.control.refused)
        put_job(samples, job, now // 1_000_000)
        put_signals(samples, self._tail.mix, time.monotonic() - self._tail.read_at, now)
        put_control(samples, snapshot, refused, self._steering.values if self._steering else {})
        for source in SOURCES:
            samples.put("tickflow_watch_source_up", float(source not in self._failed), source=source)
        samples.put("tickflow_watch_age_seconds", time.monotonic() - self._looked_at)
        return samples

    def _look_at_job(self) -> None:
        job = read_job(self._settings.flink.rest_url)
        with self._lock:
            self.job = job

    def _look_at_control(self) -> None:
        entries = self._control.fresh()
        with self._lock:
            for raw in entries:
                self.control.read(raw)

    def _try(self, source: str, act: Callable[[], None]) -> None:
        try:
            act()
        except (OSError, ValueError, KeyError, ControlLogUnreadable) as error:
            if source == FLINK:
                self.job = None
            self._note(source, f"{type(error).__name__}: {error}")
        else:
            self._note(source, "")

    def _note(self, source: str, failure: str) -> None:
        before = self._failed.get(source, "")
        if bool(failure) != bool(before):
            self._say(f"monitor: {source}: {failure or 'there again'}")
        if failure:
            self._failed[source] = failure
        else:
            self._failed.pop(source, None)
