"""Quix Streams: a stateful apply, state in RocksDB and in a changelog topic."""

from __future__ import annotations

from typing import Any

from quixstreams import Application, State

from jobs.benchmark.peers.task import take
from jobs.benchmark.peers.wiring import BROKERS, GROUP, ROWS, SNAPSHOT_SECONDS, STATE, TICKS


def _summarised(tick: dict[str, Any], state: State) -> dict[str, Any] | None:
    after, row = take(state.get("summary"), tick)
    state.set("summary", after)
    return row


def main() -> None:
    """Run until stopped."""
    app = Application(
        broker_address=BROKERS, consumer_group=GROUP, auto_offset_reset="earliest", state_dir=STATE, commit_interval=SNAPSHOT_SECONDS
    )
    frame = app.dataframe(app.topic(TICKS, value_deserializer="json"))
    frame = frame.apply(_summarised, stateful=True)
    frame = frame.filter(lambda row: row is not None)
    frame.to_topic(app.topic(ROWS, value_serializer="json"))
    app.run()


if __name__ == "__main__":
    main()
