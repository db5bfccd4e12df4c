"""Over gRPC the API says what it says over HTTP, to the same callers, and refuses what it refuses there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from infra.local import ports
from infra.local.endpoints import Endpoints
from jobs.lake.catalog import create_tables, open_catalog
from jobs.lake.tables import NAMESPACE
from jobs.lake.writing import append_rows
from jobs.serving.remote.generated import reads_pb2 as reads
from jobs.serving.remote.server import CALLS, SERVICE
from tests.support.online_records import abstained, feature_row, signal
from tests.support.served import Served, alert, answer_of, own_settings, served, stored_bar, wait_until


@pytest.fixture(scope="module")
def api(services: Endpoints, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = own_settings(services.kafka_bootstrap, services.redis_url)
    address = f"127.0.0.1:{ports.free_port(set())}"
    with served(settings, tmp_path_factory.mktemp("api"), grpc_address=address) as found:
        yield found


def call(api: Served, name: str, request: Any, key: str | None = None, **metadata: str) -> Any:
    """The answer to a call with ann's key, or another."""
    given = {"authorization": f"Bearer {api.key() if key is None else key}"} | {
        name.replace("_", "-"): value for name, value in metadata.items()
    }
    with grpc.insecure_channel(api.parts.serve.grpc_address) as channel:
        ask = channel.unary_unary(
            f"/{SERVICE}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=CALLS[name].answer.FromString,
        )
        return ask(request, metadata=tuple(given.items()), timeout=30)


def refusal(api: Served, name: str, request: Any, key: str | None = None) -> tuple[Any, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(api, name, request, key)
    return caught.value.code(), caught.value.details()


def as_json(message: Any) -> dict[str, Any]:
    found: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return found


def test_newest_values_are_those_of_http(api: Served) -> None:
    api.send(signal("G1", 5), feature_row("G1", 5), abstained(signal("G2", 5)), alert("G1", 5))
    with api.client() as client:
        wait_until(lambda: answer_of(client, "G1")["status"] == answer_of(client, "G2")["status"] == "live")
        wait_until(lambda: bool(client.get("/v1/alerts").json()["alerts"]))
        expected = client.get("/v1/signals?symbols=G1,G2,G9").json()["answers"]
        found = call(api, "Signals", reads.Watchlist(symbols=["G1", "G2", "G9"])).answers
        assert [(each.symbol, each.status) for each in found] == [(each["symbol"], each["status"]) for each in expected]
        assert found[0].signal.price == expected[0]["signal"]["price"]
        assert found[0].signal.event_time == expected[0]["signal"]["event_time"]
        assert not found[1].signal.HasField("confidence"), "what was not scored has no confidence, and not 0"
        assert not found[2].HasField("signal")
        features = client.get("/v1/features/G1").json()["features"]["values"]
        assert as_json(call(api, "Features", reads.OneSymbol(symbol="G1")))["features"]["values"] == features
        book = client.get("/v1/book/G1").json()["book"]
        assert as_json(call(api, "Book", reads.OneSymbol(symbol="G1")))["book"] == book
        assert as_json(call(api, "Alerts", reads.Newest()))["alerts"] == client.get("/v1/alerts").json()["alerts"]
        assert as_json(call(api, "Models", reads.Nothing())) == client.get("/v1/models").json()
        freshness = call(api, "Freshness", reads.Nothing())
        said = client.get("/v1/freshness").json()
        assert freshness.symbols == said["symbols"]
        assert {name: part.status for name, part in freshness.parts.items()} == {
            name: part["status"] for name, part in said["parts"].items()
        }


def test_history_comes_by_pages(api: Served) -> None:
    catalog = open_catalog(api.lake)
    create_tables(catalog, api.lake.buckets)
    append_rows(catalog, NAMESPACE, "bars", [stored_bar("H1", minute, close=1.0 + minute) for minute in range(5)])
    first = call(api, "Bars", reads.StoredRows(symbol="H1", limit=3))
    second = call(api, "Bars", reads.StoredRows(symbol="H1", limit=3, before=first.next))
    assert [row["close"] for page in (first, second) for row in page.rows] == [5.0, 4.0, 3.0, 2.0, 1.0]
    with api.client() as client:
        assert as_json(first)["rows"] == client.get("/v1/symbols/H1/bars?limit=3").json()["rows"]


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"Health"}))
def test_strangers_get_nothing(api: Served, name: str) -> None:
    _, secret = api.users.add_key("ann", ["read"], expires_at=1)
    request = (
        reads.Watchlist(symbols=["A"])
        if name == "Signals"
        else CALLS[name].request(**({"symbol": "A"} if "symbol" in _fields(name) else {}))
    )
    for key in ("", "tf_00000000_made-up", secret):
        assert refusal(api, name, request, key)[0] is grpc.StatusCode.UNAUTHENTICATED
    assert refusal(api, name, request, api.key("eve", ["write"]))[0] is grpc.StatusCode.PERMISSION_DENIED


def _fields(name: str) -> set[str]:
    return set(CALLS[name].request.DESCRIPTOR.fields_by_name)


def test_health_needs_no_key(api: Served) -> None:
    assert call(api, "Health", reads.Nothing(), "").status == "ok"


@pytest.mark.parametrize("symbol", ["", "../health", "a/b", "a'; drop", "x" * 65, "a\n", "ß"])
def test_what_is_no_symbol_is_refused(api: Served, symbol: str) -> None:
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(api, "Features", reads.OneSymbol(symbol=symbol))[0] is invalid
    assert refusal(api, "Bars", reads.StoredRows(symbol=symbol))[0] is invalid
    assert refusal(api, "Signals", reads.Watchlist(symbols=[symbol]))[0] is invalid


def test_other_bad_input_has_the_answer_of_http(api: Served) -> None:
    assert refusal(api, "Features", reads.OneSymbol(symbol="nobody"))[0] is grpc.StatusCode.NOT_FOUND
    assert refusal(api, "Bars", reads.StoredRows(symbol="A", limit=100_000))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(api, "Bars", reads.StoredRows(symbol="A", length_seconds=7))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(api, "Bars", reads.StoredRows(symbol="A", since="yesterday"))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(api, "Signals", reads.Watchlist(symbols=["A"] * 201))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(api, "Signals", reads.Watchlist(symbols=["A" * 60] * 2_000))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED, "over 64 KiB"


def test_bytes_that_are_no_message_are_refused(api: Served) -> None:
    with grpc.insecure_channel(api.parts.serve.grpc_address) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(f"/{SERVICE}/Signals")(b"\xff\xff\xff", metadata=(("authorization", f"Bearer {api.key()}"),), timeout=30)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert call(api, "Health", reads.Nothing()).status == "ok"


def test_calls_stand_in_the_access_log_without_the_key(api: Served) -> None:
    call(api, "Signals", reads.Watchlist(symbols=["A"]), x_request_id="of-a-call-1")
    (entry,) = [entry for entry in api.log if entry["request_id"] == "of-a-call-1"]
    assert (entry["path"], entry["status"]) == ("/v1/signals", 200)
    assert entry["key"]
    assert api.key() not in str(api.log)
