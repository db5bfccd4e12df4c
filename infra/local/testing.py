"""`infra/tickflow test`: every test, in an environment like the one that workers have; `test chaos`: the job under planned faults."""

from __future__ import annotations

import os
import sys

from infra.local import environment, paths

FOREIGN = ("TICKFLOW_KAFKA_BOOTSTRAP_SERVERS", "TICKFLOW_REDIS_URL", "TICKFLOW_FLINK_REST_URL")


PROGRAMS = {"chaos": "tests.integration.chaos.program"}
"""Suites that are programs of their own, because they take a seed and a length."""


def main(arguments: list[str]) -> int:
    """Become pytest over tests/, or the suite that is named. The user's own services are left alone: tests start their own."""
    lake = [name for name in os.environ if name.startswith("TICKFLOW_LAKE_")]
    variables = {name: value for name, value in environment.program_environment().items() if name not in (*FOREIGN, *lake)}
    sys.stdout.flush()
    os.chdir(paths.ROOT)
    os.execve(paths.PYTHON, [str(paths.PYTHON), "-m", *program(arguments)], variables)


def program(arguments: list[str]) -> list[str]:
    """The module to run and its arguments."""
    if arguments and arguments[0] in PROGRAMS:
        return [PROGRAMS[arguments[0]], *arguments[1:]]
    selection = arguments if any(not argument.startswith("-") for argument in arguments) else ["tests", *arguments]
    return ["pytest", *selection]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
