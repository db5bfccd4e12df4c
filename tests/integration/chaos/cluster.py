"""The services of a chaos run, what breaks them, and what puts them right again as an operator would."""

from __future__ import annotations

import os
import resource
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from infra.local import flink, processes, services
from infra.local.console import SetupError
from infra.local.endpoints import Endpoints
from tests.integration.chaos.store_gate import StoreGate

STARTS = 3
"""Tries: on a busy machine Flink gives up waiting for itself."""
JOBMANAGER, BROKER, REDIS = "flink-jobmanager", "kafka", "redis"


@dataclass
class Cluster:
    """A broker, a Redis, an object store behind a gate, and a Flink cluster of a few TaskManagers."""

    endpoints: Endpoints
    gate: StoreGate
    workers: int
    _limits: dict[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where all of it keeps its data."""
        return self.endpoints.data_directory

    @property
    def planted_failure(self) -> Path:
        """While this file is there, the next frame fails in the worker."""
        return self.folder / "run" / "fails-when-there"

    def programs(self) -> dict[str, processes.Program]:
        """What runs, by name."""
        return {program.name: program for program in processes.load(self.folder / services.RECORD)}

    def worker_names(self) -> list[str]:
        """The TaskManagers that run."""
        return sorted(name for name, program in self.programs().items() if services.is_worker(program))

    def busy_workers(self) -> list[str]:
        """The TaskManagers whose slot is taken; all when Flink does not say."""
        try:
            known = flink.request(self.endpoints.flink_rest_url, "/taskmanagers")["taskmanagers"]
        except OSError:
            return self.worker_names()
        return [worker["id"] for worker in known if not worker["freeSlots"]] or self.worker_names()

    def kill(self, *names: str) -> None:
        """End programs without a word, as the kernel would."""
        found = self.programs()
        dying = [found[name] for name in names if name in found]
        for program in dying:
            os.kill(program.pid, signal.SIGKILL)
        processes.stop(dying)

    def start(self, workers: int | None = None) -> None:
        """Start whatever does not run, and wait until it answers. A program that ends while it starts is started again."""
        self.workers = max(self.workers, workers or 0)
        for attempt in range(STARTS):
            try:
                with services.exclusive(self.folder):
                    services.Services(self.folder, self.endpoints.lake).start(self.workers)
                return
            except SetupError:
                if attempt == STARTS - 1:
                    raise

    def wipe_redis(self) -> None:
        """Kill Redis and start an empty one."""
        self.kill(REDIS)
        shutil.rmtree(self.folder / REDIS, ignore_errors=True)
        self.start()

    @contextmanager
    def full_disk(self) -> Iterator[None]:
        """While the block lasts no process of Flink can write to any file: each write fails (EFBIG), as on a full disk (ENOSPC)."""
        running = [psutil.Process(program.pid) for name, program in self.programs().items() if name.startswith("flink")]
        before = [process.rlimit(resource.RLIMIT_FSIZE) for process in running]
        for process, (_, hard) in zip(running, before, strict=True):
            process.rlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            yield
        finally:
            for process, limits in zip(running, before, strict=True):
                if process.is_running():
                    process.rlimit(resource.RLIMIT_FSIZE, limits)

    def last_words(self) -> str:
        """The end of each program's log: what is left to read when something hangs."""
        return "\n".join(f"--- {path.name}\n{processes.tail(str(path))}" for path in sorted((self.folder / "logs").glob("*.log")))

    def newest_checkpoint(self, job_id: str) -> str:
        """The newest checkpoint of a job that is complete, or nothing: what an operator restarts a lost job from."""
        found = sorted(self.folder.glob(f"checkpoints/{job_id}/chk-*/_metadata"), key=lambda path: int(path.parent.name[4:]))
        return str(found[-1].parent) if found else ""


@contextmanager
def chaos_cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """All services in a folder of their own, with the object store behind a gate."""
    shutil.rmtree(folder, ignore_errors=True)
    with services.running(folder, lake="s3", flink_taskmanagers=0) as endpoints, behind_a_gate(endpoints, workers) as cluster:
        cluster.start()
        yield cluster


@contextmanager
def behind_a_gate(endpoints: Endpoints, workers: int) -> Iterator[Cluster]:
    """The object store of running services gets a gate; its credentials are in this process's environment meanwhile."""
    credentials = {name: value for name, value in endpoints.as_environment().items() if name.startswith("AWS_")}
    before = {name: os.environ.get(name) for name in credentials}
    os.environ.update(credentials)
    try:
        with StoreGate(str(endpoints.s3_endpoint)) as gate:
            yield Cluster(endpoints, gate, workers)
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
