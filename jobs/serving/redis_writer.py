"""Writing to Redis: one pipeline a batch, never an older record over a newer one, and noticing when Redis lost what it had."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs.serving.online_records import KEY_PREFIX, LARGEST_DISORDER, OnlineRecord
from udfs.errors import TickflowError

GENERATION_KEY: Final = f"{KEY_PREFIX}generation"
CONNECT_SECONDS, ANSWER_SECONDS = 2.0, 10.0

WRITE_UNLESS_OLDER: Final = f"""
local old = redis.call('HMGET', KEYS[1], 'event_number', 'event_time')
if old[1] and old[2] then
  local ahead = tonumber(ARGV[2]) - tonumber(old[2])
  local older = tonumber(ARGV[1]) < tonumber(old[1])
  if ahead > {LARGEST_DISORDER} or ahead < -{LARGEST_DISORDER} then older = ahead < 0 end
  if older then return 0 end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
"""
"""ARGV: event number, event time, seconds to live, then names and values. The rule is `online_records.replaces`."""


class StoreWiped(TickflowError):
    """Redis is not the one that was written to before: emptied, restarted, or another one."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch."""

    written: int
    stale: int
    """Not written, because a newer record was there."""


def connect(url: str) -> Any:
    """A client that fails at once instead of trying again by itself: whoever calls it knows what to do about it."""
    return redis.Redis.from_url(
        url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0), retry_on_error=[]
    )


class RedisWriter:
    """Writes batches. Every method raises redis.RedisError when Redis is away or refuses."""

    def __init__(self, url: str, time_to_live_seconds: int) -> None:
        self._client = connect(url)
        self._time_to_live = time_to_live_seconds
        self._script = ""

    def generation(self) -> str:
        """Names what Redis holds: changes when it is emptied (the marker is gone) or restarted (it may have lost the last writes)."""
        pipeline = self._client.pipeline(transaction=False)
        pipeline.set(GENERATION_KEY, uuid.uuid4().hex, nx=True)
        pipeline.get(GENERATION_KEY)
        pipeline.info("server")
        pipeline.script_load(WRITE_UNLESS_OLDER)
        _, marker, server, self._script = pipeline.execute()
        return _generation(marker, server)

    def write(self, generation: str, records: Iterable[OnlineRecord]) -> Written:
        """Write a batch; returns when Redis acknowledged all of it. Raises StoreWiped when it is no longer of that generation."""
        pipeline = self._client.pipeline(transaction=False)
        for record in records:
            values = [part for field in record.fields().items() for part in field]
            pipeline.evalsha(self._script, 1, record.key, record.event_number, record.event_time, self._time_to_live, *values)
        pipeline.get(GENERATION_KEY)
        pipeline.info("server")
        *results, marker, server = pipeline.execute()
        found = _generation(marker, server)
        if found != generation:
            raise StoreWiped(f"Redis holds generation {found or 'none'}, expected {generation}")
        return Written(sum(results), len(results) - sum(results))

    def close(self) -> None:
        """End the connections."""
        self._client.close()


def _generation(marker: bytes | None, server: dict[str, Any]) -> str:
    return f"{marker.decode()}:{server.get('run_id', '')}" if marker else ""
