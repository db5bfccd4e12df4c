"""Schema ids from a Confluent-compatible registry: looks the schemas up under `<topic>-value`, registers those that are missing.

Runs where jobs are started; the ids it finds are sent to the workers. Source: Confluent Schema Registry API, v1.
"""

from __future__ import annotations

import base64
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

from udfs.codecs.wire import PINNED, SchemaIds
from udfs.errors import TickflowError

SCHEMAS: Final = Path(__file__).resolve().parents[1] / "infra" / "schemas"
CONTENT_TYPE: Final = "application/vnd.schemaregistry.v1+json"
NOT_FOUND: Final = 404

MESSAGE_OF_TOPIC: Final[Mapping[str, str]] = {
    "market.frames": "MarketFrame",
    "news.items": "NewsItem",
    "control": "ControlEvent",
    "features": "FeatureRow",
    "bars": "Bar",
    "signals": "Signal",
    "alerts": "Alert",
    "late": "Rejected",
    "rejects": "Rejected",
}
"""Which message each topic carries."""


class RegistryError(TickflowError):
    """The schema registry cannot be reached, refuses us, or refuses a schema."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the credentials to wherever it points."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class SchemaRegistry:
    """A registry by its URL. Credentials are never shown: not by `repr`, not in an error."""

    url: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    """Bearer token; used instead of user and password where it is set."""
    timeout_seconds: float = 10.0

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise RegistryError("schema registry: the URL must start with http:// or https:// and name a host")
        if parts.username or parts.password:
            raise RegistryError("schema registry: the URL holds credentials; give them as user and password instead, they stay out of logs")

    def id_of(self, subject: str, schema: str) -> int:
        """The id of this very schema under the subject, registering it where it is missing.

        Raises RegistryError; also where the registry finds the schema incompatible with the subject's earlier ones.
        """
        path = f"/subjects/{quote(subject, safe='')}"
        body = {"schemaType": "PROTOBUF", "schema": schema}
        found = self._call(path, body, may_be_missing=True)
        return _id(found if found is not None else self._call(f"{path}/versions", body), subject)

    def all_ids(self, subject: str) -> tuple[int, ...]:
        """The ids of every version of the subject, oldest first; none where the subject is unknown. Raises RegistryError."""
        path = f"/subjects/{quote(subject, safe='')}/versions"
        versions = self._call(path, None, may_be_missing=True) or []
        if not isinstance(versions, list):
            raise RegistryError(f"schema registry: the answer for {subject} is no list of versions; is this a schema registry?")
        return tuple(_id(self._call(f"{path}/{version}", None), subject) for version in versions)

    def _call(self, path: str, body: Mapping[str, str] | None, may_be_missing: bool = False) -> Any:
        """The parsed answer, or None for 404 where `may_be_missing`. POST with a body, else GET."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url.rstrip("/") + path, data, self._headers())
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=self.timeout_seconds) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == NOT_FOUND and may_be_missing:
                    return None
                raise RegistryError(f"schema registry {self.url}{path}: answered {error.code}: {_message(error)}") from None
        except (OSError, HTTPException) as error:
            raise RegistryError(f"schema registry {self.url}{path}: {getattr(error, 'reason', error)}; is it running?") from None
        except ValueError:
            raise RegistryError(f"schema registry {self.url}{path}: the answer is no JSON; is this a schema registry?") from None

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        elif self.user or self.password:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return headers


def schema_texts(folder: Path = SCHEMAS) -> dict[str, str]:
    """The schema of each message, as text, by the message's name."""
    return {_message_name(path): path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.proto"))}


def ids_from_registry(registry: SchemaRegistry, message_of_topic: Mapping[str, str] = MESSAGE_OF_TOPIC) -> SchemaIds:
    """The ids to write with and those of earlier versions to read. Raises RegistryError, also where one message has two ids."""
    texts = schema_texts()
    written: dict[str, int] = {}
    read: dict[str, tuple[int, ...]] = {}
    for topic, message in message_of_topic.items():
        subject = f"{topic}-value"
        schema_id = registry.id_of(subject, texts[message])
        if written.setdefault(message, schema_id) != schema_id:
            raise RegistryError(f"schema registry: {message} has id {written[message]} and, for {subject}, {schema_id}; expected one")
        read[message] = (*read.get(message, ()), *registry.all_ids(subject))
    return SchemaIds(written, read)


def _message_name(path: Path) -> str:
    return "".join(word.capitalize() for word in path.stem.split("_"))


def _id(answer: Any, subject: str) -> int:
    schema_id = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(schema_id, int):
        raise RegistryError(f"schema registry: the answer for {subject} holds no id; is this a schema registry?")
    return schema_id


def _message(error: urllib.error.HTTPError) -> str:
    """What the registry says, shortened; never the request, which holds the credentials."""
    try:
        said = json.load(error)
    except (ValueError, OSError):
        return "no explanation"
    return str(said.get("message", "no explanation"))[:300] if isinstance(said, dict) else "no explanation"


def schema_ids(url: str, environment: Mapping[str, str] = os.environ) -> SchemaIds:
    """The pinned ids, or those of the registry at `url`. Its login comes from TICKFLOW_SCHEMA_REGISTRY_USERNAME, _PASSWORD or _TOKEN."""
    if not url:
        return PINNED
    username, password, token = (environment.get(f"TICKFLOW_SCHEMA_REGISTRY_{name}", "") for name in ("USERNAME", "PASSWORD", "TOKEN"))
    return ids_from_registry(SchemaRegistry(url, username, password, token))
