"""The reads over gRPC (`infra/schemas/serving/reads.proto`): each call asks the HTTP application, so both say the same of the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import grpc
from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError, Message
from starlette.types import ASGIApp

from jobs.serving.api.guard import LARGEST_BODY
from jobs.serving.api.schemas import SYMBOL_PATTERN
from jobs.serving.remote.asking import Answer, ask
from jobs.serving.remote.generated import reads_pb2 as reads

SERVICE: Final = "tickflow.serving.v1.Reads"
MOST_CALLS: Final = 1_000
"""At once; what is beyond is refused as RESOURCE_EXHAUSTED."""
STOP_SECONDS: Final = 2.0
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", LARGEST_BODY),
    ("grpc.max_concurrent_streams", 100),
    ("grpc.max_connection_idle_ms", 300_000),
    ("grpc.so_reuseport", 0),
)
_CODES: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.NOT_FOUND,
    422: grpc.StatusCode.INVALID_ARGUMENT,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}
_PASSED_ON: Final = ("authorization", "x-request-id")
"""Of a call's metadata."""

Asked = tuple[str, Mapping[str, str]]
"""Path and query."""


class Call(NamedTuple):
    """One call: its messages, and what is asked of the application for it."""

    request: type[Message]
    answer: type[Message]
    asks: Callable[[Any], Asked]


class BadSymbol(ValueError):
    """What was given is no symbol: it must not become part of a path."""


def _symbol(text: str) -> str:
    if not re.fullmatch(SYMBOL_PATTERN, text):
        raise BadSymbol
    return text


def _stored(rows: str) -> Callable[[Any], Asked]:
    def asked(wanted: Any) -> Asked:
        length = str(wanted.length_seconds or "") if rows == "bars" else ""
        query = {
            "from": wanted.since,
            "to": wanted.until,
            "before": wanted.before,
            "limit": str(wanted.limit or ""),
            "length_seconds": length,
        }
        return f"/v1/symbols/{_symbol(wanted.symbol)}/{rows}", query

    return asked


CALLS: Final[Mapping[str, Call]] = {
    "Signals": Call(reads.Watchlist, reads.SignalAnswers, lambda wanted: ("/v1/signals", {"symbols": ",".join(wanted.symbols)})),
    "Features": Call(reads.OneSymbol, reads.FeaturesAnswer, lambda wanted: (f"/v1/features/{_symbol(wanted.symbol)}", {})),
    "Book": Call(reads.OneSymbol, reads.BookAnswer, lambda wanted: (f"/v1/book/{_symbol(wanted.symbol)}", {})),
    "Bars": Call(reads.StoredRows, reads.Page, _stored("bars")),
    "StoredSignals": Call(reads.StoredRows, reads.Page, _stored("signals")),
    "Alerts": Call(reads.Newest, reads.AlertAnswers, lambda wanted: ("/v1/alerts", {"limit": str(wanted.limit or "")})),
    "Models": Call(reads.Nothing, reads.ModelAnswers, lambda _: ("/v1/models", {})),
    "Freshness": Call(reads.Nothing, reads.FreshnessAnswer, lambda _: ("/v1/freshness", {})),
    "Health": Call(reads.Nothing, reads.Alive, lambda _: ("/health", {})),
}


async def start(application: ASGIApp, address: str) -> Any:
    """Serve at `HOST:PORT` until it is stopped. Raises OSError when nobody can listen there."""
    server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=MOST_CALLS)
    handlers = {name: _handler(application, call) for name, call in CALLS.items()}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"nobody can listen at {address} for gRPC: {error}") from error
    await server.start()
    return server


def _handler(application: ASGIApp, call: Call) -> Any:
    async def answer(request: bytes, context: Any) -> Message:
        try:
            path, query = call.asks(call.request.FromString(request))
        except (BadSymbol, DecodeError) as error:
            words = "this is no symbol" if isinstance(error, BadSymbol) else "the message cannot be read"
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"invalid: {words}")
        given = {name: value for name, value in context.invocation_metadata() if name in _PASSED_ON and isinstance(value, str)}
        found = await ask(application, path, query, given, _client(context.peer()))
        context.set_trailing_metadata((("x-request-id", found.headers.get("x-request-id", "")),))
        if found.status != 200:
            await context.abort(_CODES.get(found.status, grpc.StatusCode.UNKNOWN), _words(found))
        return ParseDict(found.body, call.answer(), ignore_unknown_fields=True)

    return grpc.unary_unary_rpc_method_handler(answer, response_serializer=call.answer.SerializeToString)


def _words(found: Answer) -> str:
    error = found.body.get("error", {}) if isinstance(found.body, dict) else {}
    return f"{error.get('code', 'failed')}: {error.get('message', '')}"


def _client(peer: str) -> tuple[str, int] | None:
    """Address and port of `ipv4:HOST:PORT` or `ipv6:[HOST]:PORT`, by which strangers are told apart."""
    host, _, port = peer.partition(":")[2].rpartition(":")
    return (host.strip("[]"), int(port)) if port.isdigit() else None
