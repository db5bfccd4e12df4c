"""Live watchlists over server-sent events and WebSocket: the newest signal of each symbol and alerts, as they come."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, Query, Response, WebSocket
from starlette.requests import HTTPConnection, Request
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from jobs.serving.api.access import Caller, Reader, may_see_rule, parts_of
from jobs.serving.api.hub import Subscriber
from jobs.serving.api.parts import Parts
from jobs.serving.api.problems import Problem, documented
from jobs.serving.api.schemas import SYMBOLS_PATTERN
from jobs.serving.api.views import alert_view

router = APIRouter(prefix="/v1", tags=["live"])
HELLO_SECONDS: Final = 10.0
LARGEST_HELLO: Final = 16_384
_POLICY_VIOLATION, _TRY_AGAIN_LATER = 1008, 1013


async def next_message(parts: Parts, subscriber: Subscriber) -> bytes:
    """What is new for a client, as JSON; without content when nothing came for a while."""
    symbols, alerts = await subscriber.changes()
    found = await parts.reads.newest("signals", symbols) if symbols else []
    signals = b",".join(map(parts.reads.shared_answer, found))
    told = orjson.dumps([alert_view(alert) for alert in alerts]) if alerts else b"[]"
    return b'{"signals":[%b],"alerts":%b,"skipped":%d}' % (signals, told, subscriber.skipped)


@contextmanager
def subscribed(parts: Parts, caller: Caller, symbols: list[str]) -> Iterator[Subscriber]:
    """A client while it listens. Raises Problem when too many do."""
    if len(parts.hub) >= parts.serve.most_streams or parts.streams_of_key[caller.key_id] >= parts.serve.most_streams_of_key:
        raise Problem(429, "too_many_streams", "too many clients listen already", {"Retry-After": "10"})
    subscriber = Subscriber(symbols, lambda rule_id: may_see_rule(caller, rule_id))
    parts.hub.add(subscriber)
    parts.streams_of_key[caller.key_id] += 1
    try:
        yield subscriber
    finally:
        parts.hub.remove(subscriber)
        parts.streams_of_key[caller.key_id] -= 1


class EventStream(Response):
    """Server-sent events until the client goes, or takes nothing for too long."""

    media_type = "text/event-stream"

    def __init__(self, parts: Parts, caller: Caller, symbols: list[str]) -> None:
        self._context = subscribed(parts, caller, symbols)
        self._subscriber = self._context.__enter__()
        self._parts = parts
        super().__init__()
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            gone = asyncio.ensure_future(_until_gone(receive))
            sending = asyncio.ensure_future(self._send(send))
            self._subscriber.let_go = sending.cancel
            _, pending = await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(gone, sending, return_exceptions=True)
        finally:
            self._context.__exit__(None, None, None)

    async def _send(self, send: Send) -> None:
        while True:
            message = await next_message(self._parts, self._subscriber)
            body = b"event: update\ndata: %b\n\n" % message
            await send({"type": "http.response.body", "body": body, "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@router.get(
    "/stream",
    response_class=Response,
    responses={**documented(), 200: {"content": {"text/event-stream": {}}, "description": "events `update`: signals, alerts, skipped"}},
)
async def stream(
    request: Request,
    caller: Reader,
    symbols: Annotated[str, Query(pattern=SYMBOLS_PATTERN, description="up to 200, with commas between")],
) -> Response:
    """A live watchlist as server-sent events; at first every symbol once. A slow reader is told the newest alone."""
    return EventStream(parts_of(request), caller, symbols.split(","))


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """The same over a WebSocket. Its first message is `{"key": …, "symbols": […]}`; the key may stand in `Authorization` instead."""
    if not _is_own_page(socket):
        await socket.close(_POLICY_VIOLATION)
        return
    await socket.accept()
    try:
        await _serve(socket, parts_of(socket))
    except Problem as problem:
        await socket.close(_TRY_AGAIN_LATER if problem.status == 429 else _POLICY_VIOLATION, problem.code)
    except (KeyError, TimeoutError, WebSocketDisconnect, RuntimeError):
        await _close_quietly(socket)


async def _serve(socket: WebSocket, parts: Parts) -> None:
    key, symbols = _hello(await asyncio.wait_for(socket.receive_text(), HELLO_SECONDS))
    given = socket.headers.get("authorization", "").removeprefix("Bearer ")
    caller = parts.gate.admit(socket, key or given, "read")
    with subscribed(parts, caller, symbols) as subscriber:
        gone = asyncio.ensure_future(_until_closed(socket))
        sending = asyncio.ensure_future(_send(socket, parts, subscriber))
        subscriber.let_go = sending.cancel
        _, pending = await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(gone, sending, return_exceptions=True)
    await _close_quietly(socket)


async def _send(socket: WebSocket, parts: Parts, subscriber: Subscriber) -> None:
    while True:
        message = await next_message(parts, subscriber)
        await socket.send_text(message.decode())


async def _until_closed(socket: WebSocket) -> None:
    """What the client says after its first message is not listened to."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _close_quietly(socket: WebSocket) -> None:
    try:
        await asyncio.wait_for(socket.close(), 1.0)
    except (TimeoutError, RuntimeError, WebSocketDisconnect):
        return


def _hello(text: str) -> tuple[str, list[str]]:
    """Key and symbols of the first message. Raises Problem."""
    try:
        found = orjson.loads(text) if len(text) <= LARGEST_HELLO else None
    except orjson.JSONDecodeError:
        found = None
    symbols = found.get("symbols") if isinstance(found, dict) else None
    key = found.get("key", "") if isinstance(found, dict) else ""
    listed = isinstance(symbols, list) and all(isinstance(symbol, str) for symbol in symbols)
    if not listed or not isinstance(key, str) or not re.fullmatch(SYMBOLS_PATTERN, ",".join(symbols or [])):
        raise Problem(422, "invalid", "")
    return key, list(symbols or [])


def _is_own_page(connection: HTTPConnection) -> bool:
    """Browsers say which page opens a socket; pages of others may not. Programs say nothing."""
    origin = connection.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == connection.headers.get("host")
