"""Child processes that are never lost: own session, recorded with their start time, stopped with all their children."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from infra.local.console import SetupError

PR_SET_PDEATHSIG = 1
LOG_TAIL_LINES = 15
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Program:
    """A started process. `started` (seconds since the epoch, as the kernel reports it) tells it from a later one with the same pid."""

    name: str
    pid: int
    started: float
    log: str

    def is_alive(self) -> bool:
        """Whether this very process still runs; a stranger with a reused pid does not count."""
        try:
            process = psutil.Process(self.pid)
            return process.create_time() == self.started and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def die_with_parent() -> None:
    """Ask the kernel to end this child when its parent ends, however that happens (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def start(name: str, command: Sequence[str], log: Path, environment: Mapping[str, str], *, detached: bool) -> Program:
    """Start a program in its own session, its output appended to `log`. Unless `detached`, it ends when this process ends."""
    log.parent.mkdir(parents=True, exist_ok=True)
    hook = None if detached else die_with_parent
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=hook,
        )
    CHILDREN[process.pid] = process
    return Program(name, process.pid, psutil.Process(process.pid).create_time(), str(log))


CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Started by this process: kept to collect their exit status, so that none stays a zombie."""


def stop(programs: Sequence[Program], grace_seconds: float = 10.0) -> None:
    """Ask all to end, wait, then kill what is left, with every process of their sessions."""
    running = [program for program in programs if program.is_alive()]
    families = [psutil.Process(program.pid) for program in running]
    families += [child for parent in list(families) for child in children(parent)]
    for program in running:
        signal_group(program.pid, signal.SIGTERM)
    _, left = psutil.wait_procs(families, timeout=grace_seconds)
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=5)
    for program in programs:
        if not program.is_alive() and (child := CHILDREN.pop(program.pid, None)):
            child.wait(timeout=5)


def children(process: psutil.Process) -> list[psutil.Process]:
    """All descendants, none if the process is gone."""
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to a session's processes, if there are any left."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def wait_until(is_ready: Callable[[], bool], program: Program, timeout_seconds: float) -> None:
    """Poll until the program answers. Raises with the end of its log when it dies or stays silent."""
    deadline = time.monotonic() + timeout_seconds
    while not is_ready():
        if not program.is_alive():
            raise SetupError(f"{program.name} ended while starting; the end of {program.log}:\n{tail(program.log)}")
        if time.monotonic() > deadline:
            raise SetupError(
                f"{program.name} did not answer within {timeout_seconds:.0f} s; the end of {program.log}:\n{tail(program.log)}"
            )
        time.sleep(POLL_SECONDS)


def tail(log: str) -> str:
    """The last lines of a log."""
    try:
        lines = Path(log).read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-LOG_TAIL_LINES:])


def save(programs: Sequence[Program], path: Path) -> None:
    """Write the record of running programs in one step."""
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps([asdict(program) for program in programs], indent=1))
    partial.replace(path)


def load(path: Path) -> list[Program]:
    """Read the record of running programs; dead ones are left out."""
    if not path.exists():
        return []
    programs = [Program(**entry) for entry in json.loads(path.read_text())]
    return [program for program in programs if program.is_alive()]
