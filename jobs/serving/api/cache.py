"""What this process knows of each symbol: the newest signal and feature row, and the newest alerts and news. Fed by push."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import orjson

from jobs.serving.api.clock import StreamClock, rfc3339
from jobs.serving.api.views import features_view, signal_view
from jobs.serving.latest import Latest, LatestFeatures, LatestSignal
from jobs.serving.online_records import replaces
from udfs.records import Alert, FeatureRow, NewsItem, Signal

MOST_ALERTS: Final = 1_000
MOST_NEWS: Final = 2_000

Record = TypeVar("Record", Signal | LatestSignal, FeatureRow | LatestFeatures)


@dataclass(slots=True)
class Kept(Generic[Record]):
    """One record, and its JSON from the first time that somebody wants it: made once, for everybody."""

    record: Record
    view: Callable[[Record], dict[str, Any]]
    _body: orjson.Fragment | None = None
    _event_time: str = ""

    @property
    def body(self) -> orjson.Fragment:
        """The record as JSON, to be put into an answer as it is."""
        if self._body is None:
            self._body = orjson.Fragment(orjson.dumps(self.view(self.record)))
        return self._body

    @property
    def event_time(self) -> str:
        """The time of its event, as answers show it."""
        if not self._event_time:
            self._event_time = rfc3339(self.record.event_time)
        return self._event_time


KeptSignal = Kept[Signal | LatestSignal]
KeptFeatures = Kept[FeatureRow | LatestFeatures]


@dataclass(slots=True)
class Batch:
    """What one look at the topics brought: the newest signal and row of each symbol, and every alert and news item."""

    signals: list[Signal] = field(default_factory=list)
    features: list[FeatureRow] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    news: list[NewsItem] = field(default_factory=list)


class Cache:
    """The newest of everything. The event loop's thread alone writes; others may read."""

    def __init__(self, clock: StreamClock) -> None:
        self.signals: dict[str, KeptSignal] = {}
        self.features: dict[str, KeptFeatures] = {}
        self.alerts: deque[Alert] = deque(maxlen=MOST_ALERTS)
        """Oldest first."""
        self.news: deque[NewsItem] = deque(maxlen=MOST_NEWS)
        """The same."""
        self._clock = clock
        self._alert_ids: set[str] = set()

    def take(self, batch: Batch) -> tuple[list[Signal], list[Alert]]:
        """Keep what is newer than what is known; the signals and alerts that were new."""
        taken = [signal for signal in batch.signals if _keep(self.signals, signal, signal_view)]
        for row in batch.features:
            _keep(self.features, row, features_view)
        times = [*(signal.available_time for signal in batch.signals), *(row.available_time for row in batch.features)]
        self._clock.saw(max(times, default=0))
        self.news.extend(batch.news)
        return taken, self._new_alerts(batch.alerts)

    def learn(self, found: Latest) -> None:
        """Keep what the online store said of a symbol, unless something newer is known."""
        if found.signal is not None:
            _keep(self.signals, found.signal, signal_view)
        if found.features is not None:
            _keep(self.features, found.features, features_view)
        for record in (found.signal, found.features):
            self._clock.saw(record.available_time if record else 0)

    def _new_alerts(self, alerts: Iterable[Alert]) -> list[Alert]:
        """Those that are not here yet: after a restart the job may say an alert twice."""
        found = []
        for alert in alerts:
            if alert.alert_id in self._alert_ids:
                continue
            if len(self.alerts) == MOST_ALERTS:
                self._alert_ids.discard(self.alerts[0].alert_id)
            self.alerts.append(alert)
            self._alert_ids.add(alert.alert_id)
            found.append(alert)
        return found


def _keep(kept: dict[str, Kept[Any]], record: Any, view: Callable[[Any], dict[str, Any]]) -> bool:
    old = kept.get(record.symbol)
    if old is not None and not replaces(record.event_number, record.event_time, old.record.event_number, old.record.event_time):
        return False
    kept[record.symbol] = Kept(record, view)
    return True
