"""What the API is made of, put together and taken apart again."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from fastapi import Response

from jobs.audit.log import TRADING_LOG, AuditLog, audit_folder
from jobs.lake.settings import LakeSettings
from jobs.serving.api.access import Gate
from jobs.serving.api.cache import Batch, Cache
from jobs.serving.api.clock import StreamClock
from jobs.serving.api.control_view import ControlView
from jobs.serving.api.explaining import Explainer
from jobs.serving.api.feed import Feed
from jobs.serving.api.history import History
from jobs.serving.api.hub import Hub
from jobs.serving.api.paper_account import PaperAccount
from jobs.serving.api.reads import Reads
from jobs.serving.api.users import Users
from jobs.settings import Settings

LOOK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """How the API answers."""

    users: Path
    """File of keys and watchlists."""
    stale_seconds: float = 60.0
    """Age from which the newest value is given as a fallback."""
    follows_stream: bool = False
    """Ages refer to the stream's own clock: for recorded markets."""
    requests_a_second: float = 100.0
    requests_at_once: float = 400.0
    grpc_address: str = ""
    """`HOST:PORT` at which the same reads are answered over gRPC; empty: nowhere."""
    most_streams: int = 10_000
    most_streams_of_key: int = 2_000
    most_rules_of_user: int = 20
    most_rules: int = 1_000
    """Rules of all users together: each is looked at with every row of its symbols."""


class Parts:
    """Everything that answers are made of. Made inside the event loop."""

    def __init__(self, settings: Settings, lake: LakeSettings, serve: ServeSettings) -> None:
        self.settings, self.lake, self.serve = settings, lake, serve
        self.clock = StreamClock(serve.follows_stream)
        self.cache, self.hub = Cache(self.clock), Hub()
        self.streams_of_key: Counter[str] = Counter()
        self.users = Users(serve.users)
        self.gate = Gate(self.users, serve.requests_a_second, serve.requests_at_once)
        self.feed = Feed(settings, self._deliver)
        self.control = ControlView(settings)
        self.reads = Reads(self.cache, self.clock, settings.online.redis_url, lambda: self.feed.healthy, serve.stale_seconds)
        self.history, self.explainer = History(lake), Explainer(lake, settings)
        self.paper = PaperAccount(AuditLog(audit_folder(), TRADING_LOG).path)
        self._loop = asyncio.get_running_loop()

    def start(self) -> Parts:
        """Begin to follow the topics."""
        self.feed.start()
        self.control.start()
        self._look_after_clients()
        return self

    def close(self) -> None:
        """End threads, processes and connections."""
        self._looking_after.cancel()
        self.feed.close()
        self.control.close()
        self.explainer.close()
        self.reads.close()

    def _look_after_clients(self) -> None:
        self.hub.look_after(time.monotonic())
        self._looking_after = self._loop.call_later(LOOK_SECONDS, self._look_after_clients)

    def _deliver(self, batch: Batch) -> None:
        """From the feed's thread to the loop's."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._take, batch)

    def _take(self, batch: Batch) -> None:
        signals, alerts = self.cache.take(batch)
        self.hub.publish(signals, alerts)


def as_json(value: Any, status: int = 200) -> Response:
    """A JSON answer; what is no number becomes null."""
    return Response(orjson.dumps(value), status, media_type="application/json")
