"""A load generator, in a process of its own: one for readers, one for listeners. It does what it is told, and checks every answer.

Reads are sent when their time comes, whether earlier ones were answered or not, and latencies count from that time: a server that falls
behind shows it (coordinated omission; Tene 2013).
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Any, Final

import numpy as np
import orjson
import uvloop

from jobs.benchmark.latency import distribution
from jobs.benchmark.serving.connections import Connection, EventStream, Reader, Socket, Take, hello, reading, upgrade
from jobs.benchmark.serving.market import number_of, symbol_name
from jobs.serving.api.protocol import raise_open_files

_SECOND: Final = 1_000_000_000
_TICK_SECONDS: Final = 0.001
_WATCHLISTS: Final = 1_000
_CONNECTING_AT_ONCE: Final = 100
_PATIENCE_SECONDS: Final = 120.0


@dataclass(frozen=True)
class Target:
    """What is asked, and where."""

    host: str
    port: int
    keys: tuple[str, ...]
    symbols: int
    watched: int
    """Symbols of a watchlist."""


class LoadGenerator:
    """The process, seen from the program that started it."""

    def __init__(self, target: Target) -> None:
        context = multiprocessing.get_context("spawn")
        self._here, there = context.Pipe()
        self.process = context.Process(target=_main, args=(target, there), daemon=True)
        self.process.start()

    def do(self, what: str, *arguments: Any) -> dict[str, Any]:
        """Have something done, one of the methods of `Crowd`, and wait for what came of it. Raises EOFError when the process has died."""
        self._here.send((what, arguments))
        found: dict[str, Any] = self._here.recv()
        return found

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.join()


@dataclass
class Listener:
    """What a client that listens has been told."""

    symbols: list[str]
    newest: dict[str, int] = field(default_factory=dict)


@dataclass
class Heard:
    """What all of them were told since it was last asked."""

    nanoseconds: list[int] = field(default_factory=list)
    messages: int = 0
    wrong: int = 0


class Crowd:
    """Everyone who uses the API."""

    def __init__(self, target: Target) -> None:
        self._target, self._random = target, random.Random(1)
        self._watchlists = [self._watchlist() for _ in range(_WATCHLISTS)]
        self._listeners: list[Listener] = []
        self._streams: list[EventStream | Socket] = []
        self._idle: list[Connection] = []
        self._heard = Heard()

    async def reads(self, a_second: float, seconds: float, connections: int) -> dict[str, Any]:
        """Read watchlists at a rate (endless: each connection as fast as it is answered)."""
        readers = [await self._connected(Reader()) for _ in range(connections)]
        requests = [
            (reading(f"/v1/signals?symbols={','.join(each)}", self._key(place)), each) for place, each in enumerate(self._watchlists)
        ]
        run = _Reads(readers, requests, a_second, seconds)
        await run.finish()
        for reader in readers:
            reader.close()
        result = run.result()
        return result | {"signals_a_second": round(result["requests_a_second"] * self._target.watched)}

    async def subscribe(self, clients: int) -> dict[str, Any]:
        """Let so many clients listen, every second one over a WebSocket; returns when each was told its whole watchlist."""
        await self._together([self._listen(place) for place in range(clients)])
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while sum(map(self._is_told, self._listeners)) < clients and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
        self._heard = Heard()
        return {"clients": sum(stream.is_open for stream in self._streams), "told": sum(map(self._is_told, self._listeners))}

    async def hear(self, seconds: float) -> dict[str, Any]:
        """Listen for a while."""
        self._heard, before = Heard(), sum(stream.bytes for stream in self._streams)
        await asyncio.sleep(seconds)
        heard = self._heard
        return {
            "clients": sum(stream.is_open for stream in self._streams),
            "messages": heard.messages,
            "messages_a_second": round(heard.messages / seconds, 1),
            "signals": len(heard.nanoseconds),
            "wrong": heard.wrong,
            "bytes": sum(stream.bytes for stream in self._streams) - before,
            **distribution(np.array(heard.nanoseconds) / 1e6),
        }

    async def compare(self, newest: dict[str, int]) -> dict[str, Any]:
        """How many symbols of how many clients are not at their newest number."""
        pairs = [(listener.newest.get(symbol), newest[symbol]) for listener in self._listeners for symbol in listener.symbols]
        return {"compared": len(pairs), "behind": sum(found != wanted for found, wanted in pairs)}

    async def idle(self, sockets: int) -> dict[str, Any]:
        """Open sockets that say nothing."""
        self._idle = [Connection() for _ in range(sockets)]
        await self._together([self._connected(each) for each in self._idle])
        return await self.idle_open()

    async def idle_open(self) -> dict[str, Any]:
        """How many of them are still open."""
        return {"open": sum(each.is_open for each in self._idle)}

    async def _listen(self, place: int) -> None:
        listener = Listener(self._watchlist())
        take, key = self._taking(listener), self._key(place)
        stream: EventStream | Socket
        if place % 2:
            stream = Socket(upgrade("/v1/live"), hello(key, listener.symbols), take)
        else:
            stream = EventStream(reading(f"/v1/stream?symbols={','.join(listener.symbols)}", key), take)
        self._listeners.append(listener)
        self._streams.append(await self._connected(stream))

    def _taking(self, listener: Listener) -> Take:
        def take(data: bytes, now: int) -> None:
            heard, newest = self._heard, listener.newest
            heard.messages += 1
            for answer in orjson.loads(data)["signals"]:
                symbol = answer["symbol"]
                number, known = number_of(answer, symbol), newest.get(symbol, 1)
                heard.wrong += number < known
                if number > known:
                    newest[symbol] = number
                    heard.nanoseconds.append(now - number)

        return take

    def _is_told(self, listener: Listener) -> bool:
        return all(listener.newest.get(symbol) for symbol in listener.symbols)

    def _watchlist(self) -> list[str]:
        return [symbol_name(place) for place in self._random.sample(range(self._target.symbols), self._target.watched)]

    def _key(self, place: int) -> str:
        return self._target.keys[place % len(self._target.keys)]

    async def _connected(self, connection: Any) -> Any:
        await asyncio.get_running_loop().create_connection(lambda: connection, self._target.host, self._target.port)
        return connection

    async def _together(self, tasks: list[Any]) -> None:
        for first in range(0, len(tasks), _CONNECTING_AT_ONCE):
            await asyncio.gather(*tasks[first : first + _CONNECTING_AT_ONCE])


class _Reads:
    """One run of reads."""

    def __init__(self, readers: list[Reader], requests: list[tuple[bytes, list[str]]], a_second: float, seconds: float) -> None:
        self._free, self._readers, self._requests = deque(readers), readers, requests
        self._a_second, self._seconds, self._endless = a_second, seconds, a_second == float("inf")
        self._began = time.time_ns() + _SECOND // 20
        self._wanted = 0 if self._endless else int(a_second * seconds)
        self._sent = self._wrong = self._not_answered = 0
        self._nanoseconds: list[int] = []
        self._newest: dict[Reader, dict[str, int]] = {reader: {} for reader in readers}
        self._last = self._began

    async def finish(self) -> None:
        """Send, and wait for the answers."""
        end = time.monotonic() + self._seconds + 0.05
        while time.monotonic() < end:
            self._send_due()
            await asyncio.sleep(_TICK_SECONDS)
        self._wanted, self._endless = max(self._wanted, self._sent), False
        deadline = time.monotonic() + 10.0
        while len(self._nanoseconds) < self._wanted and time.monotonic() < deadline:
            self._send_due()
            await asyncio.sleep(_TICK_SECONDS)

    def result(self) -> dict[str, Any]:
        """What came of it."""
        seconds = max(self._last - self._began, 1) / _SECOND
        return {
            "requests": len(self._nanoseconds),
            "requests_asked": self._wanted,
            "requests_a_second": round(len(self._nanoseconds) / seconds, 1),
            "wrong": self._wrong,
            "bytes": sum(reader.bytes for reader in self._readers),
            **distribution(np.array(self._nanoseconds) / 1e6),
        }

    def _send_due(self) -> None:
        now = time.time_ns()
        due = 1 << 62 if self._endless else int(min(self._wanted, (now - self._began) / _SECOND * self._a_second + 1))
        while self._free and self._sent < due and now >= self._began:
            planned = now if self._endless else self._began + int(self._sent / self._a_second * _SECOND)
            self._ask(self._free.popleft(), planned)

    def _ask(self, reader: Reader, planned: int) -> None:
        request, symbols = self._requests[self._sent % len(self._requests)]
        self._sent += 1

        def take(body: bytes, now: int) -> None:
            self._nanoseconds.append(now - planned)
            self._last = now
            self._wrong += not _is_right(body, symbols, self._newest[reader])
            self._free.append(reader)
            self._send_due()

        reader.ask(request, take)


def _is_right(body: bytes, symbols: list[str], newest: dict[str, int]) -> bool:
    """Every symbol in its place, right by itself, and never older than what was answered before over the same connection."""
    answers = orjson.loads(body)["answers"] if body else []
    numbers = [number_of(answer, symbol) for answer, symbol in zip(answers, symbols, strict=False)]
    right = len(answers) == len(symbols) and all(number >= newest.get(symbol, 1) for symbol, number in zip(symbols, numbers))
    newest.update(zip(symbols, numbers))
    return right


def _main(target: Target, pipe: Pipe) -> None:
    raise_open_files()
    uvloop.run(_obey(Crowd(target), pipe))


async def _obey(crowd: Crowd, pipe: Pipe) -> None:
    while True:
        what, arguments = await asyncio.to_thread(pipe.recv)
        pipe.send(await getattr(crowd, what)(*arguments))
