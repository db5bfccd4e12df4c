"""`infra/tickflow demo`: start everything, stream a market through it, train a model on the way, and watch signals appear."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from infra.local import paths, processes
from infra.local.console import SetupError
from infra.local.flink import JobFailed
from jobs.demonstration.running import DemoOptions, next_steps, run_demo
from jobs.demonstration.stretches import recorded, simulated
from jobs.gateway.pacing import MAXIMUM_SPEED
from jobs.session import local_session
from jobs.verb_result import NOT_HELD, USAGE, finish
from udfs.errors import InvalidSettings, TickflowError


def main(arguments: list[str]) -> int:
    """Run the verb; 0 shown, 1 the job failed, 2 usage or environment."""
    started = time.monotonic()
    options = _parser().parse_args(arguments)
    codes = {TickflowError: USAGE, SetupError: USAGE, JobFailed: NOT_HELD}
    return finish("demo", options.json, partial(_run, options, started), partial(_tell, data=options.data), codes)


def _run(options: argparse.Namespace, started: float) -> dict[str, Any]:
    _clear(options.data)
    prepare = _source(options)
    with local_session(options.data, options.lake, taskmanagers=1) as session:
        return run_demo(session, prepare, DemoOptions(options.speed, not options.json), started)


def _clear(data: Path) -> None:
    """A demo starts from nothing; it never touches a data directory whose services run."""
    if processes.load(data / "run" / "processes.json"):
        raise InvalidSettings(f"services run on {data}; `infra/tickflow down` stops them, or choose another --data folder")
    shutil.rmtree(data, ignore_errors=True)


def _source(options: argparse.Namespace) -> partial:  # type: ignore[type-arg]
    if options.source is not None:
        if not options.source.exists():
            raise InvalidSettings(f"--source {options.source}: there is no such file or folder")
        return partial(recorded, options.source, options.seconds, options.speed)
    return partial(simulated, options.symbols, options.ticks_per_second, options.seconds or 60.0, options.seed)


def _tell(counts: dict[str, Any], data: Path) -> None:
    width = max(map(len, counts))
    for name, value in counts.items():
        if name != "model":
            print(f"{name:<{width}}  {value}")
    print(next_steps(data))


def _speed(text: str) -> float:
    speed = MAXIMUM_SPEED if text == "max" else float(text)
    if not speed > 0:
        raise ValueError(f"speed must be above 0, found {text}")
    return speed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow demo", description=__doc__)
    parser.add_argument("--seconds", type=float, help="how long to watch (default 60; recorded sources: to their end)")
    parser.add_argument("--source", type=Path, metavar="PATH", help="recorded market data instead of the simulated market")
    parser.add_argument("--speed", type=_speed, default=1.0, help="times real time while watching, or max (default 1)")
    parser.add_argument("--symbols", type=int, default=10, help="symbols of the simulated market")
    parser.add_argument("--ticks-per-second", type=float, default=40.0, help="events a second of the simulated market, all symbols")
    parser.add_argument("--seed", type=int, default=7, help="of the simulated market")
    parser.add_argument("--lake", choices=["folder", "s3"], default="folder", help="where tables lie: a folder, or an embedded S3 server")
    parser.add_argument(
        "--data", type=Path, default=paths.DATA, metavar="FOLDER", help="data directory, emptied first (default .tickflow/data)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line, nothing to watch")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
