"""`infra/tickflow bench`: measure the running system."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

from infra.local import paths
from infra.local.console import SetupError, print_json, say
from infra.local.flink import JobFailed
from jobs.benchmark.latency import measure
from jobs.benchmark.load import Load
from udfs.errors import TickflowError


def main(arguments: list[str]) -> int:
    """Run the verb; 0 measured, 1 the job failed, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    shutil.rmtree(options.data, ignore_errors=True)
    load = Load(options.rate, options.seconds, options.symbols, options.maximum_events, options.packing_milliseconds)
    try:
        result = measure(options.data, load, options.warm_up_seconds)
    except (TickflowError, SetupError) as error:
        say(f"bench: {error}")
        return 2
    except JobFailed as error:
        say(f"bench: {error}")
        return 1
    if options.json:
        print_json(result)
    else:
        print(_table(result))
    return 0


def _table(result: dict[str, Any]) -> str:
    offered = f"{result['rate_offered']:.0f} ticks/s offered, {result['signals_a_second']:.0f} signals/s, {result['symbols']} symbols"
    latencies = "\n".join(f"  {name:<6} {value:>9.2f} ms" for name, value in (result["milliseconds"] or {}).items())
    return f"event to signal, {offered}\n{latencies}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow bench", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    latency = kinds.add_parser("latency", help="event to signal through the broker, under a steady load")
    latency.add_argument("--rate", type=float, default=5000.0, help="events a second over all symbols (default 5000)")
    latency.add_argument("--seconds", type=float, default=60.0, help="measured time, after a warm-up (default 60)")
    latency.add_argument("--symbols", type=int, default=10, help="symbols that share the load (default 10)")
    latency.add_argument("--maximum-events", type=int, default=32, help="events in a frame at most (default 32)")
    latency.add_argument("--packing-milliseconds", type=float, default=4.0, help="frames leave at the multiples of this (default 4)")
    latency.add_argument(
        "--warm-up-seconds", type=float, default=90.0, help="the same load before it counts: the JVM compiles what it runs"
    )
    latency.add_argument("--data", type=Path, default=paths.HOME / "bench", metavar="FOLDER", help="data directory, emptied first")
    latency.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
