"""Connections of the load generator: plain sockets that speak just enough HTTP and WebSocket (RFC 6455), so that they cost little.

Each hands on what it received with the time at which it came, nanoseconds since 1970.
"""

from __future__ import annotations

import asyncio
import os
import struct
import time
from collections.abc import Callable
from typing import Any, Final

import orjson

_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
_LENGTH: Final = b"content-length: "
Take = Callable[[bytes, int], None]


class Connection(asyncio.Protocol):
    """A socket that says nothing by itself, and does not look at what it receives."""

    def __init__(self) -> None:
        self.is_open = False
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        self.is_open, self._transport = True, transport

    def connection_lost(self, _error: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.is_open = False

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


class Talker(Connection):
    """Sends its request when it is connected, and hands what it is told to `take`."""

    def __init__(self, request: bytes, take: Take) -> None:
        super().__init__()
        self.bytes = 0
        """Received so far."""
        self._request, self._take, self._buffer = request, take, b""

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        if self._request:
            transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        now = time.time_ns()
        self.bytes += len(data)
        self._buffer += data
        self._look(now)

    def _look(self, now: int) -> None:
        """Take what is whole from the buffer."""
        raise NotImplementedError


class Reader(Talker):
    """One request at a time over one connection; `take` is called with each body, which is empty unless the status is 200."""

    def __init__(self) -> None:
        super().__init__(b"", lambda _body, _now: None)

    def ask(self, request: bytes, take: Take) -> None:
        """Send a request."""
        self._take = take
        self._transport.write(request)

    def _look(self, now: int) -> None:
        head = self._buffer.find(b"\r\n\r\n") + 4
        if head < 4:
            return
        at = self._buffer.find(_LENGTH, 0, head) + len(_LENGTH)
        end = head + int(self._buffer[at : self._buffer.find(b"\r", at)])
        if len(self._buffer) < end:
            return
        body = self._buffer[head:end] if self._buffer.startswith(b"HTTP/1.1 200 ") else b""
        self._buffer = self._buffer[end:]
        self._take(body, now)


class EventStream(Talker):
    """Server-sent events; `take` is called with the data of each."""

    def _look(self, now: int) -> None:
        *events, self._buffer = self._buffer.split(b"\n\n")
        for event in events:
            self._take(event[event.find(b"data: ") + 6 :], now)


class Socket(Talker):
    """A WebSocket client; `take` is called with each text."""

    def __init__(self, request: bytes, hello: bytes, take: Take) -> None:
        super().__init__(request, take)
        self._hello, self._greeted = hello, False

    def _look(self, now: int) -> None:
        if not self._greeted:
            self._greet()
        while self._greeted and (frame := _frame(self._buffer)):
            kind, content, end = frame
            self._buffer = self._buffer[end:]
            self._answer(kind, content, now)

    def _greet(self) -> None:
        end = self._buffer.find(b"\r\n\r\n") + 4
        if end >= 4 and self._buffer.startswith(b"HTTP/1.1 101 "):
            self._buffer, self._greeted = self._buffer[end:], True
            self._transport.write(_masked(_TEXT, self._hello))

    def _answer(self, kind: int, content: bytes, now: int) -> None:
        if kind == _TEXT:
            self._take(content, now)
        elif kind == _PING:
            self._transport.write(_masked(_PONG, content))
        elif kind == _CLOSE:
            self.close()


def _frame(buffer: bytes) -> tuple[int, bytes, int] | None:
    """Kind, content and end of the first whole frame."""
    if len(buffer) < 2:
        return None
    start, size = 2, buffer[1] & 127
    if size >= 126:
        start, form = (4, ">H") if size == 126 else (10, ">Q")
        if len(buffer) < start:
            return None
        (size,) = struct.unpack_from(form, buffer, 2)
    end = start + size
    return (buffer[0] & 15, buffer[start:end], end) if len(buffer) >= end else None


def _masked(kind: int, content: bytes) -> bytes:
    """A frame as clients send it; nothing here is longer than 64 KiB."""
    mask = os.urandom(4)
    size = bytes([128 | len(content)]) if len(content) < 126 else bytes([128 | 126]) + struct.pack(">H", len(content))
    return bytes([128 | kind]) + size + mask + bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))


def reading(path: str, key: str) -> bytes:
    """A request that leaves its connection open."""
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


def upgrade(path: str) -> bytes:
    """The beginning of a WebSocket."""
    lines = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGlja2Zsb3ctYmVuY2gtMQ==")
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: bench", *lines, "", "")).encode()


def hello(key: str, symbols: list[str]) -> bytes:
    """The first message over a WebSocket."""
    return orjson.dumps({"key": key, "symbols": symbols})
