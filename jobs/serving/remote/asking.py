"""A request to the application from inside its own process: what is not HTTP goes through the same gate, limits and access log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import orjson
from starlette.types import ASGIApp, Message, Scope


class Answer(NamedTuple):
    """What the application said."""

    status: int
    headers: dict[str, str]
    body: Any
    """Parsed; None where it is no JSON."""


async def ask(
    application: ASGIApp, path: str, query: Mapping[str, str], headers: Mapping[str, str], client: tuple[str, int] | None
) -> Answer:
    """GET a path. Parameters that are empty are left out."""
    started, parts = dict[str, Any](), list[bytes]()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    requests = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        found = next(requests, None)
        return found if found is not None else await asyncio.Future()

    await application(_scope(path, query, headers, client), receive, send)
    said = {name.decode("latin-1"): value.decode("latin-1") for name, value in started["headers"]}
    return Answer(int(started["status"]), said, _parsed(b"".join(parts)))


def _scope(path: str, query: Mapping[str, str], headers: Mapping[str, str], client: tuple[str, int] | None) -> Scope:
    asked = urlencode({name: value for name, value in query.items() if value})
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": quote(path).encode(),
        "root_path": "",
        "query_string": asked.encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "client": client,
        "server": None,
    }


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
