"""`infra/tickflow prove`: replay what is stored and compare features and signals with what live wrote, bit for bit."""

from __future__ import annotations

import argparse
import hashlib
import sys
from functools import partial
from pathlib import Path
from typing import Any

from infra.local import paths
from infra.local.console import SetupError, say
from infra.local.flink import JobFailed
from jobs.comparison import TableComparison, compare_table
from jobs.lake.catalog import drop_namespace
from jobs.lake.reading import EVERYTHING
from jobs.recomputation.stored import FrameChanged, Range
from jobs.replaying import start_replay, wait_for_replay
from jobs.session import Session, local_session
from jobs.stored import stored_rows
from jobs.verb_result import USAGE, finish
from udfs.errors import TickflowError

TABLES = ("features", "signals")


def prove(session: Session, timeout_seconds: float, parallelism: int | None = None, keep: bool = False) -> dict[str, Any]:
    """Replay everything and compare. `identical` is true only when there was something to compare. Raises JobFailed, TickflowError."""
    catalog = session.catalog
    if not stored_rows(catalog, "features"):
        raise TickflowError(f"the lake at {session.lake.warehouse} holds no feature rows; run `infra/tickflow demo` or `live` first")
    try:
        replay = start_replay(session.settings, session.lake, catalog, session.endpoints, Range(), parallelism)
    except FrameChanged as error:
        say(f"prove: {error}")
        return {"identical": False, "features": 0, "signals": 0, "digest": "", "difference": error.difference}
    say(f"prove: replaying {replay.frames} frames into {replay.namespace}")
    try:
        wait_for_replay(replay, timeout_seconds)
        say("prove: comparing")
        compared = {table: compare_table(catalog, table, replay.namespace, EVERYTHING) for table in TABLES}
    finally:
        if not keep:
            drop_namespace(catalog, replay.namespace)
    return _result(compared, replay.frames)


def _result(compared: dict[str, TableComparison], frames: int) -> dict[str, Any]:
    digest = hashlib.sha256(b"".join(compared[table].digest.digest() for table in TABLES)).hexdigest()
    differences = [{"table": table, **found.difference} for table, found in compared.items() if found.difference]
    identical = all(found.identical and found.live_rows for found in compared.values())
    counts: dict[str, Any] = {table: found.live_rows for table, found in compared.items()}
    replayed = {f"replayed_{table}": found.replayed_rows for table, found in compared.items()}
    return {"identical": identical, **counts, **replayed, "frames": frames, "digest": digest, "difference": next(iter(differences), None)}


def main(arguments: list[str]) -> int:
    """Run the verb; 0 identical, 1 not, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    codes = {TickflowError: USAGE, JobFailed: USAGE, SetupError: USAGE}
    return finish("prove", options.json, partial(_run, options), _tell, codes, lambda result: bool(result["identical"]))


def _run(options: argparse.Namespace) -> dict[str, Any]:
    with local_session(options.data, options.lake, "replay", max(1, options.parallelism or 1)) as session:
        return prove(session, options.timeout_seconds, options.parallelism, options.keep)


def _tell(result: dict[str, Any]) -> None:
    if result["identical"]:
        print(f"identical: {result['features']} feature rows, {result['signals']} signals, digest {result['digest']}")
    else:
        print(f"NOT identical; the first difference:\n  {result['difference']}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow prove", description=__doc__)
    parser.add_argument("--data", type=Path, default=paths.DATA, metavar="FOLDER", help="data directory (default .tickflow/data)")
    parser.add_argument("--lake", choices=["folder", "s3"], default="folder", help="where the tables lie")
    parser.add_argument("--parallelism", type=int, help="slots of the replay (default: the settings')")
    parser.add_argument("--keep", action="store_true", help="keep the replay's tables")
    parser.add_argument("--timeout-seconds", type=float, default=3600.0)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
