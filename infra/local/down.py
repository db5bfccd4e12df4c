"""`infra/tickflow down`: stop what `up` started. Data stays."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from infra.local import paths, services
from infra.local.console import print_json, say


def main(arguments: list[str]) -> int:
    """Entry point of the verb."""
    parser = argparse.ArgumentParser(prog="infra/tickflow down", description="Stop what `up` started; data and logs stay.")
    parser.add_argument("--data", type=Path, default=paths.DATA, metavar="FOLDER", help="data directory (default .tickflow/data)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    stopped = services.stop(chosen.data.resolve())
    say(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")
    if chosen.json:
        print_json({"stopped": stopped})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
