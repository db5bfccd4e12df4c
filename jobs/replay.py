"""`infra/tickflow replay`: run stored history through the same job, into tables of its own."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import Any

from infra.local import paths
from infra.local.console import SetupError, say
from infra.local.flink import JobFailed
from jobs.recomputation.stored import Range
from jobs.replaying import start_replay, wait_for_replay
from jobs.session import local_session
from jobs.stored import stored_rows
from jobs.time_arguments import parse_time
from jobs.verb_result import NOT_HELD, USAGE, finish
from udfs.errors import TickflowError

TABLES = ("features", "bars", "signals", "alerts", "rejects")


def main(arguments: list[str]) -> int:
    """Run the verb; 0 replayed, 1 failed, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    return finish("replay", options.json, partial(_run, options), _tell, {TickflowError: USAGE, SetupError: USAGE, JobFailed: NOT_HELD})


def _run(options: argparse.Namespace) -> dict[str, Any]:
    wanted = Range(options.from_time, options.to_time, tuple(options.symbols.split(",")) if options.symbols else ())
    with local_session(options.data, options.lake, "replay", max(1, options.parallelism or 1)) as session:
        catalog = session.catalog
        replay = start_replay(session.settings, session.lake, catalog, session.endpoints, wanted, options.parallelism)
        say(f"replay: {replay.frames} frames into namespace {replay.namespace}")
        wait_for_replay(replay, options.timeout_seconds)
        counts = {table: stored_rows(catalog, table, replay.namespace) for table in TABLES}
        return {"namespace": replay.namespace, "manifest_id": replay.job.plan.manifest_id, "frames": replay.frames, **counts}


def _tell(result: dict[str, Any]) -> None:
    print("\n".join(f"{name:<12} {value}" for name, value in result.items()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow replay", description=__doc__)
    parser.add_argument("--from", dest="from_time", type=parse_time, metavar="TIME", help="first event time that is kept, ISO 8601, UTC")
    parser.add_argument("--to", dest="to_time", type=parse_time, metavar="TIME", help="event time to stop before")
    parser.add_argument("--symbols", default="", help="comma-separated; all when not given")
    parser.add_argument("--data", type=Path, default=paths.DATA, metavar="FOLDER", help="data directory (default .tickflow/data)")
    parser.add_argument("--lake", choices=["folder", "s3"], default="folder", help="where the tables lie")
    parser.add_argument("--parallelism", type=int, help="slots of the replay (default: the settings')")
    parser.add_argument("--timeout-seconds", type=float, default=3600.0)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
