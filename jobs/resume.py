"""`infra/tickflow resume`: let signals flow again after a halt."""

from __future__ import annotations

import sys

from jobs.control_verbs import change_halt
from udfs.records import ControlKind


def main(arguments: list[str]) -> int:
    """Runs the verb; the exit code."""
    return change_halt("resume", ControlKind.RESUME, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
