"""How soon a halt is in force: from the call that publishes its entry until the paper trader's gate denies an order because of it.

A real broker lies between. The trader's loop runs as `infra/tickflow paper` runs it, once with nothing to read, where it waits for the
market, and once with rows of the market as fast as it takes them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from infra.local.console import say
from jobs.benchmark.machine import description, stolen_seconds
from jobs.control import publish
from jobs.gateway.publisher import KafkaPublisher, PublisherSettings
from jobs.session import local_session
from jobs.settings import Settings
from jobs.submission import make_topics
from jobs.trading.drill import trader
from jobs.trading.gate import Order
from jobs.trading.kafka_sources import KafkaControl, KafkaMarket
from jobs.trading.limits import Denial
from jobs.trading.loop import MarketRecord, MarketSource, PaperLoop
from jobs.trading.money import PRICE_SCALE, SIZE_SCALE
from jobs.trading.program import WAIT_SECONDS
from udfs.codecs.rows import encode_feature_row
from udfs.codecs.wire import PINNED
from udfs.kernels.feature_vector import FEATURE_COUNT, FEATURE_SET, Feature
from udfs.records import ControlEvent, ControlKind, FeatureRow, Position

LIMIT_P99_MILLISECONDS: Final = 100.0
PERCENTILES: Final = (50, 99, 100)
SYMBOL: Final = "BENCH"
WARM_UP: Final = 10
"""Tries that do not count: clients find their group and their leaders."""
_PATIENCE_SECONDS: Final = 10.0


class BusyMarket:
    """Rows of one symbol without end."""

    def __init__(self) -> None:
        self._number = 0

    def next(self, seconds: float) -> MarketRecord:
        """See `MarketSource`."""
        self._number += 1
        values = np.full(FEATURE_COUNT, np.nan, np.float32)
        values[[Feature.MID_PRICE, Feature.SPREAD, Feature.HALTED]] = 100.0, 0.01, 0.0
        moment, valid = 1_000_000 * self._number, ~np.isnan(values)
        row = FeatureRow(SYMBOL, moment, moment, self._number, FEATURE_SET, values, valid, False, 0, Position("", 0, 0), "bench")
        return MarketRecord(False, encode_feature_row(row))


@dataclass
class Watch:
    """When which entry of the control log was in force, and whether the gate then denied an order because of a halt."""

    loop: PaperLoop
    seen: dict[int, tuple[int, bool]] = field(default_factory=dict)

    def after_each(self, _had_record: bool) -> None:
        """Of one turn of the loop."""
        version = self.loop.control_version
        if version in self.seen:
            return
        order = Order(f"bench-{version}", SYMBOL, SIZE_SCALE, 200 * PRICE_SCALE, self.loop.trader.now)
        denied = self.loop.trader.submit(order) is Denial.HALTED
        self.seen[version] = time.monotonic_ns(), denied

    def when(self, version: int) -> tuple[int, bool]:
        """Waits for it. Raises TimeoutError."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while version not in self.seen:
            if time.monotonic() > deadline:
                raise TimeoutError(f"control version {version} did not come into force within {_PATIENCE_SECONDS:.0f} s")
            time.sleep(0.0005)
        return self.seen[version]


def measure_halt(data: Path, tries: int) -> dict[str, Any]:
    """Milliseconds until a halt was in force, over so many tries with each market."""
    machine, stolen = description(), stolen_seconds()
    with local_session(data, taskmanagers=0) as session:
        make_topics(session.settings)
        found = {name: tried(session.settings, name, tries) for name in ("idle", "busy")}
    holds = all(each["halted"] == tries and each["milliseconds"]["p99"] <= LIMIT_P99_MILLISECONDS for each in found.values())
    limits = {"limit_p99_milliseconds": LIMIT_P99_MILLISECONDS, "stolen_seconds": round(stolen_seconds() - stolen, 2)}
    return {"tries": tries, **found, **limits, "holds": holds, "machine": machine}


def tried(settings: Settings, name: str, tries: int) -> dict[str, Any]:
    """With a market that is `idle` or `busy`: how many halts were in force and lifted again, and after how long."""
    say(f"bench: {tries} halts, the market is {name}")
    sink, milliseconds, halted = KafkaPublisher(PublisherSettings.of(settings.kafka)), [], 0
    market = KafkaMarket(settings, from_start=False) if name == "idle" else BusyMarket()
    with _trading(settings, market) as watch:
        for number in range(-WARM_UP, tries):
            begun = time.monotonic_ns()
            in_force, denied = watch.when(_published(ControlKind.HALT, settings, sink))
            _, still_denied = watch.when(_published(ControlKind.RESUME, settings, sink))
            if number >= 0:
                milliseconds.append((in_force - begun) / 1e6)
                halted += denied and not still_denied
    if isinstance(market, KafkaMarket):
        market.close()
    values = np.percentile(milliseconds, PERCENTILES)
    return {"halted": halted, "milliseconds": {f"p{each}": round(float(value), 2) for each, value in zip(PERCENTILES, values, strict=True)}}


@contextmanager
def _trading(settings: Settings, market: MarketSource) -> Iterator[Watch]:
    control, stopped = KafkaControl(settings), threading.Event()
    watch = Watch(PaperLoop(trader(), control, market, PINNED))
    watch.loop.begin(control.begin())
    thread = threading.Thread(target=watch.loop.run, args=(stopped.is_set, WAIT_SECONDS, watch.after_each), daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        stopped.set()
        thread.join()
        control.close()


def _published(kind: ControlKind, settings: Settings, sink: KafkaPublisher) -> int:
    event = ControlEvent(0, kind, time.time_ns(), "bench", "how soon is it in force")
    return publish(event, PublisherSettings.of(settings.kafka), settings.topics.control, sink)
