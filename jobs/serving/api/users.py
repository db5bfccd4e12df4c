"""What belongs to a user: API keys, of which only hashes are kept, and watchlists. One SQLite file."""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SCOPES: Final = ("read", "write", "operate")
"""Read signals and history; change one's own watchlists and rules; halt and resume."""
MOST_WATCHLISTS: Final = 50
_WAIT_SECONDS: Final = 5.0
_SCHEMA: Final = """
create table if not exists keys (
    key_id text primary key, user text not null, hash blob not null unique, scopes text not null,
    created_at integer not null, expires_at integer, revoked_at integer);
create table if not exists watchlists (user text not null, name text not null, symbols text not null, primary key (user, name));
"""


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is known here; times in seconds since 1970."""

    key_id: str
    user: str
    scopes: frozenset[str]
    created_at: int
    expires_at: int | None
    revoked_at: int | None

    def is_valid(self, now: float) -> bool:
        """Whether it opens anything at this moment."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class TooMany(Exception):
    """The user has as many of these as anybody may have."""


class Users:
    """Keys and watchlists in a file; every call opens it anew, so threads and programs may share it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        with self._open() as database:
            database.executescript("pragma journal_mode = wal;" + _SCHEMA)

    def add_key(self, user: str, scopes: Iterable[str], expires_at: int | None = None) -> tuple[Key, str]:
        """A new key, and the secret itself: it is not kept and cannot be shown again."""
        key_id = secrets.token_hex(4)
        secret = f"tf_{key_id}_{secrets.token_urlsafe(32)}"
        key = Key(key_id, user, frozenset(scopes), int(time.time()), expires_at, None)
        with self._open() as database:
            values = (key_id, user, _hash(secret), ",".join(sorted(key.scopes)), key.created_at, expires_at)
            database.execute("insert into keys values (?, ?, ?, ?, ?, ?, null)", values)
        return key, secret

    def find_key(self, secret: str) -> Key | None:
        """The key with this secret, whether it is valid still or not."""
        found = self._keys("where hash = ?", _hash(secret))
        return found[0] if found else None

    def all_keys(self) -> list[Key]:
        """Every key, the oldest first."""
        return self._keys("order by created_at, key_id")

    def revoke_key(self, key_id: str) -> bool:
        """Make a key worthless from now on; false when there is none of that id that is not so already."""
        with self._open() as database:
            changed = database.execute("update keys set revoked_at = ? where key_id = ? and revoked_at is null", (int(time.time()), key_id))
            return changed.rowcount == 1

    def watchlists(self, user: str) -> dict[str, list[str]]:
        """A user's watchlists by name."""
        with self._open() as database:
            found = database.execute("select name, symbols from watchlists where user = ? order by name", (user,)).fetchall()
        return {name: json.loads(symbols) for name, symbols in found}

    def put_watchlist(self, user: str, name: str, symbols: Sequence[str]) -> None:
        """Create or change a watchlist. Raises TooMany."""
        with self._open() as database:
            database.execute("begin immediate")
            others = database.execute("select count(*) from watchlists where user = ? and name <> ?", (user, name)).fetchone()[0]
            if others >= MOST_WATCHLISTS:
                raise TooMany(f"a user has at most {MOST_WATCHLISTS} watchlists")
            database.execute("insert or replace into watchlists values (?, ?, ?)", (user, name, json.dumps(list(symbols))))

    def remove_watchlist(self, user: str, name: str) -> bool:
        """Delete a watchlist; false when there is none."""
        with self._open() as database:
            return database.execute("delete from watchlists where user = ? and name = ?", (user, name)).rowcount == 1

    def _keys(self, clause: str, *values: Any) -> list[Key]:
        columns = "key_id, user, scopes, created_at, expires_at, revoked_at"
        with self._open() as database:
            found = database.execute(f"select {columns} from keys {clause}", values).fetchall()
        return [Key(name, user, frozenset(filter(None, scopes.split(","))), *times) for name, user, scopes, *times in found]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._file, timeout=_WAIT_SECONDS)
        try:
            with database:
                yield database
        finally:
            database.close()


def _hash(secret: str) -> bytes:
    """SHA-256 is enough for secrets of 256 random bits: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).digest()
