"""Everything that can go wrong with a request, in one form: `{"error": {"code", "message", "request_id"}}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from infra.local.console import say
from jobs.serving.api.schemas import Trouble


class Problem(Exception):
    """A request that is not answered as it wished. `code` is for programs and stays the same over versions."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers or {})


CODE_OF_STATUS: Final = {400: "malformed_request", 404: "no_such_path", 405: "method_not_allowed", 413: "too_large", 415: "not_json"}
MEANINGS: Final = {
    400: "the request cannot be read",
    401: "no key, or one that is unknown, expired or revoked",
    403: "the key's scopes do not allow it",
    404: "no such thing, or none that belongs to this user",
    405: "the path does not know this method",
    409: "a limit on how many there may be is reached",
    413: "the body is larger than 64 KiB",
    422: "a parameter or the body is not as the document says",
    429: "too many requests, or too many at once; Retry-After says when to come again",
    503: "Kafka or the lake does not answer; nothing was changed",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=` of a path: these problems, and those that every path has."""
    return {status: {"model": Trouble, "description": MEANINGS[status]} for status in (400, 401, 403, 413, 422, 429, *statuses)}


def install(application: FastAPI) -> None:
    """Let every error leave in the one form."""
    application.add_exception_handler(Problem, _problem)
    application.add_exception_handler(HTTPException, _http)
    application.add_exception_handler(RequestValidationError, _invalid)
    application.add_exception_handler(Exception, _unforeseen)


def body(request: Request, code: str, message: str) -> dict[str, Any]:
    """The one form."""
    return {"error": {"code": code, "message": message, "request_id": getattr(request.state, "request_id", "")}}


async def _problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return JSONResponse(body(request, error.code, error.message), error.status, error.headers)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = CODE_OF_STATUS.get(error.status_code, "refused")
    return JSONResponse(body(request, code, str(error.detail)), error.status_code, error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    return JSONResponse(body(request, "invalid", "; ".join(map(_words, error.errors()))), 422)


async def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    """A mistake of this program: said in its log under the request's id, never to the caller."""
    say(f"serve: request {getattr(request.state, 'request_id', '')}: {type(error).__name__}: {error}")
    return JSONResponse(body(request, "internal", "this program made a mistake; its log has more under the request id"), 500)


def _words(detail: Mapping[str, Any]) -> str:
    """Where and what, without repeating what was sent."""
    where: Sequence[object] = detail["loc"]
    return f"{'.'.join(map(str, where))}: {detail['msg']}"
