"""Flink without Python: tumbling windows of 100 ms in SQL, which Flink compiles to Java."""

from __future__ import annotations

from pyflink.table import EnvironmentSettings, TableEnvironment

from jobs.benchmark.peers.task import DISORDER_NANOSECONDS, ROW_INTERVAL_NANOSECONDS
from jobs.benchmark.peers.wiring import BROKERS, GROUP, ROWS, SNAPSHOT_SECONDS, TICKS

_SOURCE = f"""
CREATE TABLE ticks (
  symbol STRING, `time` BIGINT, kind STRING, price DOUBLE, size DOUBLE, side INT,
  bid DOUBLE, bid_size DOUBLE, ask DOUBLE, ask_size DOUBLE,
  told_at AS TO_TIMESTAMP_LTZ(`time` / 1000000, 3), WATERMARK FOR told_at AS told_at - INTERVAL '{DISORDER_NANOSECONDS / 1e9:.1f}' SECOND
) WITH (
  'connector' = 'kafka', 'topic' = '{TICKS}', 'properties.bootstrap.servers' = '{BROKERS}', 'properties.group.id' = '{GROUP}',
  'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset', 'format' = 'json'
)"""
_SINK = f"""
CREATE TABLE out_rows (symbol STRING, begins TIMESTAMP_LTZ(3), price DOUBLE, mid DOUBLE, imbalance DOUBLE, volume DOUBLE, signed DOUBLE)
WITH ('connector' = 'kafka', 'topic' = '{ROWS}', 'properties.bootstrap.servers' = '{BROKERS}', 'format' = 'json')"""
_INSERT = f"""
INSERT INTO out_rows
SELECT symbol, window_start,
  LAST_VALUE(CASE WHEN kind = 'trade' THEN price END),
  LAST_VALUE(CASE WHEN kind = 'quote' THEN (bid + ask) / 2 END),
  LAST_VALUE(CASE WHEN kind = 'quote' THEN (bid_size - ask_size) / (bid_size + ask_size) END), SUM(size), SUM(side * size)
FROM TABLE(TUMBLE(TABLE ticks, DESCRIPTOR(told_at), INTERVAL '{ROW_INTERVAL_NANOSECONDS / 1e9:.1f}' SECOND))
GROUP BY symbol, window_start, window_end"""


def main() -> None:
    """Run to the end of the log, in a small cluster inside this process."""
    environment = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for name, value in {"parallelism.default": "1", "execution.checkpointing.interval": f"{SNAPSHOT_SECONDS} s"}.items():
        environment.get_config().set(name, value)
    environment.execute_sql(_SOURCE)
    environment.execute_sql(_SINK)
    environment.execute_sql(_INSERT).wait()


if __name__ == "__main__":
    main()
