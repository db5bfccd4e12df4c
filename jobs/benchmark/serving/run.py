"""`infra/tickflow bench serve`: real broker, real Redis, `serve` in its own process, and load generators beside it.

A read is one request for one watchlist; it answers with one signal for each symbol, so signals a second are reads times symbols. Signals
come at a steady rate all the time, every answer and message is checked, and latencies count from the time at which a request or a signal
was to be sent.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from infra.local import ports
from infra.local.console import say
from jobs.benchmark.machine import description, stolen_seconds
from jobs.benchmark.serving.capacity import Audience, Costs, plan
from jobs.benchmark.serving.generator import LoadGenerator, Target
from jobs.benchmark.serving.market import made_signal, symbol_name
from jobs.benchmark.serving.program import ServedProgram, SignalFlow, Usage, served_program
from jobs.serving.api.protocol import SILENT_SECONDS
from jobs.serving.online_records import OnlineDecoder
from jobs.serving.redis_writer import RedisWriter
from jobs.session import local_session
from jobs.settings import Settings
from jobs.submission import make_topics
from udfs.codecs.signals import encode_signal
from udfs.codecs.wire import PINNED

SIGNALS_A_SECOND, READ_MILLISECONDS, SIGNAL_MILLISECONDS = 5_000, 20.0, 250.0
"""What must hold: signals read a second, with p99 of the reads, and p99 from a signal to a client."""
_STREAM_RATE: Final = 2_000.0
_WARM_SECONDS, _IDLE_SECONDS, _SETTLE_SECONDS, _OTHER_FILES = 3.0, 5.0, 3.0, 500
_ENDLESS: Final = float("inf")


@dataclass(frozen=True)
class ServingLoad:
    """What is offered."""

    reads: float = 500.0
    """Watchlists a second."""
    watched: int = 20
    """Symbols of a watchlist."""
    connections: int = 32
    clients: int = 5_000
    idle_sockets: int = 10_000
    symbols: int = 500
    signals: float = 50.0
    """A second, over all symbols."""
    seconds: float = 15.0
    """Of each measured part."""


def measure_serving(data: Path, load: ServingLoad, audience: Audience) -> dict[str, Any]:
    """Run everything; figures, whether the limits hold, and the capacity plan. Raises SetupError."""
    with local_session(data, taskmanagers=0) as session:
        make_topics(session.settings)
        return measured_on(session.settings, data, load, audience)


def measured_on(settings: Settings, folder: Path, load: ServingLoad, audience: Audience) -> dict[str, Any]:
    """The same on services that run, whose topics nobody else uses; the program's files lie in `folder`."""
    machine = description()
    _put_into_redis(settings, load)
    with served_program(settings, folder) as served:
        flow = SignalFlow(settings, load.symbols)
        served.wait_for(0)
        flow.send_each_once()
        served.wait_for(load.symbols)
        target = Target(ports.HOST, served.port, served.keys, load.symbols, load.watched)
        readers, listeners = LoadGenerator(target), LoadGenerator(target)
        try:
            result = _Bench(load, served, flow, readers, listeners).run()
        finally:
            readers.close()
            listeners.close()
    limits = _limits(result, load)
    offered = {"load": asdict(load), "limits": limits, "holds": all(limits.values())}
    return result | offered | {"capacity": plan(_costs(result, load), audience), "machine": machine}


class _Bench:
    """The parts, one after the other."""

    def __init__(
        self, load: ServingLoad, served: ServedProgram, flow: SignalFlow, readers: LoadGenerator, listeners: LoadGenerator
    ) -> None:
        self._load, self._served, self._flow = load, served, flow
        self._readers, self._listeners = readers, listeners
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self._idle_sockets = max(0, min(load.idle_sockets, hard - load.clients - _OTHER_FILES))

    def run(self) -> dict[str, Any]:
        """Every figure."""
        load, found = self._load, dict[str, Any]()
        at_rest = self._served.usage()
        with self._flow.flowing(_STREAM_RATE):
            found["stream"] = self._spent(lambda: time.sleep(load.seconds / 2), load.seconds / 2)
        found["stream"]["signals_a_second"] = _STREAM_RATE
        with self._flow.flowing(load.signals):
            self._readers.do("reads", load.reads, min(_WARM_SECONDS, load.seconds), load.connections)
            say(f"bench: {load.reads:.0f} watchlists a second of {load.watched} symbols")
            found["reads"] = self._spent(lambda: self._reads(load.reads), load.seconds)
            found["most_reads"] = self._spent(lambda: self._reads(_ENDLESS), load.seconds / 2)
            found["clients"] = self._clients(at_rest)
            found["idle"] = self._idle()
        time.sleep(_SETTLE_SECONDS)
        found["newest"] = self._listeners.do("compare", self._flow.newest)
        return found

    def _reads(self, a_second: float) -> dict[str, Any]:
        seconds = self._load.seconds if a_second != _ENDLESS else self._load.seconds / 2
        return self._readers.do("reads", a_second, seconds, self._load.connections)

    def _clients(self, at_rest: Usage) -> dict[str, Any]:
        load = self._load
        say(f"bench: {load.clients} clients listen to {load.watched} symbols each, {load.signals:.0f} signals a second")
        subscribed = self._listeners.do("subscribe", load.clients)
        time.sleep(_SETTLE_SECONDS)
        resident = self._served.usage().resident_bytes - at_rest.resident_bytes
        heard = self._spent(lambda: self._listeners.do("hear", load.seconds), load.seconds)
        return {**subscribed, "resident_bytes_a_client": round(resident / max(1, load.clients)), **heard}

    def _idle(self) -> dict[str, Any]:
        """Silent sockets are let go after a while; until then, readers and listeners must not notice them."""
        say(f"bench: {self._idle_sockets} sockets that say nothing, while others read and listen")
        opened = self._readers.do("idle", self._idle_sockets)
        seconds = min(_IDLE_SECONDS, self._load.seconds)
        reads = self._readers.do("reads", self._load.reads / 4, seconds, self._load.connections)
        heard = self._listeners.do("hear", seconds)
        still = self._readers.do("idle_open")["open"]
        sockets = {"asked": self._load.idle_sockets, "opened": opened["open"], "open_at_the_end": still, "let_go": self._let_go()}
        return {**sockets, "reads": reads, "clients": heard}

    def _let_go(self) -> bool:
        """Whether all of them are closed once their time is over."""
        deadline = time.monotonic() + 1.5 * SILENT_SECONDS
        while self._readers.do("idle_open")["open"] and time.monotonic() < deadline:
            time.sleep(0.5)
        return bool(self._readers.do("idle_open")["open"] == 0)

    def _spent(self, work: Callable[[], dict[str, Any] | None], seconds: float) -> dict[str, Any]:
        """What work gives, and what the program used for it."""
        before, stolen, began = self._served.usage(), stolen_seconds(), time.monotonic()
        found = work() or {}
        after, passed = self._served.usage(), time.monotonic() - began
        used = {"cpu_seconds": round(after.cpu_seconds - before.cpu_seconds, 3), "passed_seconds": round(passed, 3)}
        return found | used | {"resident_bytes": after.resident_bytes, "stolen_seconds": round(stolen_seconds() - stolen, 2)}


def _put_into_redis(settings: Settings, load: ServingLoad) -> None:
    """What the online store would have written; each is replaced by the first of the stream."""
    writer = RedisWriter(settings.online.redis_url, settings.online.time_to_live_seconds)
    decoder = OnlineDecoder(settings.topics.features, settings.topics.signals, PINNED)
    now = time.time_ns()
    signals = [encode_signal(made_signal(symbol_name(place), now)) for place in range(load.symbols)]
    writer.write(writer.generation(), [decoder.decode(settings.topics.signals, each) for each in signals])
    writer.close()


def _limits(found: dict[str, Any], load: ServingLoad) -> dict[str, bool]:
    """What was asked for, and whether it is so."""
    reads, clients, idle = found["reads"], found["clients"], found["idle"]
    wrong = reads["wrong"] + found["most_reads"]["wrong"] + clients["wrong"] + idle["reads"]["wrong"] + idle["clients"]["wrong"]
    return {
        "every_read_answered": reads["requests"] == reads["requests_asked"],
        "every_answer_right": wrong == 0,
        "nobody_behind": found["newest"]["behind"] == 0 and found["newest"]["compared"] == load.clients * load.watched,
        "signals_a_second": reads["signals_a_second"] >= min(SIGNALS_A_SECOND, 0.95 * load.reads * load.watched),
        "read_p99": _within(reads, READ_MILLISECONDS),
        "clients_held": clients["clients"] == clients["told"] == load.clients,
        "signal_p99": _within(clients, SIGNAL_MILLISECONDS),
        "idle_sockets_held": idle["opened"] == idle["open_at_the_end"] == load.idle_sockets and idle["let_go"],
        "idle_sockets_do_no_harm": _within(idle["reads"], READ_MILLISECONDS)
        and _within(idle["clients"], SIGNAL_MILLISECONDS)
        and idle["clients"]["clients"] == load.clients,
    }


def _within(part: dict[str, Any], milliseconds: float) -> bool:
    """Whether there was anything, and p99 of it is low enough."""
    return part["milliseconds"] is not None and bool(part["milliseconds"]["p99"] <= milliseconds)


def _costs(found: dict[str, Any], load: ServingLoad) -> Costs:
    """Of one process. What the stream costs is taken off the other parts."""
    stream, reads, clients = found["stream"], found["most_reads"], found["clients"]
    a_signal = stream["cpu_seconds"] / (stream["passed_seconds"] * stream["signals_a_second"])
    flow = a_signal * load.signals

    def share(part: dict[str, Any], count: int) -> float:
        return max(0.0, float(part["cpu_seconds"] - flow * part["passed_seconds"])) / max(1, count)

    return Costs(
        cpu_seconds_a_read=share(reads, reads["requests"]),
        bytes_a_read=reads["bytes"] / max(1, reads["requests"]),
        cpu_seconds_a_message=share(clients, clients["messages"]),
        bytes_a_message=clients["bytes"] / max(1, clients["messages"]),
        messages_a_client_a_second=clients["messages_a_second"] / max(1, load.clients),
        seconds_between_signals=load.symbols / load.signals,
        cpu_seconds_a_signal=a_signal,
        clients_a_process=load.clients,
        resident_bytes=stream["resident_bytes"],
        resident_bytes_a_client=max(0, clients["resident_bytes_a_client"]),
    )
