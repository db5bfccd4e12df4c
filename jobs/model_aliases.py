"""Which model bears which name, and which bore it when: a record that is only ever added to, beside the models.

Each entry is a file of its own with the next number, written only if there is none of that number yet. So two programs cannot write the
same entry, what was written stays, and who was champion at a time can always be told.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from jobs.model_store import BucketStore, FolderStore, ModelStore
from udfs.codecs.control_rules import CHALLENGER_ALIAS
from udfs.errors import ModelMismatch, SourceError

CHAMPION: Final = "champion"
_ALIAS: Final = re.compile(rf"{CHAMPION}|{CHALLENGER_ALIAS.pattern}")
_FOLDER: Final = ".aliases"
_ATTEMPTS: Final = 20


@dataclass(frozen=True, slots=True)
class AliasEntry:
    """One giving of a name."""

    number: int
    """From 1, without a gap."""
    alias: str
    """`champion`, or `challenger-` and a name."""
    version: str
    """Empty: nobody bears the name from then on."""
    sha256: str
    time: int
    """Nanoseconds from which on it holds."""
    by: str
    why: str
    control_version: int | None
    """Entry of the control log that put the model into force."""


class Entries(Protocol):
    """Where entries are kept."""

    def names(self) -> list[str]:
        """File names, sorted."""

    def read(self, name: str) -> bytes:
        """Raises SourceError."""

    def write_new(self, name: str, data: bytes) -> bool:
        """Whether it was written; False when there is such a file already."""


class AliasHistory:
    """The record of one model store."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def all(self) -> list[AliasEntry]:
        """Every entry, the oldest first. Raises SourceError for a record with a gap, or one that cannot be read."""
        found = [_parsed(name, self._entries.read(name)) for name in self._entries.names()]
        if [entry.number for entry in found] != list(range(1, len(found) + 1)):
            raise SourceError(f"the record of aliases has entries {[entry.number for entry in found]}, expected 1, 2, … without a gap")
        return found

    def give(self, alias: str, version: str, sha256: str, time: int, by: str, why: str, control_version: int | None = None) -> AliasEntry:
        """Append an entry. Raises ValueError for a name that is none, ModelMismatch for a time before the newest entry of its name."""
        if not _ALIAS.fullmatch(alias):
            raise ValueError(f"{alias!r} is no alias: expected champion, or challenger- and lower-case letters, digits and dashes")
        for _ in range(_ATTEMPTS):
            entries = self.all()
            newest = max((entry.time for entry in entries if entry.alias == alias), default=time)
            if time < newest:
                raise ModelMismatch(f"{alias} was given at {newest} already, after {time}: what was is not rewritten")
            entry = AliasEntry(len(entries) + 1, alias, version, sha256, time, by, why, control_version)
            if self._entries.write_new(_name(entry.number), json.dumps(asdict(entry), sort_keys=True).encode()):
                return entry
        raise SourceError(f"{_ATTEMPTS} others wrote to the record of aliases at the same time; try again")

    def at(self, alias: str, time: int | None = None) -> AliasEntry | None:
        """Who bore the name at a time, or bears it now; None where nobody did."""
        held = [entry for entry in self.all() if entry.alias == alias and (time is None or entry.time <= time)]
        return held[-1] if held and held[-1].version else None

    def current(self) -> dict[str, str]:
        """Name -> version of all that are borne."""
        newest = {entry.alias: entry.version for entry in self.all()}
        return {alias: version for alias, version in sorted(newest.items()) if version}


class FolderEntries:
    """Entries in a local folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """See `Entries`."""
        return sorted(path.name for path in self.folder.glob("[0-9]*.json"))

    def read(self, name: str) -> bytes:
        """See `Entries`."""
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise SourceError(f"cannot read {self.folder / name}: {error.strerror}") from error

    def write_new(self, name: str, data: bytes) -> bool:
        """See `Entries`. The file appears whole: it is linked to its name once it is on disk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(prefix=".draft-", dir=self.folder)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(draft).chmod(0o644)
            os.link(draft, self.folder / name)
        except FileExistsError:
            return False
        finally:
            Path(draft).unlink()
        return True


class BucketEntries:
    """Entries in an object store, which must know `If-None-Match`."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix

    def names(self) -> list[str]:
        """See `Entries`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
        return sorted(item["Key"].removeprefix(self._prefix) for page in pages for item in page.get("Contents", ()))

    def read(self, name: str) -> bytes:
        """See `Entries`."""
        found: bytes = self._told(lambda: self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)["Body"].read())
        return found

    def write_new(self, name: str, data: bytes) -> bool:
        """See `Entries`."""
        from botocore.exceptions import ClientError

        try:
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=data, IfNoneMatch="*")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412):
                return False
            raise SourceError(f"cannot write {self._prefix + name}: {error}") from error
        return True

    def _told(self, act: Callable[[], Any]) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return act()
        except (BotoCoreError, ClientError) as error:
            raise SourceError(f"cannot read the record of aliases: {error}") from error


def aliases_of(store: ModelStore) -> AliasHistory:
    """The record beside a store's models."""
    if isinstance(store, FolderStore):
        return AliasHistory(FolderEntries(store.folder / _FOLDER))
    if isinstance(store, BucketStore):
        return AliasHistory(BucketEntries(*store.beside(_FOLDER)))
    raise ValueError(f"a {type(store).__name__} keeps no aliases")


def _name(number: int) -> str:
    return f"{number:010}.json"


def _parsed(name: str, data: bytes) -> AliasEntry:
    try:
        entry = AliasEntry(**json.loads(data))
    except (TypeError, ValueError) as error:
        raise SourceError(f"{name} is no entry of the record of aliases: {error}") from error
    if _name(entry.number) != name:
        raise SourceError(f"{name} of the record of aliases says that it is number {entry.number}")
    return entry
