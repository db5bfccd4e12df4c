"""Who may do what, and how often."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from jobs.serving.api.problems import Problem
from jobs.serving.api.users import Key, Users

REMEMBERED_SECONDS: Final = 1.0
"""How long a key that was revoked elsewhere may still open."""
MOST_REMEMBERED: Final = 10_000
LONGEST_KEY: Final = 128
bearer = HTTPBearer(auto_error=False, description="an API key of `infra/tickflow keys add`")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    user: str
    key_id: str
    scopes: frozenset[str]


class RateLimiter:
    """A bucket of tokens for each name: so many a second, so many at once. Remembers the names that came last."""

    def __init__(self, a_second: float, at_once: float) -> None:
        self._a_second, self._at_once = a_second, at_once
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, name: str, cost: float, now: float) -> float:
        """0 and the tokens are taken, or how long until there are enough."""
        cost = min(cost, self._at_once)
        tokens, since = self._buckets.pop(name, (self._at_once, now))
        tokens = min(self._at_once, tokens + (now - since) * self._a_second)
        taken = tokens >= cost
        self._buckets[name] = (tokens - cost if taken else tokens, now)
        if len(self._buckets) > MOST_REMEMBERED:
            self._buckets.popitem(last=False)
        return 0.0 if taken else (cost - tokens) / self._a_second


class Gate:
    """Checks keys, scopes and rates."""

    def __init__(self, users: Users, requests_a_second: float, requests_at_once: float) -> None:
        self._users = users
        self._of_key = RateLimiter(requests_a_second, requests_at_once)
        self._of_stranger = RateLimiter(requests_a_second, requests_at_once)
        self._known: OrderedDict[str, tuple[Key, float]] = OrderedDict()

    def admit(self, connection: HTTPConnection, secret: str, scope: str, cost: float = 1.0) -> Caller:
        """The caller with this key. Raises Problem: 401, 403 or 429."""
        now = time.monotonic()
        key = self._find(secret, now)
        if key is None or not key.is_valid(time.time()):
            address = connection.client.host if connection.client else ""
            _refuse_if(self._of_stranger.wait_seconds(address, 1.0, now))
            raise Problem(401, "no_valid_key", "give a valid key as `Authorization: Bearer …`", {"WWW-Authenticate": "Bearer"})
        connection.state.key_id = key.key_id
        _refuse_if(self._of_key.wait_seconds(key.key_id, cost, now))
        if scope not in key.scopes:
            raise Problem(403, "scope_missing", f"this needs a key with the scope {scope!r}")
        return Caller(key.user, key.key_id, key.scopes)

    def _find(self, secret: str, now: float) -> Key | None:
        if not secret or len(secret) > LONGEST_KEY:
            return None
        known = self._known.get(secret)
        if known is not None and now - known[1] < REMEMBERED_SECONDS:
            return known[0]
        key = self._users.find_key(secret)
        if key is None:
            self._known.pop(secret, None)
            return None
        self._known[secret] = (key, now)
        if len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return key


def _refuse_if(seconds: float) -> None:
    if seconds > 0:
        words = f"too many requests; come again in {seconds:.1f} s"
        raise Problem(429, "rate_limited", words, {"Retry-After": str(math.ceil(seconds))})


class Needs:
    """A dependency of paths: the caller, if the key has the scope."""

    def __init__(self, scope: str, cost: float = 1.0) -> None:
        self._scope, self._cost = scope, cost

    async def __call__(self, request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> Caller:
        """The caller. Raises Problem."""
        gate: Gate = request.app.state.parts.gate
        return gate.admit(request, given.credentials if given else "", self._scope, self._cost)


Reader = Annotated[Caller, Depends(Needs("read"))]
HistoryReader = Annotated[Caller, Depends(Needs("read", 5.0))]
Asker = Annotated[Caller, Depends(Needs("read", 20.0))]
Writer = Annotated[Caller, Depends(Needs("write", 5.0))]
Operator = Annotated[Caller, Depends(Needs("operate", 5.0))]


def may_see_rule(caller: Caller, rule_id: str) -> bool:
    """One's own rules, and those that belong to nobody."""
    return not rule_id.startswith(USER_RULES) or rule_id.startswith(own_rules(caller.user))


USER_RULES: Final = "user."


def own_rules(user: str) -> str:
    """How the ids of a user's rules begin; names of users hold no dot."""
    return f"{USER_RULES}{user}."


def parts_of(request: HTTPConnection) -> Any:
    """What the program is made of."""
    return request.app.state.parts
