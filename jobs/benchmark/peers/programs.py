"""The other systems: how each is started, and what it is to be held against."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from infra.local import paths, ports, processes
from infra.local.environment import program_environment
from jobs.benchmark.peers.wiring import SNAPSHOT_SECONDS

TICKS, FEW_TICKS, ORDERED_TICKS, FRAMES = "peers.ticks", "peers.ticks.few", "peers.ticks.ordered", "peers.frames"
"""Topics: one tick a record, a tenth of them, all of them in one partition; Tickflow's own frames."""


@dataclass(frozen=True)
class Peer:
    """One system doing its task."""

    name: str
    module: str
    topic: str = TICKS
    """What it reads."""
    result: Literal["rows", "windows", "closed_windows", "features"] = "rows"
    """What it makes: rows of `task.take`, tumbling windows (all or those that the ticks close), or Tickflow's own feature rows."""
    processes: int = 1
    is_flink: bool = False
    """Whether it runs with Tickflow's own environment and its Flink."""


PEERS = (
    Peer("Bytewax, two processes", "bytewax_program", processes=2),
    Peer("Quix Streams", "quix_program"),
    Peer("Pathway", "pathway_program", ORDERED_TICKS, "closed_windows"),
    Peer("PyFlink as its documentation shows it", "pyflink_program", FEW_TICKS, is_flink=True),
    Peer("Flink SQL, no Python", "flink_sql_program", result="windows", is_flink=True),
    Peer("Bytewax with Tickflow's frames and kernels", "bytewax_packed_program", FRAMES, "features", processes=2),
)
"""Pathway drops as late what a partition holds that it reads more slowly than another: it gets one. PyFlink is too slow for all ticks."""


@dataclass(frozen=True)
class Place:
    """Where a program reads and writes."""

    brokers: str
    ticks: str
    rows: str
    folder: Path
    """For its state and its log, empty."""

    def variables(self) -> dict[str, str]:
        """What `wiring` reads."""
        return {
            "PEER_BROKERS": self.brokers,
            "PEER_TICKS": self.ticks,
            "PEER_ROWS": self.rows,
            "PEER_GROUP": f"peer-{self.rows}",
            "PEER_STATE": str(self.folder / "state"),
        }


@contextmanager
def running(peer: Peer, python: Path, place: Place) -> Iterator[None]:
    """The peer's processes, until the block ends; whatever they started goes with them."""
    (place.folder / "state").mkdir(parents=True)
    environment = program_environment() | place.variables() | {"PYTHONPATH": str(paths.ROOT)}
    commands = _commands(peer, paths.PYTHON if peer.is_flink else python, place, environment)
    programs = [processes.start(peer.name, command, place.folder / "log", environment, detached=False) for command in commands]
    try:
        yield
    finally:
        processes.stop(programs)


def _commands(peer: Peer, python: Path, place: Place, environment: dict[str, str]) -> list[list[str]]:
    module = f"jobs.benchmark.peers.{peer.module}"
    if peer.processes == 1:
        return [[str(python), "-m", module]]
    state = str(place.folder / "state")
    subprocess.run([python, "-m", "bytewax.recovery", state, str(peer.processes)], env=environment, check=True, stdout=subprocess.DEVNULL)
    taken: set[int] = set()
    while len(taken) < peer.processes:
        taken.add(ports.free_port(taken))
    addresses = ";".join(f"{ports.HOST}:{port}" for port in sorted(taken))
    start = [str(python), "-m", "bytewax.run", f"{module}:flow", "-a", addresses, "-r", state, "-s", str(SNAPSHOT_SECONDS), "-b", "0"]
    return [[*start, "-i", str(number)] for number in range(peer.processes)]
