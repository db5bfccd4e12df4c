"""`infra/tickflow monitor`: watch the running job, its signals and its control log, and tell Prometheus."""

from __future__ import annotations

import argparse
import math
import signal
import sys
import threading
import time
from functools import partial
from typing import Any

from infra.local.console import say
from jobs.control_verbs import add_common_options, control_settings, publish_all
from jobs.monitoring.exposition import DEFAULT_PORT, LOOPBACK, MetricsServer
from jobs.monitoring.steering import Steering
from jobs.monitoring.watching import Watch
from jobs.schema_registry import schema_ids
from jobs.verb_result import USAGE, finish
from udfs.errors import TickflowError


def main(arguments: list[str]) -> int:
    """Run the verb; 0 after a clean end, 2 usage or environment."""
    chosen = _parser().parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return finish("monitor", chosen.json, lambda: watch(chosen, stopped), _tell, {TickflowError: USAGE, OSError: USAGE})


def watch(chosen: argparse.Namespace, stopped: threading.Event) -> dict[str, Any]:
    """Watch until the end; what was seen. Raises TickflowError where a topic is missing, OSError where the port is taken."""
    settings = control_settings(chosen.settings, chosen.data)
    ends = time.monotonic() + chosen.seconds
    steering = Steering(partial(publish_all, settings=settings), say) if chosen.breakers else None
    with Watch(settings, schema_ids(settings.schema_registry_url), say, steering) as found:
        server = MetricsServer(found.samples, chosen.port, chosen.host)
        say(f"monitor: http://{chosen.host}:{server.port}/metrics")
        try:
            while not stopped.is_set() and time.monotonic() < ends:
                found.look()
                stopped.wait(min(chosen.interval_seconds, max(0.0, ends - time.monotonic())))
        finally:
            server.close()
    job = found.job
    signals = sum(found.tail.mix.codes.values())
    return {"job": job.job_id if job else None, "signals": signals, "control_version": found.control.version, "failed": found.failed}


def _tell(result: dict[str, Any]) -> None:
    print("\n".join(f"{name:<16} {value}" for name, value in result.items()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow monitor", description="Watch the running job, and tell Prometheus.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"where Prometheus asks (default {DEFAULT_PORT}; 0: a free one)")
    parser.add_argument("--host", default=LOOPBACK, help=f"address to listen on (default {LOOPBACK}: this machine alone)")
    parser.add_argument("--breakers", action="store_true", help="also open and close breakers for everything, in the control log; run one")
    parser.add_argument("--interval-seconds", type=float, default=5.0, help="how often Flink is asked (default 5)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="how long (default: until stopped)")
    add_common_options(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
