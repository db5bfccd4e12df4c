"""`infra/tickflow up`: start the embedded services and leave them running."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.local import paths, services
from infra.local.console import SetupError, print_json, say
from infra.local.endpoints import Endpoints


def options(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="infra/tickflow up", description="Start Kafka, Redis, Flink and, with --lake s3, an S3 server.")
    parser.add_argument(
        "--lake", choices=["folder", "s3"], default="folder", help="where tables lie: a local folder, or an embedded S3 server"
    )
    parser.add_argument(
        "--taskmanagers", type=int, default=1, metavar="N", help="Flink TaskManagers of one slot each (default 1; 0: no Flink)"
    )
    parser.add_argument("--data", type=Path, default=paths.DATA, metavar="FOLDER", help="data directory (default .tickflow/data)")
    parser.add_argument("--json", action="store_true", help="print the endpoints as one JSON object")
    return parser.parse_args(arguments)


def describe(endpoints: Endpoints) -> str:
    """The endpoints for a person."""
    lines = [f"{name:<16} {value}" for name, value in endpoints.as_json().items() if value is not None]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Entry point of the verb."""
    chosen = options(arguments)
    try:
        endpoints = services.start(chosen.data.resolve(), chosen.lake, chosen.taskmanagers)
    except SetupError as error:
        say(f"tickflow: {error}")
        return 2
    if chosen.json:
        print_json(endpoints.as_json())
    else:
        print(describe(endpoints))
        say("everything answers; `infra/tickflow status` shows it, `infra/tickflow down` stops it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
