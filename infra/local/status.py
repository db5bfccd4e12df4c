"""`infra/tickflow status`: what runs for a data directory, since when, where its log is; and whether the job is well."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import psutil

from infra.local import flink, paths, processes
from infra.local.console import print_json, say
from infra.local.endpoints import Lake, existing
from infra.local.processes import Program
from infra.local.services import Services
from jobs.control_verbs import control_settings
from jobs.monitoring.health import Health, described, read_health
from udfs.errors import InvalidSettings


def describe(program: Program) -> dict[str, object]:
    """One program for `--json`: memory in megabytes, start as ISO 8601 in UTC."""
    resident = psutil.Process(program.pid).memory_info().rss
    since = datetime.fromtimestamp(program.started, UTC).isoformat(timespec="seconds")
    return {"name": program.name, "pid": program.pid, "since": since, "resident_megabytes": round(resident / 1e6), "log": program.log}


def gather(data_directory: Path) -> tuple[dict[str, object], Health | None]:
    """What runs for a data directory, and the health of the job on the cluster that runs for it, or that the user's settings name."""
    programs = processes.load(data_directory / "run" / "processes.json")
    if not programs and existing().flink_rest_url is None:
        return {"running": [], "jobs": [], "endpoints": None}, None
    lake: Lake = "s3" if any(program.name == "s3" for program in programs) else "folder"
    endpoints = Services(data_directory, lake).endpoints
    found = {
        "running": [describe(program) for program in programs],
        "jobs": flink.jobs(endpoints.flink_rest_url),
        "endpoints": endpoints.as_json(),
    }
    return found, read_health(control_settings(None, data_directory))


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
    if not running and status["endpoints"] is None:
        print("nothing runs; `infra/tickflow up` starts the services")


def main(arguments: list[str]) -> int:
    """Entry point of the verb. Exit code 1 when nothing runs, or when something needs a person; 2 when the settings are wrong."""
    parser = argparse.ArgumentParser(prog="infra/tickflow status", description="Show what runs, where, since when, and whether it is well.")
    parser.add_argument("--data", type=Path, default=paths.DATA, metavar="FOLDER", help="data directory (default .tickflow/data)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    try:
        status, health = gather(chosen.data.resolve())
    except InvalidSettings as error:
        say(f"tickflow status: {error}")
        return 2
    if chosen.json:
        print_json(status | {"health": health.as_json() if health else None})
    else:
        show(status)
        print("\n".join(described(health) if health else []))
    return 0 if health and not health.problems else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
