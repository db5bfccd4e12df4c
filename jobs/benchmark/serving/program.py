"""What is measured, and what feeds it: `serve` in a process of its own, and signals that come at a steady rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
from confluent_kafka import Producer

from infra.local import environment, paths, ports, processes
from jobs.benchmark.serving.market import made_signal, symbol_name
from jobs.gateway.publisher import PublisherSettings
from jobs.serving.api.users import Users
from jobs.serving.online_process import as_variables
from jobs.settings import Settings
from udfs.codecs.signals import encode_signal

_SECOND: Final = 1_000_000_000
_START_SECONDS: Final = 180.0
_KEYS: Final = 10


@dataclass(frozen=True)
class Usage:
    """What a process had used by a moment."""

    cpu_seconds: float
    resident_bytes: int


class ServedProgram:
    """The running API."""

    def __init__(self, port: int, keys: tuple[str, ...], program: processes.Program) -> None:
        self.port, self.keys, self.program = port, keys, program
        self._process = psutil.Process(program.pid)
        self._client = httpx.Client(base_url=f"http://{ports.HOST}:{port}", headers={"Authorization": f"Bearer {keys[0]}"}, timeout=30)

    def usage(self) -> Usage:
        """What it has used."""
        times = self._process.cpu_times()
        return Usage(times.user + times.system, self._process.memory_info().rss)

    def freshness(self) -> dict[str, Any]:
        """How it sees the stream; empty while it does not answer."""
        try:
            answer = self._client.get("/v1/freshness")
        except httpx.TransportError:
            return {}
        return dict(answer.json()) if answer.status_code == 200 else {}

    def wait_for(self, symbols: int) -> None:
        """Return when it knows so many symbols from the stream. Raises SetupError."""
        processes.wait_until(lambda: self.freshness().get("symbols", -1) >= symbols, self.program, _START_SECONDS)


@contextmanager
def served_program(settings: Settings, folder: Path) -> Iterator[ServedProgram]:
    """`serve` for these services until the block ends, with keys of its own that no rate holds back."""
    users, port = folder / "serving" / "users.db", ports.free_port(set())
    keys = tuple(Users(users).add_key(f"bench-{number}", ["read"])[1] for number in range(_KEYS))
    options = ["--port", str(port), "--users", str(users), "--data", str(folder), "--rate", "1000000", "--stale-seconds", "3600"]
    variables = {**environment.program_environment(), "PYTHONPATH": str(paths.ROOT), **as_variables(settings)}
    command = [str(paths.PYTHON), "-m", "jobs.serving.api.program", *options]
    program = processes.start("serve", command, folder / "logs" / "serve.log", variables, detached=False)
    try:
        yield ServedProgram(port, keys, program)
    finally:
        processes.stop([program])


class SignalFlow:
    """Signals of all symbols in turn at a steady rate, each sent when its time comes, in a thread of its own."""

    def __init__(self, settings: Settings, symbols: int) -> None:
        self.newest: dict[str, int] = {}
        self.sent = 0
        self._topic, self._symbols = settings.topics.signals, symbols
        self._producer = Producer(PublisherSettings.of(settings.kafka).properties())
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def send_each_once(self) -> None:
        """One signal of each symbol, acknowledged."""
        for _ in range(self._symbols):
            self._send(time.time_ns())
        self._producer.flush()

    @contextmanager
    def flowing(self, a_second: float) -> Iterator[None]:
        """Send at this rate until the block ends; everything is acknowledged then."""
        self._stopped.clear()
        self._thread = threading.Thread(target=self._flow, args=(a_second,), name="signals", daemon=True)
        self._thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            self._thread.join()
            self._producer.flush()

    def _flow(self, a_second: float) -> None:
        begun, number = time.time_ns(), 0
        while not self._stopped.is_set():
            planned = begun + int(number / a_second * _SECOND)
            wait = (planned - time.time_ns()) / _SECOND
            if wait > 0:
                self._producer.poll(0)
                time.sleep(min(wait, 0.05))
                continue
            self._send(planned)
            number += 1

    def _send(self, number: int) -> None:
        symbol = symbol_name(self.sent % self._symbols)
        self._producer.produce(self._topic, encode_signal(made_signal(symbol, number)), symbol.encode(), timestamp=number // 1_000_000)
        self.newest[symbol] = number
        self.sent += 1
