"""The numbers of the programs beside the stream, for Prometheus, where a port is given."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from jobs.monitoring.exposition import LOOPBACK, MetricsServer, Samples, put_all

if TYPE_CHECKING:
    from jobs.gateway.counts import GatewayCounts
    from jobs.serving.online_store import OnlineCounts


def add_metrics_options(parser: argparse.ArgumentParser) -> None:
    """Where Prometheus may ask."""
    parser.add_argument("--metrics-port", type=int, metavar="PORT", help="answer Prometheus there (default: nowhere)")
    parser.add_argument("--metrics-host", default=LOOPBACK, metavar="HOST", help=f"address to listen on (default {LOOPBACK})")


@contextmanager
def metrics_served(chosen: argparse.Namespace, gather: Callable[[], Samples]) -> Iterator[None]:
    """Answer Prometheus inside the block, where a port was given. Raises OSError where it is taken."""
    server = None if chosen.metrics_port is None else MetricsServer(gather, chosen.metrics_port, chosen.metrics_host)
    try:
        yield
    finally:
        if server is not None:
            server.close()


def gateway_samples(counts: GatewayCounts) -> Samples:
    """The gateway's numbers."""
    samples = Samples()
    put_all(samples, "gateway", {name: value for name, value in counts.as_json().items() if isinstance(value, int | float)})
    for kind, count in counts.events_by_kind.items():
        samples.put("tickflow_gateway_events_total", count, kind=kind)
    for reason, count in counts.rejected_by_reason.items():
        samples.put("tickflow_gateway_rejected_lines_total", count, reason=reason)
    return samples


def online_samples(counts: OnlineCounts) -> Samples:
    """The online store's numbers."""
    samples = Samples()
    put_all(samples, "online", asdict(counts))
    return samples
