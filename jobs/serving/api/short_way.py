"""The short way of the one request that everybody makes all the time: the newest signals of a watchlist.

It does what the path of the same name does, with the same gate, and leaves out what makes a framework general, which costs more than the
answer. Whatever is not exactly this request, or is not answered as it wished, goes the long way, which says what is wrong.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from jobs.serving.api.access import parts_of
from jobs.serving.api.parts import Parts
from jobs.serving.api.problems import Problem
from jobs.serving.api.reading_paths import watchlist

PATH: Final = "/v1/signals"
_SYMBOL: Final = rb"[A-Za-z0-9._:-]{1,64}"
_QUERY: Final = re.compile(rb"symbols=(%b(?:(?:,|%%2C)%b){0,199})" % (_SYMBOL, _SYMBOL))
_BEARER: Final = b"Bearer "


class ShortWay:
    """In front of the paths."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        asked = _QUERY.fullmatch(scope["query_string"]) if _may_be_short(scope) else None
        parts = _admitted(scope) if asked else None
        if asked is None or parts is None:
            await self._application(scope, receive, send)
            return
        body = await watchlist(parts, asked[1].replace(b"%2C", b",").decode().split(","))
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _may_be_short(scope: Scope) -> bool:
    return scope["type"] == "http" and bool(scope["path"] == PATH and scope["method"] == "GET")


def _admitted(scope: Scope) -> Parts | None:
    """What answers are made of, if the caller may have them."""
    connection = HTTPConnection(scope)
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(given) != 1 or not given[0].startswith(_BEARER):
        return None
    parts: Parts = parts_of(connection)
    try:
        parts.gate.admit(connection, given[0].removeprefix(_BEARER).decode("latin-1"), "read")
    except Problem:
        return None
    return parts
