"""A small schema registry over real HTTP on this machine: subjects, versions, ids, compatibility, basic or bearer credentials."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass
class RegistryState:
    """What the server holds and has seen."""

    url: str = ""
    authorization: str = ""
    """The header that a request must carry; any where empty."""
    ids: dict[str, int] = field(default_factory=dict)
    """Schema text to id, over all subjects, as real registries do."""
    subjects: dict[str, list[str]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    """Subjects that take no further version: incompatible."""
    requests: list[tuple[str, str, str | None]] = field(default_factory=list)
    """(method, path, Authorization header) in order."""
    redirect_to: str = ""
    raw_answer: bytes | None = None


class _Refusal(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.body = status, {"error_code": code, "message": message}


@contextmanager
def registry_server() -> Iterator[RegistryState]:
    """A running server; stopped at the end."""
    state = RegistryState()

    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    state: RegistryState

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""

    def _handle(self) -> None:
        state = self.state
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        state.requests.append((self.command, self.path, self.headers.get("Authorization")))
        if state.redirect_to:
            self.send_response(302)
            self.send_header("Location", state.redirect_to + self.path)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        try:
            if state.authorization and self.headers.get("Authorization") != state.authorization:
                raise _Refusal(401, 401, "Unauthorized")
            self._answer(200, state.raw_answer or json.dumps(self._route(body)).encode())
        except _Refusal as refusal:
            self._answer(refusal.status, json.dumps(refusal.body).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _route(self, body: bytes) -> Any:
        parts = [unquote(part) for part in self.path.strip("/").split("/")]
        match self.command, parts:
            case "POST", ["subjects", subject]:
                return self._look_up(subject, _schema(body))
            case "POST", ["subjects", subject, "versions"]:
                return self._register(subject, _schema(body))
            case "GET", ["subjects", subject, "versions"]:
                return list(range(1, 1 + len(self._versions(subject))))
            case "GET", ["subjects", subject, "versions", version]:
                schema = self._versions(subject)[int(version) - 1]
                return {"subject": subject, "version": int(version), "id": self.state.ids[schema], "schema": schema}
        raise _Refusal(404, 404, "HTTP 404 Not Found")

    def _versions(self, subject: str) -> list[str]:
        if subject not in self.state.subjects:
            raise _Refusal(404, 40401, f"Subject '{subject}' not found.")
        return self.state.subjects[subject]

    def _look_up(self, subject: str, schema: str) -> Any:
        versions = self._versions(subject)
        if schema not in versions:
            raise _Refusal(404, 40403, "Schema not found")
        return {"subject": subject, "id": self.state.ids[schema], "version": versions.index(schema) + 1, "schema": schema}

    def _register(self, subject: str, schema: str) -> Any:
        if subject in self.state.refused:
            raise _Refusal(409, 409, "Schema being registered is incompatible with an earlier schema")
        versions = self.state.subjects.setdefault(subject, [])
        if schema not in versions:
            versions.append(schema)
        return {"id": self.state.ids.setdefault(schema, 100_000 + len(self.state.ids))}


def _schema(body: bytes) -> str:
    request = json.loads(body)
    if request.get("schemaType") != "PROTOBUF" or not request.get("schema"):
        raise _Refusal(422, 42201, "Input schema is an invalid Avro schema")
    return str(request["schema"])
