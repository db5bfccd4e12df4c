"""The newest of a symbol, from what was pushed here or else from the online store, and how far it may be trusted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import orjson
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs.serving.api.cache import Cache, Kept
from jobs.serving.api.clock import StreamClock
from jobs.serving.latest import Latest, read_latest
from jobs.serving.online_records import KEY_PREFIX

Kind = Literal["signals", "features"]
REDIS_SECONDS: Final = 1.0
REST_SECONDS: Final = 1.0
"""How long a Redis that did not answer is left alone."""
UNREADABLE: Final = (redis.RedisError, KeyError, ValueError)
"""What reading the online store can raise; the latter two where another version wrote it."""
SHARED_SECONDS: Final = 0.05
"""How long a live answer serves everybody: its age is as exact."""
ONE_NAME: Final = {"signals": "signal", "features": "features"}
UNKNOWN: Final = "nothing is stored of this symbol"


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a symbol; `answered` says whether nothing newer can lie somewhere that did not answer."""

    symbol: str
    kept: Kept[Any] | None
    answered: bool


class _Shared(NamedTuple):
    found: Found
    until: float
    body: bytes


class Reads:
    """Hot reads. `pushed` says whether every new record comes to the cache by itself."""

    def __init__(self, cache: Cache, clock: StreamClock, redis_url: str, pushed: Callable[[], bool], stale_seconds: float) -> None:
        self._cache, self._clock, self._pushed, self._stale_seconds = cache, clock, pushed, stale_seconds
        self._redis: Any = redis.Redis.from_url(
            redis_url,
            socket_connect_timeout=REDIS_SECONDS,
            socket_timeout=REDIS_SECONDS,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
            max_connections=64,
        )
        self._ask_again_at = 0.0
        self._shared: dict[str, _Shared] = {}

    async def redis_answers(self) -> bool:
        """Whether the online store answers, or did when it was last asked a moment ago."""
        return await self._ask(())

    async def newest(self, kind: Kind, symbols: Sequence[str]) -> list[Found]:
        """The newest of each symbol, in their order. Whatever is away, it does not raise."""
        kept: dict[str, Kept[Any]] = getattr(self._cache, kind)
        pushed = self._pushed()
        asked = [symbol for symbol in symbols if not pushed or symbol not in kept]
        answered = not asked or await self._ask(asked)
        return [Found(symbol, kept.get(symbol), answered or (pushed and symbol in kept)) for symbol in symbols]

    async def known_symbols(self) -> list[str]:
        """Every symbol of which a signal is known, here or in the online store."""
        prefix = f"{KEY_PREFIX}signal:"
        try:
            keys = await asyncio.to_thread(lambda: list(self._redis.scan_iter(f"{prefix}*", count=1000)))
        except redis.RedisError:
            keys = []
        return sorted({key.decode(errors="replace").removeprefix(prefix) for key in keys} | set(self._cache.signals))

    def answers(self, kind: Kind, found: Iterable[Found]) -> list[dict[str, Any]]:
        """For each: value, event time, age in seconds, and status with its reason."""
        now, name = self._clock.now(), ONE_NAME[kind]
        return [self._answer(name, each, now) for each in found]

    def shared_answer(self, found: Found) -> bytes:
        """The answer about a signal as JSON, for live clients: made once for all who want it within a moment."""
        now = time.monotonic()
        known = self._shared.get(found.symbol)
        if known is not None and known.found == found and now < known.until:
            return known.body
        body = orjson.dumps(self.answers("signals", [found])[0])
        if found.kept is not None:  # names that nobody knows are without number
            self._shared[found.symbol] = _Shared(found, now + SHARED_SECONDS, body)
        return body

    def _answer(self, name: str, found: Found, now: int) -> dict[str, Any]:
        kept = found.kept
        if kept is None:
            status, why = ("unknown", UNKNOWN) if found.answered else ("fallback", "the online store does not answer")
            return {"symbol": found.symbol, "status": status, "why": why, "event_time": None, "age_seconds": None, name: None}
        age = max(0.0, (now - kept.record.event_time) / 1e9)
        status, why = self._status(found.answered, age)
        return {"symbol": found.symbol, "status": status, "why": why, "event_time": kept.event_time, "age_seconds": age, name: kept.body}

    def close(self) -> None:
        """End the connections."""
        self._redis.close()

    def _status(self, answered: bool, age: float) -> tuple[str, str]:
        if not answered:
            return "fallback", "neither the stream nor the online store answers; this is the last value that was seen"
        if age > self._stale_seconds:
            return "fallback", f"stale: the newest event is {age:.0f} s old, more than {self._stale_seconds:g} s"
        return "live", ""

    async def _ask(self, symbols: Sequence[str]) -> bool:
        if time.monotonic() < self._ask_again_at:
            return False
        try:
            found = await asyncio.to_thread(read_latest, self._redis, symbols) if symbols else await self._ping()
        except UNREADABLE:
            self._ask_again_at = time.monotonic() + REST_SECONDS
            return False
        self._ask_again_at = 0.0
        for latest in found.values():
            self._cache.learn(latest)
        return True

    async def _ping(self) -> dict[str, Latest]:
        await asyncio.to_thread(self._redis.ping)
        return {}
