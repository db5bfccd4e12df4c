"""Runs the program that has JAX, in its own environment, on files of a folder that is thrown away."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.local import paths
from infra.local.isolated import isolated_python
from udfs.errors import TickflowError

Arrays = Mapping[str, npt.NDArray[Any]]


class NetworkProgramFailed(TickflowError):
    """The program that trains networks ended with an error; what it said is on standard error."""


def neural_python() -> Path:
    """That of `TICKFLOW_NEURAL_PYTHON`, which may have JAX for an accelerator, else one made from the lock, for the processor.

    Raises SetupError when a package cannot be had.
    """
    override = os.environ.get("TICKFLOW_NEURAL_PYTHON")
    return Path(override) if override else isolated_python(paths.NEURAL, paths.NEURAL_LOCK, "train: installing what trains networks")


def run_program(job: Arrays) -> dict[str, npt.NDArray[Any]]:
    """The result of one job. Raises NetworkProgramFailed, and SetupError when there is no environment."""
    python = neural_python()
    with tempfile.TemporaryDirectory(prefix="tickflow-network-") as folder:
        asked, told = Path(folder) / "job.npz", Path(folder) / "result.npz"
        np.savez(asked, **job)
        command = [str(python), "-m", "jobs.training.neural.program", str(asked), str(told)]
        environment = os.environ | {"PYTHONPATH": str(paths.ROOT)}
        result = subprocess.run(command, cwd=paths.ROOT, env=environment, stdout=sys.stderr, check=False)
        if result.returncode or not told.exists():
            raise NetworkProgramFailed(f"training the network ended with {result.returncode}; see the lines above")
        with np.load(told, allow_pickle=False) as stored:
            return dict(stored)
