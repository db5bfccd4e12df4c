"""Around every request: its id, a limit on its body, headers that keep browsers from harm, and one line in the access log."""

from __future__ import annotations

import json
import re
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY: Final = 65_536
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9-]{8,64}")
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; "
    b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", _POLICY),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def to_stderr(entry: dict[str, Any]) -> None:
    """One line of JSON: what a caller chose is quoted there, so it cannot begin a line of its own."""
    sys.stderr.write(json.dumps(entry) + "\n")


class Guard:
    """The outermost layer of the application."""

    def __init__(self, application: ASGIApp, log: Callable[[dict[str, Any]], None] | None = to_stderr) -> None:
        self._application, self._log = application, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._application(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        headers = dict(scope["headers"])
        state["request_id"] = request_id = _request_id(headers)
        began, answered = time.monotonic(), [0]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered[0] = message["status"]
                message["headers"] = [*message.get("headers", ()), *_own_headers(message, request_id)]
            await send(message)

        try:
            await self._application(scope, _limited(receive, headers), send_with_headers)
        finally:
            if self._log is not None:
                self._log(_entry(scope, state, answered[0], time.monotonic() - began))


def _entry(scope: Scope, state: dict[str, Any], status: int, seconds: float) -> dict[str, Any]:
    """No query, no headers and no body: a secret can stand in none of these."""
    return {
        "time": round(time.time(), 3),
        "request_id": state["request_id"],
        "method": scope.get("method", "WEBSOCKET"),
        "path": scope["path"][:200],
        "status": status,
        "milliseconds": round(seconds * 1e3, 2),
        "key": state.get("key_id", ""),
    }


def _own_headers(message: Message, request_id: str) -> list[tuple[bytes, bytes]]:
    """Files of the page have a tag and may be kept if they are asked after; answers are not kept anywhere."""
    is_file = any(name == b"etag" for name, _ in message.get("headers", ()))
    return [(b"x-request-id", request_id.encode()), (b"cache-control", b"no-cache" if is_file else b"no-store"), *HEADERS]


def _request_id(headers: dict[bytes, bytes]) -> str:
    given = headers.get(b"x-request-id", b"").decode("latin-1")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _limited(receive: Receive, headers: dict[bytes, bytes]) -> Receive:
    """Reading a body fails once more has come than is allowed, whatever its header says."""
    seen = 0
    announced = headers.get(b"content-length", b"0")

    async def receive_some() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b"")) if message["type"] == "http.request" else 0
        if seen > LARGEST_BODY or (announced.isdigit() and int(announced[:20]) > LARGEST_BODY):
            raise HTTPException(413, f"the body is larger than {LARGEST_BODY} bytes")
        return message

    return receive_some
