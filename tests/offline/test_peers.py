"""The task that other systems are given, and what the benchmark holds their output against."""

from __future__ import annotations

import itertools
import json
import re
from collections import defaultdict

from infra.local import paths
from jobs.benchmark.peers.task import DISORDER_NANOSECONDS, ROW_INTERVAL_NANOSECONDS, take
from jobs.benchmark.peers.ticks import encoded, ticks_of, wanted
from jobs.benchmark.prepared_log import PreparedLog

LOG = PreparedLog(ticks=20_000, symbols=8, rate=4_000.0, maximum_events=1)
PINNED = ("llvmlite", "numba", "numpy", "protobuf")


def test_ticks_are_those_of_the_log_and_survive_their_wire() -> None:
    ticks = list(ticks_of(LOG))
    assert len({tick["symbol"] for tick in ticks}) == LOG.names
    assert 0 < len(ticks) <= LOG.events
    assert all(json.loads(encoded(tick)) == tick for tick in ticks[:100])
    assert {tick["kind"] for tick in ticks} == {"trade", "quote"}


def test_rows_are_an_interval_apart_and_hold_the_last_trade() -> None:
    states: dict[str, dict[str, object]] = {}
    rows, last_price = defaultdict(list), {}
    for tick in ticks_of(LOG):
        last_price[tick["symbol"]] = tick["price"] or last_price.get(tick["symbol"], 0.0)
        states[tick["symbol"]], row = take(states.get(tick["symbol"]), tick)
        if row is not None:
            assert row["price"] == last_price[tick["symbol"]]
            rows[tick["symbol"]].append(row["time"])
    gaps = [after - before for times in rows.values() for before, after in itertools.pairwise(times)]
    assert len(gaps) > 100
    assert min(gaps) >= ROW_INTERVAL_NANOSECONDS
    assert wanted(LOG).rows == sum(map(len, rows.values()))


def test_windows_that_the_last_tick_does_not_close_are_not_expected() -> None:
    found, ticks = wanted(LOG), list(ticks_of(LOG))
    windows = {(tick["symbol"], tick["time"] // ROW_INTERVAL_NANOSECONDS) for tick in ticks}
    closed = [window for _, window in windows if (window + 1) * ROW_INTERVAL_NANOSECONDS + DISORDER_NANOSECONDS <= ticks[-1]["time"]]
    assert (found.ticks, found.windows, found.closed_windows) == (len(ticks), len(windows), len(closed))
    assert 0 < found.closed_windows < found.windows


def test_both_environments_compile_kernels_with_the_same_packages() -> None:
    locks = [dict(re.findall(r"^([\w-]+)==(\S+)", lock.read_text(), re.M)) for lock in (paths.PYTHON_LOCK, paths.PEERS_LOCK)]
    assert {name: locks[0][name] for name in PINNED} == {name: locks[1][name] for name in PINNED}
