"""What may wait runs after what may not, where all share the few cores of one machine.

The lake's tasks close and commit their files at each checkpoint: half a second of both cores, in which no signal should wait. Java's
thorough compiler works for minutes on what runs well enough meanwhile.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from infra.local import processes
from infra.local.endpoints import Endpoints
from infra.local.services import RECORD

LOW_PRIORITY: Final = 10
"""Nice value: a tenth of the weight of the others, and everything that nobody else wants."""
PATIENT_THREADS: Final = ("*anonymous_data", "iceberg-worker", "C2 CompilerThre")
"""Beginnings of their names, as the kernel shortens them: tasks of the lake, its committers, the thorough compiler."""


def let_the_stream_go_first(endpoints: Endpoints) -> int:
    """Lower the priority of patient threads in the local TaskManagers, once the job runs; how many there were (none but on Linux)."""
    programs = processes.load(endpoints.data_directory / RECORD)
    workers = [program.pid for program in programs if program.name.startswith("flink-taskmanager")]
    return sum(_lower(thread) for worker in workers for thread in _patient_threads(worker))


def _patient_threads(pid: int) -> Iterator[int]:
    if sys.platform != "linux":
        return
    for task in sorted(Path(f"/proc/{pid}/task").glob("*")):
        try:
            name = (task / "comm").read_text()
        except OSError:  # it has ended
            continue
        if name.startswith(PATIENT_THREADS):
            yield int(task.name)


def _lower(thread: int) -> bool:
    try:
        os.setpriority(os.PRIO_PROCESS, thread, LOW_PRIORITY)
    except (ProcessLookupError, PermissionError):
        return False
    return True
