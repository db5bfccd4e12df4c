"""Samples of the metrics in the list, and the small server at which Prometheus asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.monitoring.metrics import METRICS, Kind

LOOPBACK: Final = "127.0.0.1"
DEFAULT_PORT: Final = 9464


class Samples:
    """Numbers of one moment, by metric. A name or a label that is not in the list is a mistake of the program: KeyError, ValueError."""

    def __init__(self) -> None:
        self._families: dict[str, Any] = {}

    def put(self, name: str, value: float, **labels: str) -> None:
        """One number of a gauge or a counter."""
        metric = METRICS[name]
        if set(labels) != set(metric.labels):
            raise ValueError(f"{name} has the labels {metric.labels}, found {sorted(labels)}")
        family = GaugeMetricFamily if metric.kind is Kind.GAUGE else CounterMetricFamily
        found = self._families.setdefault(name, family(name, metric.meaning, labels=metric.labels))
        found.add_metric([labels[label] for label in metric.labels], value)

    def put_histogram(self, name: str, bounds: Sequence[float], counts: Sequence[int], total: float, **labels: str) -> None:
        """A histogram: `counts` of what lies below each of the `bounds` and above the bound before, and of what lies above the last."""
        metric = METRICS[name]
        found = self._families.setdefault(name, HistogramMetricFamily(name, metric.meaning, labels=metric.labels))
        edges, below, buckets = [*map(repr, map(float, bounds)), "+Inf"], 0, []
        for edge, count in zip(edges, counts, strict=True):
            below += count
            buckets.append((edge, below))
        found.add_metric([labels[label] for label in metric.labels], buckets, total)

    def families(self) -> Iterator[Metric]:
        """As Prometheus takes them."""
        yield from self._families.values()


class _Asked(Collector):
    def __init__(self, gather: Callable[[], Samples]) -> None:
        self._gather = gather

    def collect(self) -> Iterable[Metric]:
        return self._gather().families()

    def describe(self) -> Iterable[Metric]:
        """Nothing: a registry would otherwise gather once when it is made."""
        return []


class MetricsServer:
    """Answers `GET /metrics` on a port of its own until it is closed; `gather` is asked each time, from a thread of the server."""

    def __init__(self, gather: Callable[[], Samples], port: int, host: str = LOOPBACK) -> None:
        registry = CollectorRegistry()
        registry.register(_Asked(gather))
        self._server, self._thread = start_http_server(port, host, registry)
        self.port = int(self._server.server_port)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def put_all(samples: Samples, prefix: str, numbers: Mapping[str, float]) -> None:
    """Those of the numbers that are in the list under this prefix, as gauges or counters."""
    for name, value in numbers.items():
        for full in (f"tickflow_{prefix}_{name}", f"tickflow_{prefix}_{name}_total"):
            if full in METRICS and not METRICS[full].labels:
                samples.put(full, value)
