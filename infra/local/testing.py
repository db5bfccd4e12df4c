"""`infra/tickflow test`: every test, in an environment like the one that workers have."""

from __future__ import annotations

import os
import sys

from infra.local import environment, paths

FOREIGN = ("TICKFLOW_KAFKA_BOOTSTRAP_SERVERS", "TICKFLOW_REDIS_URL", "TICKFLOW_FLINK_REST_URL")


def main(arguments: list[str]) -> int:
    """Become pytest over tests/. The user's own services are left alone: tests start their own."""
    lake = [name for name in os.environ if name.startswith("TICKFLOW_LAKE_")]
    variables = {name: value for name, value in environment.program_environment().items() if name not in (*FOREIGN, *lake)}
    selection = arguments if any(not argument.startswith("-") for argument in arguments) else ["tests", *arguments]
    sys.stdout.flush()
    os.chdir(paths.ROOT)
    os.execve(paths.PYTHON, [str(paths.PYTHON), "-m", "pytest", *selection], variables)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
