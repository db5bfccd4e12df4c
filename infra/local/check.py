"""`infra/tickflow check`: lint, format, strict types, layering, known weaknesses of packages. Changes nothing."""

from __future__ import annotations

import argparse
import subprocess
import sys

from infra.local import environment, package_audit, paths
from infra.local.console import print_json, say

SOURCES = ["udfs", "jobs", "infra", "tests"]
TYPED = ["udfs", "jobs", "infra"]
STEPS = {
    "lint": ["ruff", "check", *SOURCES, "infra/tickflow"],
    "format": ["ruff", "format", "--check", *SOURCES, "infra/tickflow"],
    "types": ["mypy", *TYPED],
    "layering": ["pytest", "-q", "tests/architecture"],
}


def run_step(name: str, command: list[str]) -> bool:
    """Run one check as a module of the environment; its output goes to standard error."""
    say(f"check: {name}")
    full = [str(paths.PYTHON), "-m", *command]
    return subprocess.run(full, cwd=paths.ROOT, env=environment.program_environment(), stdout=sys.stderr).returncode == 0


def main(arguments: list[str]) -> int:
    """Entry point of the verb. Exit code 1 when a check does not hold; the others still run."""
    parser = argparse.ArgumentParser(prog="infra/tickflow check", description="Lint, format, strict types, layering, packages.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    held: dict[str, bool | None] = {name: run_step(name, command) for name, command in STEPS.items()}
    held["packages"] = package_audit.held()
    for name in (name for name, result in held.items() if result is False):
        say(f"check: {name} does not hold")
    if chosen.json:
        print_json(held)
    return 1 if False in held.values() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
