"""A gate in front of the object store: it lets requests through, refuses connections, answers late, or says 503 to everything."""

from __future__ import annotations

import select
import socket
import socketserver
import threading
import time
from enum import Enum
from types import TracebackType
from urllib.parse import urlsplit

LATE_SECONDS = 1.0
_BUSY = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_PIECE = 65_536


class Mood(Enum):
    """What the gate does with a connection, and with those that are open."""

    OPEN = "open"
    REFUSES = "refuses"
    SLOW = "slow"
    BUSY = "busy"


class StoreGate:
    """Listens on a port of its own inside the `with` block. Requests are signed for the address that they name: they pass as they are."""

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        self._store = (str(parts.hostname), int(parts.port or 80))
        self.mood = Mood.OPEN
        self._server = _Server((self._store[0], 0), self._handle)
        self.endpoint = f"http://{self._store[0]}:{self._server.server_address[1]}"

    def __enter__(self) -> StoreGate:
        threading.Thread(target=self._server.serve_forever, name="store-gate", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, client: socket.socket) -> None:
        if self.mood is Mood.REFUSES:
            return
        if self.mood is Mood.BUSY:
            client.recv(_PIECE)
            client.sendall(_BUSY)
            return
        with socket.create_connection(self._store) as store:
            self._relay(client, store)

    def _relay(self, client: socket.socket, store: socket.socket) -> None:
        """Copy both ways until either ends or the mood turns against open connections."""
        other = {client: store, store: client}
        while self.mood in (Mood.OPEN, Mood.SLOW):
            ready, _, _ = select.select([client, store], [], [], 0.2)
            for source in ready:
                if self.mood is Mood.SLOW and source is client:
                    time.sleep(LATE_SECONDS)
                piece = source.recv(_PIECE)
                if not piece:
                    return
                other[source].sendall(piece)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], handle: object) -> None:
        self._act = handle
        super().__init__(address, socketserver.BaseRequestHandler)

    def finish_request(self, request: object, client_address: object) -> None:
        try:
            self._act(request)  # type: ignore[operator]
        except OSError:  # one side has gone
            pass
