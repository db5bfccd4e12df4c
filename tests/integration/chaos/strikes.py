"""What happens when a fault of each kind strikes, and what an operator or a supervisor does about it then."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tests.integration.chaos.cluster import BROKER, JOBMANAGER
from tests.integration.chaos.faults import Fault, FaultKind
from tests.integration.chaos.store_gate import Mood
from tests.integration.chaos.stream import Stream

OUTAGE_SECONDS = 3.0
"""An outage lasts this and the fault's own seconds: longer than the distance of checkpoints, so that one falls into it."""
MOST_PARALLELISM = 3

Drawn = TypeVar("Drawn")


@dataclass
class Strike:
    """A fault that strikes; `feed` sends a few more frames into it."""

    stream: Stream
    fault: Fault
    feed: Callable[[], None]

    def __call__(self) -> None:
        """Let it happen."""
        _HOW[self.fault.kind](self)

    def drawn(self, candidates: Sequence[Drawn]) -> Drawn:
        """One of them, the same each time that the plan is played."""
        return candidates[round(self.fault.seconds * 100) % len(candidates)]

    def let_it_last(self) -> None:
        """Frames go on while something is away."""
        self.feed()
        time.sleep(OUTAGE_SECONDS + self.fault.seconds)


def _taskmanager_killed(strike: Strike) -> None:
    """One of those that work."""
    cluster = strike.stream.cluster
    cluster.kill(strike.drawn(cluster.busy_workers()))
    cluster.start()


def _jobmanager_killed(strike: Strike) -> None:
    """Without a standby the job is gone with it: it is submitted again from its newest complete checkpoint."""
    stream = strike.stream
    stream.cluster.kill(JOBMANAGER)
    stream.cluster.start()
    stream.start(stream.newest_state(), stream.parallelism)


def _broker_restarted(strike: Strike) -> None:
    strike.stream.cluster.kill(BROKER)
    strike.stream.cluster.start()


def _redis_wiped(strike: Strike) -> None:
    strike.stream.cluster.wipe_redis()


def _worker_exception(strike: Strike) -> None:
    strike.stream.cluster.planted_failure.touch()
    strike.feed()


def _savepoint(strike: Strike) -> None:
    strike.stream.start(strike.stream.stop(), strike.stream.parallelism)


def _rescaled(strike: Strike) -> None:
    """To another parallelism, where the job then stays: other faults strike there, too."""
    stream = strike.stream
    parallelism = strike.drawn([number for number in range(1, MOST_PARALLELISM + 1) if number != stream.parallelism])
    stream.cluster.start(parallelism)
    strike.feed()
    stream.start(stream.stop(), parallelism)


def _store(mood: Mood) -> Callable[[Strike], None]:
    def happens(strike: Strike) -> None:
        gate = strike.stream.cluster.gate
        gate.mood = mood
        try:
            strike.let_it_last()
        finally:
            gate.mood = Mood.OPEN

    return happens


def _disk_full(strike: Strike) -> None:
    with strike.stream.cluster.full_disk():
        strike.let_it_last()


def _frames_delayed(strike: Strike) -> None:
    time.sleep(OUTAGE_SECONDS + strike.fault.seconds)


def _in_the_log(_strike: Strike) -> None:
    """What the log gets was decided before the round: see `delivery`."""


_HOW: dict[FaultKind, Callable[[Strike], None]] = {
    FaultKind.TASKMANAGER_KILLED: _taskmanager_killed,
    FaultKind.JOBMANAGER_KILLED: _jobmanager_killed,
    FaultKind.BROKER_RESTARTED: _broker_restarted,
    FaultKind.REDIS_WIPED: _redis_wiped,
    FaultKind.WORKER_EXCEPTION: _worker_exception,
    FaultKind.SAVEPOINT: _savepoint,
    FaultKind.RESCALED: _rescaled,
    FaultKind.STORE_REFUSES: _store(Mood.REFUSES),
    FaultKind.STORE_SLOW: _store(Mood.SLOW),
    FaultKind.STORE_BUSY: _store(Mood.BUSY),
    FaultKind.DISK_FULL: _disk_full,
    FaultKind.FRAMES_DUPLICATED: _in_the_log,
    FaultKind.FRAMES_CORRUPTED: _in_the_log,
    FaultKind.FRAMES_DELAYED: _frames_delayed,
    FaultKind.FRAMES_REORDERED: _in_the_log,
    FaultKind.IDLE_PARTITION: _in_the_log,
}
