"""`infra/tickflow keys`: make, list and revoke API keys. Of a key only a hash is kept."""

from __future__ import annotations

import argparse
import re
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from infra.local import paths
from jobs.serving.api.clock import rfc3339
from jobs.serving.api.users import SCOPES, Key, Users
from jobs.verb_result import NOT_HELD, USAGE, add_verb, finish
from udfs.errors import InvalidSettings

USER = re.compile(r"[A-Za-z0-9_-]{1,64}")
SECONDS_A_DAY = 86_400


class NoSuchKey(Exception):
    """There is no valid key of this id."""


def main(arguments: list[str]) -> int:
    """Run the verb; 0 done, 1 no such key, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    codes = {NoSuchKey: NOT_HELD, InvalidSettings: USAGE, OSError: USAGE}
    return finish("keys", options.json, partial(options.act, options), _tell, codes)


def users_file(options: argparse.Namespace) -> Path:
    """Where keys and watchlists lie."""
    found: Path = options.users or (options.data or paths.DATA) / "serving" / "users.db"
    return found


def add_users_option(parser: argparse.ArgumentParser) -> None:
    """The option that says so."""
    parser.add_argument(
        "--users", type=Path, metavar="FILE", help="file of keys and watchlists (default serving/users.db in the data directory)"
    )


def _add(options: argparse.Namespace) -> dict[str, Any]:
    scopes = options.scopes.split(",")
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not USER.fullmatch(options.user):
        words = f"scopes are {', '.join(SCOPES)}" if unknown else "a user's name is of letters, digits, _ and -"
        raise InvalidSettings(f"{words}; found {', '.join(unknown) or options.user!r}")
    expires_at = None if options.days is None else int(time.time() + options.days * SECONDS_A_DAY)
    key, secret = Users(users_file(options)).add_key(options.user, scopes, expires_at)
    return _as_json(key) | {"key": secret}


def _list(options: argparse.Namespace) -> dict[str, Any]:
    return {"keys": [_as_json(key) for key in Users(users_file(options)).all_keys()]}


def _revoke(options: argparse.Namespace) -> dict[str, Any]:
    if not Users(users_file(options)).revoke_key(options.key_id):
        raise NoSuchKey(f"there is no key {options.key_id!r} that is not revoked")
    return {"revoked": options.key_id}


def _as_json(key: Key) -> dict[str, Any]:
    times = {name: getattr(key, name) for name in ("created_at", "expires_at", "revoked_at")}
    shown = {name: None if seconds is None else rfc3339(seconds * 1_000_000_000) for name, seconds in times.items()}
    return {"key_id": key.key_id, "user": key.user, "scopes": sorted(key.scopes), "is_valid": key.is_valid(time.time())} | shown


def _tell(result: dict[str, Any]) -> None:
    if "key" in result:
        print(f"{result['key']}\nshown once: keep it; id {result['key_id']}, user {result['user']}, scopes {', '.join(result['scopes'])}")
    for key in result.get("keys", ()):
        state = "valid" if key["is_valid"] else "revoked" if key["revoked_at"] else "expired"
        print(f"{key['key_id']}  {key['user']:<16} {state:<8} {','.join(key['scopes'])}")
    if "revoked" in result:
        print(f"{result['revoked']} opens nothing any more")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra/tickflow keys", description="API keys of `infra/tickflow serve`.")
    verbs = parser.add_subparsers(required=True, metavar="add|list|revoke")
    add = _verb(verbs, "add", _add, "make a key and show it once")
    add.add_argument("--user", required=True, metavar="NAME", help="whose it is: watchlists and rules belong to a user")
    add.add_argument("--scopes", default="read,write", metavar="A,B", help=f"of {', '.join(SCOPES)} (default read,write)")
    add.add_argument("--days", type=float, metavar="N", help="days until it expires (default: never)")
    _verb(verbs, "list", _list, "list keys, without what opens")
    _verb(verbs, "revoke", _revoke, "make a key worthless").add_argument("key_id", metavar="ID", help="id of a key, as `list` shows it")
    return parser


def _verb(verbs: Any, name: str, act: Any, words: str) -> argparse.ArgumentParser:
    parser = add_verb(verbs, name, act, words)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="data directory of the services (default .tickflow/data)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_users_option(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
