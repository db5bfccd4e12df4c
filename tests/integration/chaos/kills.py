"""Many kills in one run: the results stay the same, and nothing is left behind: no memory, no thread, no connection.

First the working TaskManager is killed again and again; then its worker fails as often inside one and the same process, where what the
attempt before had acquired would still be there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from infra.local import flink
from infra.local.console import say
from tests.integration.chaos.cluster import Cluster
from tests.integration.chaos.faults import UNDISTURBED
from tests.integration.chaos.limits import time_limit
from tests.integration.chaos.market import simulated_market
from tests.integration.chaos.outcome import origin_of
from tests.integration.chaos.rounds import MARKET_SEED, ROUND_SECONDS, Feeder, settled_verdict, undisturbed
from tests.integration.chaos.stream import PATIENCE_SECONDS, Stream, stream_of
from udfs.records import ModelReference

MOST_GROWTH = 1.03
"""Of resident memory, most of which is heap that was taken at once: of the rest a tenth."""
SPARE = 8
"""Threads and connections that a pool may happen to hold more."""
SOUND_AFTER_SECONDS = 12.0
"""A job that fails sooner after its restart, again and again, is taken for one that cannot run, and is given up."""
WARM_AFTER = 2
"""Restarts after which what is kept for the life of a process is there: caches, compiled code, pools."""


@dataclass(frozen=True)
class Held:
    """What a program holds."""

    resident_mebibytes: int
    threads: int
    connections: int


def held_by(cluster: Cluster) -> dict[str, Held]:
    """By program; TaskManagers together, as any of them may be the one that works."""
    found: dict[str, Held] = {}
    for name, program in cluster.programs().items():
        kind = "taskmanagers" if "taskmanager" in name else name
        found[kind] = _sum(found.get(kind, Held(0, 0, 0)), _held(psutil.Process(program.pid)))
    return found


def _held(process: psutil.Process) -> Held:
    established = [found for found in process.net_connections("tcp") if found.status == psutil.CONN_ESTABLISHED]
    return Held(process.memory_info().rss >> 20, process.num_threads(), len(established))


def _sum(left: Held, right: Held) -> Held:
    return Held(*(one + other for one, other in zip(asdict(left).values(), asdict(right).values(), strict=True)))


def leaks(before: Mapping[str, Held], after: Mapping[str, Held]) -> list[str]:
    """What grew by more than it may, in words. Memory is judged of the TaskManagers, threads and connections of all."""
    problems = []
    for name, late in after.items():
        early = before[name]
        if name == "taskmanagers" and late.resident_mebibytes > MOST_GROWTH * early.resident_mebibytes:
            problems.append(f"{name}: {early.resident_mebibytes} MiB became {late.resident_mebibytes}")
        problems += [
            f"{name}: {getattr(early, what)} {what} became {getattr(late, what)}"
            for what in ("threads", "connections")
            if getattr(late, what) > getattr(early, what) + SPARE
        ]
    return problems


def repeated_kills(cluster: Cluster, model: ModelReference, kills: int) -> dict[str, Any]:
    """`kills` kills and then as many failures of the worker, over one market; whether the results are those of the undisturbed run."""
    market = simulated_market(MARKET_SEED, model, [0])
    expected, part = undisturbed(cluster, market, "undisturbed")[0], market.parts[0]
    with stream_of(cluster, market, "kills", exactly_once=False) as stream:
        origin, feeder = origin_of(stream), Feeder(stream, part.frames)
        killed = _again_and_again(stream, feeder, kills, 0.0, _kill)
        failed = _again_and_again(stream, feeder, kills, 0.5, _fail)
        feeder.up_to(1.0)
        stream.settle()
        verdict = settled_verdict(stream, part, UNDISTURBED, expected, origin, part.frames)
    left = [f"kills: {problem}" for problem in leaks(*killed)] + [f"failures: {problem}" for problem in leaks(*failed)]
    for problem in (*verdict.problems, *left):
        say(f"chaos: {problem}")
    return {
        "kills": kills,
        "failures": kills,
        "digest_equal": verdict.digest_equal,
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "repeated": verdict.repeated,
        "leaks": left,
        **_shown("kills", *killed),
        **_shown("failures", *failed),
        "holds": verdict.held and not left,
    }


def _again_and_again(
    stream: Stream, feeder: Feeder, times: int, begin: float, happens: Callable[[Stream, Feeder], None]
) -> tuple[dict[str, Held], dict[str, Held]]:
    """What was held after the first recoveries, and after the last."""
    before = held_by(stream.cluster)
    for number in range(times):
        begun = time.monotonic()
        feeder.up_to(begin + 0.5 * (number + 1) / (times + 1))
        with time_limit(ROUND_SECONDS):
            happens(stream, feeder)
            stream.wait_until_running()
            running_since = time.monotonic()
            flink.wait_for_checkpoint(stream.rest_url, stream.job_id)
            time.sleep(max(0.0, running_since + SOUND_AFTER_SECONDS - time.monotonic()))
        held = held_by(stream.cluster)
        resident = held["taskmanagers"].resident_mebibytes
        say(f"chaos: {happens.__name__.strip('_')} {number + 1} of {times} in {time.monotonic() - begun:.0f} s, {resident} MiB")
        if number + 1 == min(WARM_AFTER, times):
            before = held
    return before, held_by(stream.cluster)


def _kill(stream: Stream, _feeder: Feeder) -> None:
    stream.cluster.kill(*stream.cluster.busy_workers())
    stream.cluster.start()


def _fail(stream: Stream, feeder: Feeder) -> None:
    """Return when the worker has failed: it takes the file away."""
    stream.cluster.planted_failure.touch()
    feeder.some(4)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while stream.cluster.planted_failure.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no frame reached the worker within {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.2)


def _shown(what: str, before: Mapping[str, Held], after: Mapping[str, Held]) -> dict[str, Any]:
    return {f"{what}_{when}": {name: asdict(found) for name, found in held.items()} for when, held in (("first", before), ("last", after))}
