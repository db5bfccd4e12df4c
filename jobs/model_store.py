"""Models by version, never changed once stored: a folder or a bucket with one folder a version.

It holds `model.onnx`, `card.json`, and, where there is one, the card in words, `card.md`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from jobs.lake.settings import LakeSettings
from udfs.errors import ModelMismatch, ModelUnavailable, SourceError
from udfs.records import ModelReference

MODEL_FILE, CARD_FILE, WORDS_FILE = "model.onnx", "card.json", "card.md"
_NOT_THERE = (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError)
_PASSING_STATUS = (408, 429)
_PASSING_CODES = ("ExpiredToken", "RequestTimeTooSkewed", "SlowDown")
"""Answers of an object store that are about the moment, not about what was asked for."""


class ModelStore(Protocol):
    """Where models are kept."""

    def put(self, version: str, data: bytes, card: dict[str, Any], words: str = "") -> ModelReference:
        """Store a model; the same bytes again change nothing. Raises ModelMismatch when the version exists with other bytes."""

    def versions(self) -> tuple[str, ...]:
        """What is stored, sorted: the newest data comes last."""

    def read(self, version: str, file: str) -> bytes:
        """A stored model's file, such as CARD_FILE. Raises SourceError."""

    def uri(self, version: str) -> str:
        """Where workers find the model."""


def read_card(store: ModelStore, version: str) -> dict[str, Any]:
    """A stored model's card. Raises SourceError, and ValueError for one that is no JSON."""
    card: dict[str, Any] = json.loads(store.read(version, CARD_FILE))
    return card


def models_location(warehouse: str) -> str:
    """Where models lie unless told otherwise: beside the lake's warehouse."""
    return f"{warehouse.rstrip('/').rsplit('/', 1)[0]}/models"


def open_store(location: str, s3_endpoint: str = "", s3_region: str = "us-east-1") -> ModelStore:
    """The store in a folder (a path or ``file://…``) or a bucket (``s3://bucket/prefix``; credentials from the environment)."""
    if location.startswith(("s3://", "s3a://")):
        return BucketStore(location, _s3_client(s3_endpoint, s3_region))
    return FolderStore(_local_path(location))


def store_of(lake: LakeSettings) -> ModelStore:
    """The store beside a lake."""
    return open_store(models_location(lake.warehouse), lake.s3_endpoint, lake.s3_region)


def fetch_model(reference: ModelReference, s3_endpoint: str = "", s3_region: str = "us-east-1") -> bytes:
    """The bytes that a reference names, checked against its hash.

    Raises SourceError when there is no such file or the address is none, ModelUnavailable when the store does not answer now, and
    ModelMismatch when its bytes are not those that were released.
    """
    try:
        data = _read(reference.uri, s3_endpoint, s3_region)
    except ValueError as error:
        raise SourceError(f"{reference.uri!r} cannot be the address of a model: {error}") from error
    return _checked(reference, data)


def _read(uri: str, s3_endpoint: str, s3_region: str) -> bytes:
    if uri.startswith(("s3://", "s3a://")):
        return _get_object(_s3_client(s3_endpoint, s3_region), uri)
    return _read_file(_local_path(uri))


def _checked(reference: ModelReference, data: bytes) -> bytes:
    found = hashlib.sha256(data).hexdigest()
    if found != reference.sha256:
        raise ModelMismatch(f"model {reference.version} at {reference.uri}: sha256 is {found}, expected {reference.sha256}")
    return data


class FolderStore:
    """A store in a local folder, made when it is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def put(self, version: str, data: bytes, card: dict[str, Any], words: str = "") -> ModelReference:
        """See `ModelStore`. A version appears whole, by one rename, or not at all."""
        target = self.folder / _safe(version)
        reference = ModelReference(version, self.uri(version), hashlib.sha256(data).hexdigest())
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self.folder))
        try:
            for name, content in _cards(card, words).items():
                _write_durably(draft / name, content)
            _write_durably(draft / MODEL_FILE, data)
            draft.chmod(0o755)
            draft.rename(target)
        except OSError:
            if not target.is_dir():
                raise
            _checked(reference, _read_file(target / MODEL_FILE))
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return reference

    def versions(self) -> tuple[str, ...]:
        """See `ModelStore`."""
        return tuple(sorted(found.parent.name for found in self.folder.glob(f"[!.]*/{MODEL_FILE}")))

    def read(self, version: str, file: str) -> bytes:
        """See `ModelStore`."""
        return _read_file(self.folder / _safe(version) / file)

    def uri(self, version: str) -> str:
        """See `ModelStore`."""
        return (self.folder / _safe(version) / MODEL_FILE).as_uri()


class BucketStore:
    """A store in an object store. An object is visible whole or not at all; the model is written last."""

    def __init__(self, location: str, client: Any) -> None:
        self.location = location.rstrip("/")
        self._client = client

    def put(self, version: str, data: bytes, card: dict[str, Any], words: str = "") -> ModelReference:
        """See `ModelStore`."""
        uri = self.uri(version)
        reference = ModelReference(version, uri, hashlib.sha256(data).hexdigest())
        if version in self.versions():
            _checked(reference, _get_object(self._client, uri))
            return reference
        bucket, key = _bucket_and_key(uri)
        for name, content in _cards(card, words).items():
            self._client.put_object(Bucket=bucket, Key=key.removesuffix(MODEL_FILE) + name, Body=content)
        self._client.put_object(Bucket=bucket, Key=key, Body=data)
        return reference

    def versions(self) -> tuple[str, ...]:
        """See `ModelStore`."""
        bucket, prefix = _bucket_and_key(self.location)
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/" if prefix else "")
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return tuple(sorted(key.split("/")[-2] for key in keys if key.endswith(f"/{MODEL_FILE}")))

    def read(self, version: str, file: str) -> bytes:
        """See `ModelStore`."""
        return _get_object(self._client, f"{self.location}/{_safe(version)}/{file}")

    def uri(self, version: str) -> str:
        """See `ModelStore`."""
        return f"{self.location}/{_safe(version)}/{MODEL_FILE}"

    def beside(self, folder: str) -> tuple[Any, str, str]:
        """Client, bucket and prefix of a folder that lies beside the versions."""
        bucket, prefix = _bucket_and_key(self.location)
        return self._client, bucket, f"{prefix}/{folder}/" if prefix else f"{folder}/"


def _safe(version: str) -> str:
    """Raises ValueError for a version that is no plain folder name."""
    if not version or version.startswith(".") or "/" in version or "\\" in version:
        raise ValueError(f"model version {version!r} cannot name a folder")
    return version


def _cards(card: dict[str, Any], words: str) -> dict[str, bytes]:
    """File name -> content of what lies beside a model."""
    found = {CARD_FILE: json.dumps(card, indent=2, sort_keys=True).encode()}
    return found | {WORDS_FILE: words.encode()} if words else found


def _write_durably(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        kind = SourceError if isinstance(error, _NOT_THERE) else ModelUnavailable
        raise kind(
            f"cannot read the model at {path}: {error.strerror}; is the model store's location the one it was released to?"
        ) from error


def _local_path(location: str) -> Path:
    return Path(unquote(urlsplit(location).path)) if location.startswith("file:") else Path(location)


def _bucket_and_key(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.netloc, parts.path.strip("/")


def _get_object(client: Any, uri: str) -> bytes:
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, key = _bucket_and_key(uri)
    try:
        return client.get_object(Bucket=bucket, Key=key)["Body"].read()  # type: ignore[no-any-return]
    except (BotoCoreError, ClientError) as error:
        kind = ModelUnavailable if _passes(error) else SourceError
        raise kind(f"cannot read the model at {uri}: {error}") from error


def _passes(error: Exception) -> bool:
    """Whether the object store may answer otherwise later: nothing about the request is wrong."""
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, ResponseStreamingError

    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return status >= 500 or status in _PASSING_STATUS or error.response.get("Error", {}).get("Code") in _PASSING_CODES
    return isinstance(error, ConnectionError | HTTPClientError | ResponseStreamingError)


def _s3_client(endpoint: str, region: str) -> Any:
    import boto3
    from botocore.config import Config

    # Checksums only where a request needs them: servers other than Amazon's reject the newer default.
    style = {"addressing_style": "path"} if endpoint else {}
    config = Config(request_checksum_calculation="when_required", response_checksum_validation="when_required", s3=style)
    return boto3.client("s3", endpoint_url=endpoint or None, region_name=region, config=config)
