"""The API while clients listen, read slowly, ask too often, and while Redis or Kafka is away."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_socket

from infra.local.endpoints import Endpoints
from jobs.serving.api import hub, protocol
from tests.support.online_records import signal
from tests.support.served import NOBODY, RULE, Served, alert, answer_of, own_redis, own_settings, served, store, wait_until

LIVE = ("read",)


@pytest.fixture(scope="module")
def api(services: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = own_settings(services.kafka_bootstrap, services.redis_url)
    with served(settings, tmp_path_factory.mktemp("api")) as found:
        yield found


def test_a_key_that_asks_too_often_waits(services: Endpoints, tmp_path: Path) -> None:
    settings = own_settings(services.kafka_bootstrap, services.redis_url)
    with served(settings, tmp_path, requests_a_second=0.01, requests_at_once=3) as api, api.client("ann") as ann, api.client("bob") as bob:
        found = [ann.get("/v1/watchlists") for _ in range(4)]
        assert [each.status_code for each in found] == [200, 200, 200, 429]
        assert int(found[3].headers["retry-after"]) > 0
        assert bob.get("/v1/watchlists").status_code == 200


def test_live_watchlist_over_server_sent_events(api: Served) -> None:
    api.send(signal("L1", 1))
    with api.client() as client, client.stream("GET", "/v1/stream", params={"symbols": "L1,L2"}) as lines:
        updates = (json.loads(line.removeprefix("data: ")) for line in lines.iter_lines() if line.startswith("data: "))
        first = next(updates)
        assert [each["symbol"] for each in first["signals"]] == ["L1", "L2"]
        api.send(signal("L2", 1), signal("L3", 1), alert("L2", 1))
        second = next(updates)
        while not second["alerts"]:
            second = next(updates)
        assert second["alerts"][0]["symbol"] == "L2"
    wait_until(lambda: len(api.parts.hub) == 0, lambda: len(api.parts.hub))


def test_live_watchlist_over_a_socket(api: Served) -> None:
    address = f"{api.url.replace('http', 'ws')}/v1/live"
    with connect_socket(address) as socket:
        socket.send(json.dumps({"key": api.key(), "symbols": ["W1"]}))
        assert json.loads(socket.recv(20))["signals"][0]["symbol"] == "W1"
        api.send(*(signal("W1", number) for number in range(1, 400)))
        newest, messages = 0, 0
        while newest < 399:
            newest = json.loads(socket.recv(20))["signals"][0]["signal"]["event_number"]
            messages += 1
        assert messages < 100, "what came between is left out"
    for hello in ('{"symbols": ["W1"]}', '{"key": "tf_x", "symbols": ["W1"]}', "{", "[]", '{"key": 1, "symbols": [""]}'):
        with connect_socket(address) as socket:
            socket.send(hello)
            with pytest.raises(ConnectionClosed):
                socket.recv(20)
    wait_until(lambda: len(api.parts.hub) == 0, lambda: len(api.parts.hub))


def test_a_client_that_never_reads_costs_nothing_but_its_place(api: Served) -> None:
    """Others are served, and what waits for it stays as small as its watchlist."""
    stuck = socket.create_connection(("127.0.0.1", int(api.url.rsplit(":", 1)[1])))
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.sendall(f"GET /v1/stream?symbols=Z1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.key()}\r\n\r\n".encode())
    wait_until(lambda: len(api.parts.hub) == 1)
    with api.client() as client:
        for number in range(1, 30):
            api.send(*(signal("Z1", number * 100 + each) for each in range(100)))
        wait_until(lambda: client.get("/v1/signals/Z1").json()["signal"]["event_number"] == 2999)
    (subscriber,) = api.parts.hub._all
    assert len(subscriber._symbols) <= 1
    stuck.close()
    wait_until(lambda: len(api.parts.hub) == 0, lambda: len(api.parts.hub))


def test_a_client_that_takes_nothing_for_too_long_is_cut(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place is free again and its socket is gone, though it never hangs up itself."""
    monkeypatch.setattr(hub, "SLOWEST_SECONDS", 0.5)
    monkeypatch.setattr(protocol, "STUCK_SECONDS", 1.0)
    symbols = [f"C{number}" for number in range(100)]
    with socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", int(api.url.rsplit(":", 1)[1])))
        stuck.sendall(
            f"GET /v1/stream?symbols={','.join(symbols)} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {api.key()}\r\n\r\n".encode()
        )
        wait_until(lambda: len(api.parts.hub) == 1)
        numbers = iter(range(1, 100_000))

        def is_gone() -> bool:
            number = next(numbers)
            api.send(*(signal(symbol, number) for symbol in symbols))
            return len(api.parts.hub) == 0

        wait_until(is_gone)
        own = stuck.getsockname()[1]
        wait_until(lambda: own not in [found.raddr.port for found in psutil.Process().net_connections("tcp") if found.raddr])


def test_idle_sockets_keep_nobody_out(api: Served) -> None:
    port = int(api.url.rsplit(":", 1)[1])
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
    try:
        with api.client() as client:
            assert client.get("/health").json() == {"status": "ok"}
    finally:
        for each in idle:
            each.close()


def test_without_redis_what_was_pushed_is_read(services: Endpoints, tmp_path: Path) -> None:
    with own_redis(tmp_path) as (url, kill):
        settings = own_settings(services.kafka_bootstrap, url)
        store(settings, signal("K2", 4))
        with served(settings, tmp_path) as api, api.client() as client:
            api.send(signal("K1", 5))
            wait_until(lambda: answer_of(client, "K1")["status"] == "live")
            kill()
            wait_until(lambda: answer_of(client, "K3")["status"] == "fallback")
            assert answer_of(client, "K1")["status"] == "live"
            found = client.get("/v1/signals/K3")
            assert (found.status_code, found.json()["signal"]) == (200, None)
            assert client.get("/v1/freshness").json()["parts"]["online_store"]["status"] == "away"


def test_without_kafka_the_online_store_is_read_and_nothing_is_changed(services: Endpoints, tmp_path: Path) -> None:
    settings = own_settings(NOBODY, services.redis_url)
    store(settings, replace(signal("M1", 5), symbol="M1"))
    with served(settings, tmp_path) as api, api.client("ann", ["read", "write", "operate"]) as client:
        assert client.get("/v1/signals/M1").json()["signal"]["event_number"] == 5
        found = client.get("/v1/freshness").json()
        assert (found["status"], found["parts"]["stream"]["status"]) == ("fallback", "away")
        assert client.get("/v1/alerts").json()["status"] == "fallback"
        for response in (client.put("/v1/rules/a", json=RULE), client.post("/v1/halt", json={"all": True, "reason": "in vain"})):
            assert (response.status_code, response.json()["error"]["code"]) == (503, "stream_unavailable")
        assert client.put("/v1/watchlists/a", json={"symbols": ["A"]}).status_code == 200
        assert client.get("/v1/operations").json()["status"] == "fallback"


def test_without_kafka_and_redis_nothing_breaks(tmp_path: Path) -> None:
    with served(own_settings(NOBODY, f"redis://{NOBODY}/0"), tmp_path) as api, api.client() as client:
        found = client.get("/v1/signals", params={"symbols": "A,B"})
        assert found.status_code == 200
        assert [each["status"] for each in found.json()["answers"]] == ["fallback", "fallback"]
        assert client.get("/v1/symbols/A/bars").json()["status"] == "unknown"


def test_the_first_readers_of_the_lake_do_not_disturb_each_other(tmp_path: Path) -> None:
    """Opening a catalog makes its file."""
    with served(own_settings(NOBODY, f"redis://{NOBODY}/0"), tmp_path) as api, api.client() as client, ThreadPoolExecutor(6) as pool:
        paths = [f"/v1/symbols/A/{table}" for table in ("bars", "signals", "features", "alerts")] * 3
        assert {found.status_code for found in pool.map(client.get, paths)} == {200}
