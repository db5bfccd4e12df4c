"""Pathway: tumbling windows of 100 ms, each told once; it has no state of a symbol that a program could keep by hand."""

from __future__ import annotations

import pathway as pw

from jobs.benchmark.peers.task import DISORDER_NANOSECONDS, ROW_INTERVAL_NANOSECONDS
from jobs.benchmark.peers.wiring import BROKERS, GROUP, ROWS, SNAPSHOT_SECONDS, STATE, TICKS

_CLIENT = {"bootstrap.servers": BROKERS, "group.id": GROUP, "auto.offset.reset": "earliest", "session.timeout.ms": "6000"}


class Tick(pw.Schema):
    """A tick; what its kind does not have is 0."""

    symbol: str
    time: int
    price: float
    size: float
    side: int
    bid: float
    bid_size: float
    ask: float
    ask_size: float


def main() -> None:
    """Run until stopped."""
    ticks = pw.io.kafka.read(_CLIENT, topic=TICKS, schema=Tick, format="json", autocommit_duration_ms=100)
    windows = ticks.windowby(
        ticks.time,
        window=pw.temporal.tumbling(duration=ROW_INTERVAL_NANOSECONDS),
        instance=ticks.symbol,
        behavior=pw.temporal.exactly_once_behavior(shift=DISORDER_NANOSECONDS),
    )
    rows = windows.reduce(
        symbol=pw.this._pw_instance,
        began=pw.this._pw_window_start,
        price=pw.reducers.max(pw.this.price),
        mid=pw.reducers.max(pw.this.bid + pw.this.ask),
        volume=pw.reducers.sum(pw.this.size),
        signed=pw.reducers.sum(pw.this.side * pw.this.size),
    )
    pw.io.kafka.write(rows, {"bootstrap.servers": BROKERS}, ROWS, format="json")
    storage = pw.persistence.Backend.filesystem(STATE)
    pw.run(
        monitoring_level=pw.MonitoringLevel.NONE,
        persistence_config=pw.persistence.Config(storage, snapshot_interval_ms=1000 * SNAPSHOT_SECONDS),
    )


if __name__ == "__main__":
    main()
