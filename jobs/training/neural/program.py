"""The program that trains or asks a network, run by the interpreter that has JAX: `python -m jobs.training.neural.program JOB RESULT`.

Both files are numpy archives. A job with folds is trained: each fold, and then all of its rows; the result has what each fold's network
says of the rows left out, after each epoch, and all weights of the last. A job with weights is scored.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import numpy as np
import numpy.typing as npt

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import jax

from jobs.training.neural.learning import Trainer, contributions
from jobs.training.neural.network import NetworkSettings, forward
from jobs.training.neural.objectives import Batch

Arrays = dict[str, npt.NDArray[Any]]


def main(arguments: list[str]) -> int:
    """Do the job of the first file, and write the second."""
    with np.load(arguments[0], allow_pickle=False) as stored:
        job: Arrays = dict(stored)
    np.savez(arguments[1], **(_train(job) if "settings" in job else _ask(job)))
    return 0


def _train(job: Arrays) -> Arrays:
    settings = NetworkSettings(**json.loads(str(job["settings"])))
    if settings.devices > 1:
        jax.config.update("jax_num_cpu_devices", settings.devices)
    trainer = Trainer(job["layout"], settings, int(job["seed"]))
    found: Arrays = {"devices": np.array([str(device) for device in trainer.devices])}
    for fold in range(int(job["folds"])):
        losses: list[float] = []
        test = job[f"test_{fold}"]
        for epoch, weights in enumerate(trainer.train(_rows(job, fold), job[f"train_{fold}"], losses)):
            found[f"said_{fold}_{epoch}"] = trainer.scores(weights, job["distances"][test], job["missing"][test])
        found[f"losses_{fold}"] = np.array(losses)
        print(f"train: fold {fold} of the network is trained", file=sys.stderr, flush=True)
    losses = []
    everything = np.arange(job["classes"].shape[0])
    for epoch, weights in enumerate(trainer.train(_rows(job, int(job["folds"])), everything, losses)):
        found |= {f"weights_{epoch}_{name}": np.asarray(value) for name, value in weights.items()}
    return found | {"losses": np.array(losses)}


def _rows(job: Arrays, fit: int) -> Batch:
    """All rows as one fit sees them: its own linear part, its own unit of size, and volatilities that do not reach into its test."""
    volatility = np.where(job[f"volatility_known_{fit}"], job["volatility"], np.nan).astype(np.float32)
    columns = (job["distances"], job["missing"], job[f"base_{fit}"], job["classes"], job["log_return"])
    return Batch(*columns, job["size"] + job[f"log_unit_{fit}"], volatility, job["weight"])


def _ask(job: Arrays) -> Arrays:
    """In double precision, as the exported graph counts."""
    jax.config.update("jax_enable_x64", True)
    weights = {name.removeprefix("weights_"): value.astype(np.float64) for name, value in job.items() if name.startswith("weights_")}
    distances, missing = job["distances"].astype(np.float64), job["missing"].astype(np.float64)
    chosen = job["chosen"]
    return {
        "said": np.asarray(forward(jax.numpy, weights, job["layout"], distances, missing)),
        "contributions": contributions(weights, job["layout"], distances[chosen], missing[chosen]),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
