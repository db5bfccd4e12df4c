"""`infra/tickflow test`: every test, in an environment like the one that workers have; `test chaos`: the job under planned faults."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping

from infra.local import environment, paths

FOREIGN = ("TICKFLOW_KAFKA_BOOTSTRAP_SERVERS", "TICKFLOW_REDIS_URL", "TICKFLOW_FLINK_REST_URL")
PROGRAMS = {"chaos": "tests.integration.chaos.program"}
"""Suites that are programs of their own, because they take a seed and a length."""
WITH_SERVICES = ("integration", "sql", "topology")
"""Folders of tests that start services and mostly wait for them; the others compute."""
_WARM_UP = "from udfs.kernels.advance import warm_up; warm_up()"


def main(arguments: list[str]) -> int:
    """Run all tests, or become the suite or selection that is named. The user's own services are left alone: tests start their own."""
    lake = [name for name in os.environ if name.startswith("TICKFLOW_LAKE_")]
    variables = {name: value for name, value in environment.program_environment().items() if name not in (*FOREIGN, *lake)}
    sys.stdout.flush()
    os.chdir(paths.ROOT)
    if not all(argument.startswith("-") for argument in arguments):
        os.execve(paths.PYTHON, [str(paths.PYTHON), "-m", *program(arguments)], variables)
    return _everything(arguments, variables)


def program(arguments: list[str]) -> list[str]:
    """The module to run and its arguments."""
    if arguments[0] in PROGRAMS:
        return [PROGRAMS[arguments[0]], *arguments[1:]]
    return ["pytest", *arguments]


def halves() -> tuple[list[str], list[str]]:
    """Folders of tests: those with services, and all others."""
    found = sorted({file.relative_to(paths.ROOT / "tests").parts[0] for file in (paths.ROOT / "tests").rglob("test_*.py")})
    return [f"tests/{name}" for name in found if name in WITH_SERVICES], [f"tests/{name}" for name in found if name not in WITH_SERVICES]


def _everything(options: list[str], variables: Mapping[str, str]) -> int:
    """Both halves side by side: what computes fills the time in which the other half waits. Its report comes last."""
    subprocess.run([paths.PYTHON, "-c", _WARM_UP], env=variables, check=True)  # else both would compile the same kernels
    with_services, others = ([str(paths.PYTHON), "-m", "pytest", *folders, *options] for folders in halves())
    with tempfile.TemporaryFile() as report:
        beside = subprocess.Popen(["nice", "-n", "5", *others], env=variables, stdout=report, stderr=report)
        try:
            codes = subprocess.run(with_services, env=variables).returncode, beside.wait()
        finally:
            beside.kill()
        report.seek(0)
        shutil.copyfileobj(report, sys.stdout.buffer)
    return max(codes, key=abs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
