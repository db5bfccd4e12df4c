"""The load generator, in a process of its own: a prepared simulated market, each event sent when its time comes."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from jobs.gateway.control_follower import ControlFollower
from jobs.gateway.gateway import Gateway
from jobs.gateway.gateway_settings import GatewaySettings
from jobs.gateway.pacing import Pacer
from jobs.gateway.publisher import KafkaPublisher, PublisherSettings
from jobs.gateway.running_source import RunningSource, prepared
from jobs.simulator.settings import DefectRates, SimulationSettings
from jobs.simulator.source import SimulatedSource

SECOND = 1_000_000_000
_TRIAL_SECONDS = 20.0
_CLEAN = DefectRates(0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Load:
    """What is offered: events a second over all symbols, for how long."""

    rate: float
    seconds: float
    symbols: int
    maximum_events: int = 64
    packing_milliseconds: float = 100.0
    seed: int = 3

    def simulation(self) -> SimulationSettings:
        """The market that makes it."""
        return SimulationSettings(
            symbols=self.symbols,
            seconds=self.seconds,
            ticks_per_second=self.rate,
            quiet_symbols=0,
            seed=self.seed,
            defects=_CLEAN,
            feed_delay_microseconds=0,
            halts_per_hour=0.0,
        )


class LoadGenerator:
    """Starts the process, waits until it is prepared, lets it go, and gives what it really sent."""

    def __init__(self, load: Load, bootstrap_servers: str, control_version: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_generate, args=(load, bootstrap_servers, control_version, there), daemon=True)
        self._process.start()

    def wait_until_prepared(self) -> int:
        """How many events it holds."""
        return int(self._here.recv())

    def start(self, in_seconds: float = 2.0) -> int:
        """Begin soon; the wall time at which the first event is to be sent, nanoseconds."""
        starts_at = time.time_ns() + int(in_seconds * SECOND)
        self._here.send(starts_at)
        return starts_at

    def result(self) -> dict[str, Any]:
        """What was sent, once everything is acknowledged."""
        found: dict[str, Any] = self._here.recv()
        self._process.join()
        return found


def calibrated_market(load: Load) -> SimulationSettings:
    """The market whose short trial says that it really makes the rate: the flow's feedback makes fewer events than its settings name."""
    asked = load.simulation()
    trial = replace(asked, seconds=_TRIAL_SECONDS)
    made = sum(1 for _ in SimulatedSource(trial).events()) / _TRIAL_SECONDS
    return replace(asked, ticks_per_second=load.rate * load.rate / made)


def _generate(load: Load, bootstrap_servers: str, control_version: int, pipe: Connection) -> None:
    source = prepared(SimulatedSource(calibrated_market(load)))
    pipe.send(len(source.items))
    starts_at = pipe.recv()
    shift = starts_at - load.simulation().start_time
    age = int(load.packing_milliseconds * 1_000_000)
    with ControlFollower(bootstrap_servers) as follower:
        follower.wait_for(control_version, 30.0)
        pacer = Pacer(1.0, starts_at, starts_at)
        settings = GatewaySettings(maximum_events=load.maximum_events, maximum_age_nanoseconds=age)
        gateway = Gateway(KafkaPublisher(PublisherSettings(bootstrap_servers)), settings, pacer, follower.version)
        counts = gateway.run(RunningSource(source, shift), close_bars=False)
    sent_seconds = (time.time_ns() - starts_at) / SECOND
    pipe.send({"ticks": counts.messages, "frames": counts.frames, "bytes": counts.bytes, "seconds": sent_seconds})
