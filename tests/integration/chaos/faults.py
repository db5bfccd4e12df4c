"""What can go wrong in a round, and the plan of a round: drawn from a seed and the round's number alone, so that each can be run again."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

ROUND_SECONDS_WAITED = 2.5
"""At most, between a burst of frames and the fault that strikes into it."""
MOST_FAULTS = 3
EXACTLY_ONCE_EVERY = 3
"""So many rounds hold one with transactions; no divisor of the number of kinds, so that in time each kind meets both guarantees."""


class FaultKind(StrEnum):
    """Names as a plan prints them."""

    TASKMANAGER_KILLED = "taskmanager_killed"
    JOBMANAGER_KILLED = "jobmanager_killed"
    BROKER_RESTARTED = "broker_restarted"
    REDIS_WIPED = "redis_wiped"
    WORKER_EXCEPTION = "worker_exception"
    SAVEPOINT = "savepoint"
    RESCALED = "rescaled"
    STORE_REFUSES = "store_refuses"
    STORE_SLOW = "store_slow"
    STORE_BUSY = "store_busy"
    DISK_FULL = "disk_full"
    FRAMES_DUPLICATED = "frames_duplicated"
    FRAMES_CORRUPTED = "frames_corrupted"
    FRAMES_DELAYED = "frames_delayed"
    FRAMES_REORDERED = "frames_reordered"
    IDLE_PARTITION = "idle_partition"


OF_THE_LOG = frozenset(
    {FaultKind.FRAMES_DUPLICATED, FaultKind.FRAMES_CORRUPTED, FaultKind.FRAMES_REORDERED, FaultKind.IDLE_PARTITION},
)
"""These change what the topic of frames holds; the others strike while it is read."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong."""

    kind: FaultKind
    at: float
    """Share of the frames that were sent when it strikes."""
    seconds: float
    """How long after the burst of frames it strikes, and for what has a length, how long it lasts."""


@dataclass(frozen=True)
class Plan:
    """One round."""

    seed: int
    round: int
    exactly_once: bool
    """Whether the Kafka sinks write in transactions."""
    faults: tuple[Fault, ...]

    def as_json(self) -> dict[str, Any]:
        """For people and machines."""
        return asdict(self)

    @property
    def kinds(self) -> frozenset[FaultKind]:
        """What goes wrong."""
        return frozenset(fault.kind for fault in self.faults)


def draw_plan(seed: int, round_number: int) -> Plan:
    """The plan of a round. The first fault goes through all kinds in turn, so that as many rounds as kinds hit each; others are drawn."""
    generator = random.Random(f"{seed}/{round_number}")
    kinds = list(FaultKind)
    random.Random(f"{seed}").shuffle(kinds)
    chosen = [kinds[round_number % len(kinds)], *generator.choices(list(FaultKind), k=generator.randint(0, MOST_FAULTS - 1))]
    faults = [Fault(kind, round(generator.uniform(0.1, 0.9), 3), _seconds(generator)) for kind in chosen]
    exactly_once = round_number % EXACTLY_ONCE_EVERY == EXACTLY_ONCE_EVERY - 1
    return Plan(seed, round_number, exactly_once, tuple(sorted(faults, key=lambda fault: fault.at)))


def _seconds(generator: random.Random) -> float:
    return round(generator.uniform(0.0, ROUND_SECONDS_WAITED), 2)


UNDISTURBED = Plan(0, -1, False, ())
"""The run that all rounds are compared with."""
