"""`infra/tickflow status`: what runs for a data directory, since when, where its log is."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil

from infra.local import flink, paths, processes
from infra.local.console import print_json
from infra.local.endpoints import Lake
from infra.local.processes import Program
from infra.local.services import Services


def describe(program: Program) -> dict[str, object]:
    """One program for `--json`: memory in megabytes, start as ISO 8601 in UTC."""
    resident = psutil.Process(program.pid).memory_info().rss
    since = datetime.fromtimestamp(program.started, UTC).isoformat(timespec="seconds")
    return {"name": program.name, "pid": program.pid, "since": since, "resident_megabytes": round(resident / 1e6), "log": program.log}


def gather(data_directory: Path) -> dict[str, object]:
    """Everything there is to say about a data directory."""
    programs = processes.load(data_directory / "run" / "processes.json")
    if not programs:
        return {"running": [], "jobs": [], "endpoints": None}
    lake: Lake = "s3" if any(program.name == "s3" for program in programs) else "folder"
    endpoints = Services(data_directory, lake).endpoints
    return {
        "running": [describe(program) for program in programs],
        "jobs": flink.jobs(endpoints.flink_rest_url),
        "endpoints": endpoints.as_json(),
    }


def show(status: dict[str, object]) -> None:
    """Print for a person."""
    running = status["running"]
    assert isinstance(running, list)
    for program in running:
        print("{name:<20} pid {pid:<8} since {since}  {resident_megabytes:>5} MB  {log}".format(**program))
    jobs = status["jobs"]
    assert isinstance(jobs, list)
    for job in jobs:
        print(f"job {job['id']} {job['state']:<10} {job['name']}")
    if not running:
        print("nothing runs; `infra/tickflow up` starts the services")


def main(arguments: list[str]) -> int:
    """Entry point of the verb. Exit code 1 when nothing runs."""
    parser = argparse.ArgumentParser(prog="infra/tickflow status", description="Show what runs, where, and since when.")
    parser.add_argument("--data", type=Path, default=paths.DATA, metavar="FOLDER", help="data directory (default .tickflow/data)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    status = gather(chosen.data.resolve())
    if chosen.json:
        print_json(status)
    else:
        show(status)
    return 0 if status["running"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
