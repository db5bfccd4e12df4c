"""`infra/tickflow halt`: stop signals for symbols, groups or all, or let them only make positions smaller, from the next frames on.

The entry stays in the control log.
"""

from __future__ import annotations

import sys

from jobs.control_verbs import change_halt
from udfs.records import ControlKind


def main(arguments: list[str]) -> int:
    """Runs the verb; the exit code."""
    return change_halt("halt", ControlKind.HALT, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
