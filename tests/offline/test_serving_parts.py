"""The parts of the API by themselves: paging, conflation, rates, keys, freshness, and the OpenAPI document against the answers."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.settings import local_lake
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from jobs.serving.api import keys
from jobs.serving.api.access import Caller, RateLimiter, may_see_rule
from jobs.serving.api.cache import Batch, Cache
from jobs.serving.api.clock import StreamClock, rfc3339
from jobs.serving.api.history import History, Wanted, read_cursor, write_cursor
from jobs.serving.api.hub import HEARTBEAT_SECONDS, MOST_WAITING_ALERTS, SLOWEST_SECONDS, WOKEN_AT_ONCE, Hub, Subscriber
from jobs.serving.api.problems import Problem
from jobs.serving.api.users import MOST_WATCHLISTS, TooMany, Users
from jobs.serving.watch import Watched, sparkline
from tests.support.online_records import HERE, START, abstained, feature_row, signal
from tests.support.served import stored_bar
from udfs.records import Alert

MINUTE = 60 * 1_000_000_000


def pages(history: History, wanted: Wanted) -> list[list[dict[str, Any]]]:
    """Every page there is."""
    found, before = [], None
    while True:
        rows, before, _ = asyncio.run(history.page(replace(wanted, before=before)))
        found.append(rows)
        if before is None:
            return found


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Fifty minutes of A in overlapping files, some stored twice, and a few of B."""
    lake = local_lake(tmp_path_factory.mktemp("bars"), buckets=2)
    catalog = open_catalog(lake)
    create_tables(catalog, lake.buckets)
    for part in (range(0, 30, 2), range(1, 40, 2), range(30, 50), range(20, 25)):
        append_rows(catalog, NAMESPACE, "bars", [stored_bar("A", minute, float(minute)) for minute in part])
    append_rows(catalog, NAMESPACE, "bars", [stored_bar("B", 3), {**stored_bar("A", 3), "length_seconds": 300}])
    return History(lake)


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_pages_hold_every_row_once_newest_first(bars: History, most: int) -> None:
    expected = sorted({*range(0, 30, 2), *range(1, 40, 2), *range(30, 50)}, reverse=True)
    found = [row["close"] for page in pages(bars, Wanted("bars", "A", most, length_seconds=60)) for row in page]
    assert found == expected


def test_nothing_stored_is_an_empty_page(bars: History, tmp_path: Path) -> None:
    assert pages(bars, Wanted("bars", "nobody", 5)) == [[]]
    assert pages(History(local_lake(tmp_path)), Wanted("signals", "A", 5)) == [[]]


@given(st.integers(0, (1 << 62) - 1), st.integers(0, (1 << 62) - 1) | st.text(max_size=30))
def test_a_cursor_comes_back_as_it_was(time: int, tie: int | str) -> None:
    assert read_cursor(write_cursor((time, tie)), type(tie)) == (time, tie)


@given(st.text(max_size=80))
def test_any_other_text_is_no_cursor(text: str) -> None:
    for kind in (int, str):
        with suppress(Problem):
            time, tie = read_cursor(text, kind)
            assert (type(time), type(tie)) == (int, kind)


@given(st.lists(st.floats(0, 2), max_size=60), st.floats(0.5, 5))
def test_no_more_than_the_rate_gets_through(distances: list[float], a_second: float) -> None:
    limiter, now, taken = RateLimiter(a_second, 4.0), 0.0, []
    for distance in distances:
        now += distance
        if limiter.wait_seconds("a", 1.0, now) == 0:
            taken.append(now)
    for first in range(len(taken)):
        for last in range(first, len(taken)):
            assert last - first + 1 <= 4 + a_second * (taken[last] - taken[first]) + 1e-6


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from("AB"), st.integers(1, 30)), max_size=40))
def test_the_cache_never_goes_back(records: list[tuple[str, int]]) -> None:
    cache, newest = Cache(StreamClock()), dict[str, int]()
    for symbol, number in records:
        taken, _ = cache.take(Batch([signal(symbol, number)], [feature_row(symbol, number)]))
        assert bool(taken) == (number >= newest.get(symbol, 0))
        newest[symbol] = max(number, newest.get(symbol, 0))
    assert {symbol: kept.record.event_number for symbol, kept in cache.signals.items()} == newest


def alert(number: int, rule_id: str = "all") -> Alert:
    return Alert(f"id-{number}", rule_id, "A", START, START, number, "price_move", 0.1, 0.2, "", HERE, "m")


def test_what_waits_for_a_slow_client_does_not_grow() -> None:
    async def run() -> None:
        hub, slow = Hub(), Subscriber(["A", "B"], lambda rule_id: rule_id != "other")
        hub.add(slow)
        for number in range(5 * MOST_WAITING_ALERTS):
            hub.publish([signal("A", number), signal("C", number)], [alert(number), alert(number, "other")])
        symbols, alerts = await slow.changes()
        assert (symbols, len(alerts), alerts[-1].event_number) == (["A", "B"], MOST_WAITING_ALERTS, 5 * MOST_WAITING_ALERTS - 1)
        assert all(each.rule_id == "all" for each in alerts)
        assert slow.skipped == 5 * MOST_WAITING_ALERTS + 4 * MOST_WAITING_ALERTS
        hub.remove(slow)
        assert (len(hub), hub._of_symbol) == (0, {})

    asyncio.run(run())


def test_everyone_is_told_and_the_loop_breathes_between_groups() -> None:
    """Whoever waits is woken, in the order in which something came, and never all of them in one step of the event loop."""

    async def run() -> None:
        hub, told = Hub(), list[int]()
        clients = [Subscriber(["A"], lambda _: True) for _ in range(3 * WOKEN_AT_ONCE)]

        async def listen(number: int) -> None:
            await clients[number].changes()
            while (await clients[number].changes())[0] == ["A"]:
                told.append(number)

        for client in clients:
            hub.add(client)
        tasks = [asyncio.create_task(listen(number)) for number in range(len(clients))]
        await asyncio.sleep(0)
        hub.publish([signal("A", 1)], [])
        hub.publish([signal("A", 2)], [])
        steps = [0]
        while len(told) < len(clients):
            await asyncio.sleep(0)
            steps.append(len(told))
        assert sorted(told) == list(range(len(clients)))
        assert max(after - before for before, after in pairwise(steps)) <= WOKEN_AT_ONCE
        assert not any(task.done() for task in tasks), "someone was woken for nothing"
        hub.remove(clients[0])
        hub.publish([signal("A", 3)], [])
        assert not clients[0]._woken.is_set()
        for task in tasks:
            task.cancel()

    asyncio.run(run())


def test_who_hears_nothing_gets_a_sign_of_life_and_who_takes_nothing_is_let_go() -> None:
    async def run() -> None:
        hub, quiet, gone = Hub(), Subscriber(["A"], lambda _: True), list[bool]()
        quiet.let_go = lambda: gone.append(True)
        hub.add(quiet)
        assert await quiet.changes() == (["A"], [])
        hub.look_after(quiet.took_at + SLOWEST_SECONDS - 1)
        assert gone == []
        hub.look_after(quiet.took_at + SLOWEST_SECONDS + 1)
        assert gone == [True]
        waiting = asyncio.ensure_future(quiet.changes())
        await asyncio.sleep(0)
        hub.look_after(quiet.took_at + HEARTBEAT_SECONDS - 1)
        await asyncio.sleep(0)
        assert not waiting.done()
        hub.look_after(quiet.took_at + HEARTBEAT_SECONDS + 1)
        assert await waiting == ([], [])

    asyncio.run(run())


def test_an_alert_that_is_said_twice_is_told_once() -> None:
    cache = Cache(StreamClock())
    assert cache.take(Batch(alerts=[alert(1), alert(1)]))[1] == [alert(1)]
    assert cache.take(Batch(alerts=[alert(1), alert(2)]))[1] == [alert(2)]


def test_own_rules_and_those_of_nobody_are_seen() -> None:
    ann = Caller("ann", "", frozenset())
    seen = [may_see_rule(ann, rule_id) for rule_id in ("big-move", "user.ann.x", "user.bob.x", "user.annabel.x", "user.ann")]
    assert seen == [True, True, False, False, False]


def test_the_stream_s_clock_goes_on_and_never_back() -> None:
    clock = StreamClock(follows_stream=True)
    clock.saw(START)
    first = clock.now()
    clock.saw(START - MINUTE)
    assert START <= first <= clock.now() < START + MINUTE
    assert rfc3339(START + 7) == "2013-05-31T11:33:20.000000007Z"


def test_keys_are_kept_as_hashes_and_end(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.db")
    key, secret = users.add_key("ann", ["read"], expires_at=100)
    assert users.find_key(secret) == key
    assert users.find_key(secret + "x") is None
    assert [key.is_valid(now) for now in (99, 100)] == [True, False]
    assert (users.revoke_key(key.key_id), users.revoke_key(key.key_id)) == (True, False)
    with sqlite3.connect(tmp_path / "users.db") as database:
        stored = str(database.execute("select * from keys").fetchall())
    assert secret not in stored
    assert secret.rsplit("_", 1)[1] not in stored
    assert (tmp_path / "users.db").stat().st_mode & 0o077 == 0


def test_watchlists_have_an_end(tmp_path: Path) -> None:
    users = Users(tmp_path / "users.db")
    for number in range(MOST_WATCHLISTS):
        users.put_watchlist("ann", f"w{number}", ["A"])
    users.put_watchlist("ann", "w0", ["B"])
    users.put_watchlist("bob", "w0", ["C"])
    with pytest.raises(TooMany):
        users.put_watchlist("ann", "one-more", ["A"])
    assert (users.watchlists("ann")["w0"], users.watchlists("bob")) == (["B"], {"w0": ["C"]})


def test_the_verb_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = ["--users", str(tmp_path / "users.db")]
    assert keys.main(["add", "--user", "ann", *file]) == 0
    secret = capsys.readouterr().out.splitlines()[0]
    assert keys.main(["list", *file]) == 0
    shown = capsys.readouterr().out
    assert "ann" in shown
    assert secret not in shown
    assert [keys.main(["revoke", name, *file]) for name in (secret.split("_")[1], "none")] == [0, 1]
    assert keys.main(["add", "--user", "a b", *file]) == 2
    assert keys.main(["add", "--user", "ann", "--scopes", "read,root", *file]) == 2


def test_the_terminal_shows_what_is_known_and_what_is_not() -> None:
    """Direction, price and reasons of a known symbol, the age of an old one, and nothing of others."""
    watched = Watched(["A", "B", "C"], 60.0, StreamClock(follows_stream=True))
    watched.take(Batch([signal("A", 500), abstained(signal("B", 1)), signal("D", 1)], [], [alert(1)]))
    watched.take(Batch([signal("A", 501)]))
    console = Console(width=200, file=io.StringIO(), color_system=None)
    console.print(watched.picture(is_fed=True))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for word in ("▲ up", "60%", "die Nachfrage überwiegt", "abstained: no model", "500.0 s", "unknown", "▁█", "⚠ A all"):
        assert word in shown
    assert " D " not in shown


@given(st.lists(st.floats(1, 1e6), max_size=30))
def test_a_sparkline_rises_where_prices_rise(prices: list[float]) -> None:
    line = sparkline(prices)
    assert len(line) == len(prices)
    for first, second, low, high in zip(prices, prices[1:], line, line[1:], strict=False):
        assert low <= high if first <= second else low >= high
