"""Programs that need a JVM of their own, run beside the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.environment import program_environment

ROOT = Path(__file__).resolve().parents[2]


def run_beside(module: str, *arguments: Path) -> None:
    """A module of tests/support in a process of its own, whose JVM ends with it."""
    environment = program_environment()
    if not list(Path(environment["FLINK_HOME"]).glob("lib/iceberg-flink-runtime-*.jar")):
        pytest.skip("no Flink with the connectors: run `infra/tickflow setup` first")
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), environment.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", f"tests.support.{module}", *map(str, arguments)]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-6000:]
