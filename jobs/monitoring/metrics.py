"""Every metric that Tickflow's own programs give to Prometheus: the only list of them. Rules, dashboards and README use these names."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from udfs.operators.job_counters import COUNTERS


class Kind(Enum):
    """How the numbers of a metric go on."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """One metric."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()


MONITOR: Final = "monitor"
"""`infra/tickflow monitor`: the job, its topics and its control log."""
GATEWAY: Final = "gateway"
ONLINE_STORE: Final = "online store"


def _gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"tickflow_{name}", Kind.GAUGE, meaning, labels)


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"tickflow_{name}_total", Kind.COUNTER, meaning, labels)


def _histogram(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"tickflow_{name}", Kind.HISTOGRAM, meaning, labels)


_JOB: Final = (
    _gauge("job_running", "1 while every task of the job runs, else 0"),
    _counter("job_restarts", "restarts of the job since it was submitted"),
    *(_counter(f"job_{name}", meaning) for name, meaning in COUNTERS.items()),
    _counter("job_refused_events", "events and frames that were not used, late ones and duplicates included", "reason"),
    _histogram("job_frame_seconds", "time from a frame's bytes to its rows, of one frame in 64; `nothing`: kernels alone", "made"),
    _gauge("job_pending_frames", "frames in the log that the job has not read yet"),
    _gauge("job_busy_share", "share of its time that the market operator works, of its busiest task"),
    _gauge("job_backpressured_share", "share of its time that the market operator waits for the sinks, of its most patient task"),
    _counter("job_checkpoints", "checkpoints that were completed"),
    _counter("job_failed_checkpoints", "checkpoints that failed"),
    _gauge("job_checkpoint_age_seconds", "time since the last completed checkpoint was triggered"),
    _gauge("job_checkpoint_seconds", "how long the last completed checkpoint took"),
    _gauge("job_state_bytes", "size of the last completed checkpoint"),
    _counter("job_sink_errors", "records that a Kafka sink could not write", "sink"),
)
_SIGNALS: Final = (
    _counter("signals", "signals read from their topic", "status", "direction"),
    _counter("signal_codes", "the same by what they say is wrong; `none` where nothing is", "code"),
    _histogram("signal_seconds", "from the moment at which the gateway had an event to the moment at which its signal was read"),
    _gauge("last_signal_age_seconds", "time since a signal was read last; since the program started where there was none"),
    _gauge("watched_symbols", "symbols with a signal in the last minute of the signals' own time"),
    _gauge("watermark_age_seconds", "how far the newest signal's event lies behind this machine's clock"),
    _counter("unexplained_signals", "usable signals with a direction and without reasons, which were shed"),
    _gauge("model_info", "1 for the model of the newest signal", "version", "hash"),
)
_CONTROL: Final = (
    _gauge("control_version", "last entry of the control log"),
    _gauge("control_refused", "entries of the control log that no worker applies"),
    _gauge("trading_state", "what people allow for every symbol that is not named: 1 active, 2 reducing, 3 halted"),
    _gauge("breaker_state", "what a breaker of the watch allows for everything: 1 closed, 2 reducing, 3 halted", "breaker"),
    _gauge("breaker_value", "what a breaker looks at; only with `--breakers`", "breaker"),
    _gauge("shed_level", "work that is left out: 0 nothing, 1 online writes of features, 2 also reasons of signals"),
    _gauge("symbols_held", "symbols for which people allow less, by name", "state"),
)
_OWN: Final = (
    _gauge("watch_source_up", "1 where a source of these metrics could be read the last time, else 0", "source"),
    _gauge("watch_age_seconds", "age of these metrics"),
)
_GATEWAY: Final = (
    _counter("gateway_messages", "items that the source yielded"),
    _counter("gateway_events", "events that left in frames", "kind"),
    _counter("gateway_frames", "frames sent"),
    _counter("gateway_bytes", "bytes of the frames"),
    _counter("gateway_rejected_lines", "lines of the source that could not be read", "reason"),
    _counter("gateway_blocked_seconds", "time spent waiting for the broker because the buffer was full"),
    _counter("gateway_delivered_records", "records that the broker acknowledged"),
    _gauge("gateway_control_version", "control version stamped on the last frame"),
    _gauge("gateway_symbols", "symbols seen"),
)
_ONLINE: Final = (
    _counter("online_records", "records read, those that were read again included"),
    _counter("online_written", "records written to Redis"),
    _counter("online_superseded", "records not written: a newer one of the symbol was in the same batch"),
    _counter("online_stale", "records not written: Redis had a newer one"),
    _counter("online_shed", "feature rows not written because of load shedding"),
    _counter("online_malformed", "records that could not be read"),
    _counter("online_wipes", "times that Redis was found emptied"),
    _counter("online_outages", "times that Redis or Kafka was away"),
)
METRICS_OF: Final[Mapping[str, tuple[Metric, ...]]] = {
    MONITOR: (*_JOB, *_SIGNALS, *_CONTROL, *_OWN),
    GATEWAY: _GATEWAY,
    ONLINE_STORE: _ONLINE,
}
"""Program -> its metrics."""
METRICS: Final[Mapping[str, Metric]] = {metric.name: metric for found in METRICS_OF.values() for metric in found}
