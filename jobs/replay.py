"""`infra/tickflow replay`: run stored history through the same job, into tables of its own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.local import paths
from infra.local.console import SetupError, print_json, say
from infra.local.flink import JobFailed
from jobs.replaying import Range, start_replay, wait_for_replay
from jobs.session import local_session
from jobs.stored import stored_rows
from jobs.time_arguments import parse_time
from udfs.errors import TickflowError

TABLES = ("features", "bars", "signals", "alerts", "rejects")


def main(arguments: list[str]) -> int:
    """Run the verb; 0 replayed, 1 failed, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    symbols = tuple(options.symbols.split(",")) if options.symbols else ()
    try:
        with local_session(options.data, options.lake, "replay", max(1, options.parallelism or 1)) as session:
            catalog = session.catalog
            wanted = Range(options.from_time, options.to_time, symbols)
            replay = start_replay(session.settings, session.lake, catalog, session.endpoints, wanted, options.parallelism)
            say(f"replay: {replay.frames} frames into namespace {replay.namespace}")
            wait_for_replay(replay, options.timeout_seconds)
            counts = {table: stored_rows(catalog, table, replay.namespace) for table in TABLES}
    except (TickflowError, JobFailed, SetupError) as error:
        say(f"replay: {error}")
        return 1 if isinstance(error, JobFailed) else 2
    result = {"namespace": replay.namespace, "manifest_id": replay.job.plan.manifest_id, "frames": replay.frames, **counts}
    if options.json:
        print_json(result)
    else:
        print("\n".join(f"{name:<12} {value}" for name, value in result.items()))
    return 0


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
